/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vsock_storm_test: many connections of the guest's at once, each half closed
 * and echoed by a server that then closes: every byte arrives, no slot stays.
 */
#include "tests/unit/vsock_rig.h"

#include <pthread.h>
#include <signal.h>

#define STORM 60
#define STORM_BYTES 20000u

/* Sends back what it gets until the end, on connection after connection. */
static void *echo_server(void *arg)
{
	int listener = *(const int *)arg;
	uint8_t buf[4096];

	for (unsigned i = 0; i < STORM; i++) {
		int fd = accept(listener, NULL, NULL);
		ssize_t n;

		while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
			if (send(fd, buf, (size_t)n, MSG_NOSIGNAL) != n)
				break;
		close(fd);
	}
	return NULL;
}

/* What the guest has of connection i: GUEST_PORT + i is its port. */
struct stormy {
	uint32_t got;
	bool opened, ended;
};

static void storm_step(struct world *w, struct stormy *s, uint32_t i,
		       const struct packet *p)
{
	static uint8_t data[STORM_BYTES];
	struct vsock_header h;

	switch (p->h.op) {
	case VSOCK_OP_RESPONSE:
		s->opened = true;
		for (uint32_t k = 0; k < STORM_BYTES; k++)
			data[k] = (uint8_t)(byte_at(k) + i);
		h = header(VSOCK_OP_RW, 77, GUEST_PORT + i, STORM_BYTES);
		sends(w, &h, data);
		h = header(VSOCK_OP_SHUTDOWN, 77, GUEST_PORT + i, 0);
		h.flags = VSOCK_SHUT_SEND;
		sends(w, &h, NULL);
		break;
	case VSOCK_OP_RW:
		for (uint32_t k = 0; k < p->h.len; k++)
			assert_int_equal(p->data[k],
					 (uint8_t)(byte_at(s->got + k) + i));
		s->got += p->h.len;
		break;
	case VSOCK_OP_SHUTDOWN:
		if (p->h.flags != VSOCK_SHUT_BOTH)
			break;
		assert_int_equal(s->got, STORM_BYTES);
		s->ended = true;
		h = header(VSOCK_OP_RST, 77, GUEST_PORT + i, 0);
		sends(w, &h, NULL);
		break;
	default: assert_int_equal(p->h.op, VSOCK_OP_CREDIT_UPDATE); break;
	}
}

static void storm_of_the_guest(void **state)
{
	struct stormy s[STORM] = { 0 };
	struct world *w = *state;
	int listener = serve_at(w, 77);
	unsigned ended = 0;
	pthread_t server;
	struct packet p;

	assert_int_equal(listen(listener, STORM), 0);
	assert_int_equal(pthread_create(&server, NULL, echo_server, &listener),
			 0);
	for (uint32_t i = 0; i < STORM; i++) {
		struct vsock_header h =
			header(VSOCK_OP_REQUEST, 77, GUEST_PORT + i, 0);

		sends(w, &h, NULL);
	}
	while (ended < STORM) {
		uint32_t i;

		gets(w, &p);
		i = p.h.dst_port - GUEST_PORT;
		assert_true(i < STORM && !s[i].ended);
		storm_step(w, &s[i], i, &p);
		ended += s[i].ended;
	}
	pthread_join(server, NULL);
	close(listener);
	unserve(w, 77);
	assert_int_equal(w->vsock.conns.used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(storm_of_the_guest, setup,
						teardown),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
