/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vsock_test: connections of the vsock device, from either side: bytes both
 * ways, credit, halves, ends, resets, stops. What it refuses is in
 * vsock_refusal_test.
 */
#include "tests/unit/vsock_rig.h"

#include <signal.h>

static void configuration(void **state)
{
	struct world *w = *state;

	assert_int_equal(reg_get(&w->rig, VIRTIO_PCI_DEVICE, 4), CID);
	assert_int_equal(reg_get(&w->rig, VIRTIO_PCI_DEVICE + 4, 4), 0);
	assert_int_equal(reg_get(&w->rig, 18, 2), VSOCK_QUEUES);
}

static void client_to_guest(void **state)
{
	struct world *w = *state;
	struct packet p;
	uint32_t port;
	int fd = connect_to(w->path);
	struct vsock_header h;

	say(fd, "CON");
	gets_nothing(w);
	say(fd, "NECT 52\nhello"); /* what follows the line is the guest's */
	gets_op(w, VSOCK_OP_REQUEST, &p);
	port = p.h.src_port;
	assert_int_equal(p.h.dst_port, 52);
	assert_int_equal(p.h.buf_alloc, VSOCK_BUF);
	gets_nothing(w); /* it has not accepted */
	assert_false(readable(fd, 0));
	sends_op(w, VSOCK_OP_RESPONSE, port);
	gets_op(w, VSOCK_OP_RW, &p);
	assert_int_equal(p.h.src_port, port);
	assert_int_equal(p.h.len, 5);
	assert_memory_equal(p.data, "hello", 5);
	hears(fd, "OK 1073741824\n", 14);
	h = header(VSOCK_OP_RW, port, 52, 3);
	sends(w, &h, "bye");
	hears(fd, "bye", 3);
	close(fd);
}

static void guest_refuses(void **state)
{
	struct world *w = *state;
	struct packet p;
	int fd = connect_to(w->path);

	say(fd, "CONNECT 52\n");
	gets_op(w, VSOCK_OP_REQUEST, &p);
	sends_op(w, VSOCK_OP_RST, p.h.src_port);
	hears_end(fd);
	close(fd);
	assert_int_equal(w->vsock.conns.used, 0);
}

static void guest_to_server(void **state)
{
	struct world *w = *state;
	int fd = open_from_guest(w, 77);
	struct vsock_header h = header(VSOCK_OP_RW, 77, GUEST_PORT, 4);
	struct packet p;

	sends(w, &h, "ping");
	hears(fd, "ping", 4);
	say(fd, "pong");
	gets_op(w, VSOCK_OP_RW, &p);
	assert_int_equal(p.h.fwd_cnt, 4);
	assert_memory_equal(p.data, "pong", 4);
	close(fd);
}

/* 5.10.6.3: never more than the guest has room for, and it is asked. */
static void guest_room_is_kept(void **state)
{
	struct world *w = *state;
	int fd;
	uint32_t port = open_from_host(w, &fd);
	struct vsock_header h = header(VSOCK_OP_CREDIT_UPDATE, port, 52, 0);
	struct packet p;

	h.buf_alloc = 6;
	sends(w, &h, NULL);
	say(fd, "0123456789");
	gets_op(w, VSOCK_OP_RW, &p);
	assert_int_equal(p.h.len, 6);
	gets_op(w, VSOCK_OP_CREDIT_REQUEST, &p);
	gets_nothing(w); /* asked once */
	h.fwd_cnt = 3;
	sends(w, &h, NULL);
	gets_op(w, VSOCK_OP_RW, &p);
	assert_int_equal(p.h.len, 3);
	assert_memory_equal(p.data, "678", 3);
	gets_op(w, VSOCK_OP_CREDIT_REQUEST, &p);
	/* Lies: more taken than was sent, less room than was used. */
	h.fwd_cnt = 1000;
	sends(w, &h, NULL);
	gets_nothing(w);
	h.fwd_cnt = 9;
	h.buf_alloc = 0;
	sends(w, &h, NULL);
	gets_nothing(w);
	h.buf_alloc = 1;
	sends(w, &h, NULL);
	gets_op(w, VSOCK_OP_RW, &p);
	assert_memory_equal(p.data, "9", 1);
	close(fd);
}

static void host_room_is_told(void **state)
{
	static uint8_t data[VSOCK_BUF / 4];
	struct world *w = *state;
	int fd;
	uint32_t port = open_from_host(w, &fd);
	struct vsock_header h =
		header(VSOCK_OP_RW, port, GUEST_PORT, sizeof(data));
	struct packet p;

	memset(data, 'x', sizeof(data));
	sends(w, &h, data);
	gets_op(w, VSOCK_OP_CREDIT_UPDATE, &p);
	assert_int_equal(p.h.fwd_cnt, sizeof(data));
	sends_op(w, VSOCK_OP_CREDIT_REQUEST, port);
	gets_op(w, VSOCK_OP_CREDIT_UPDATE, &p);
	hears(fd, data, sizeof(data));
	close(fd);
}

/*
 * A client that reads nothing: what the kernel takes is taken, then a buffer of
 * ours, and then no more. Ends when the guest sees no room left.
 */
static uint64_t fill_up(struct world *w, uint32_t port)
{
	static uint8_t data[16384];
	uint64_t sent = 0;
	uint32_t given = 0;
	struct packet p;

	while ((uint32_t)sent - given < VSOCK_BUF) {
		uint32_t room = VSOCK_BUF - ((uint32_t)sent - given);
		struct vsock_header h =
			header(VSOCK_OP_RW, port, GUEST_PORT,
			       (uint32_t)min_u64(room, sizeof(data)));

		for (size_t i = 0; i < h.len; i++)
			data[i] = byte_at(sent + i);
		sends(w, &h, data);
		sent += h.len;
		sends_op(w, VSOCK_OP_CREDIT_REQUEST, port);
		gets_op(w, VSOCK_OP_CREDIT_UPDATE, &p);
		given = p.h.fwd_cnt;
	}
	return sent;
}

static void take_all(int fd, uint64_t len)
{
	uint8_t want[4096];

	for (uint64_t done = 0; done < len;) {
		size_t n = (size_t)min_u64(len - done, sizeof(want));

		for (size_t i = 0; i < n; i++)
			want[i] = byte_at(done + i);
		hears(fd, want, n);
		done += n;
	}
}

static void slow_client(void **state)
{
	struct world *w = *state;
	int fd;
	uint32_t port = open_from_host(w, &fd);
	uint64_t sent = fill_up(w, port);
	struct packet p;

	assert_true(sent > VSOCK_BUF);
	take_all(fd, sent);
	gets_op(w, VSOCK_OP_CREDIT_UPDATE, &p);
	close(fd);
}

/* The guest is answered at once, and the client gets all of it all the same. */
static void last_bytes_arrive(void **state)
{
	struct world *w = *state;
	int fd;
	uint32_t port = open_from_host(w, &fd);
	uint64_t sent = fill_up(w, port);
	struct vsock_header h = header(VSOCK_OP_SHUTDOWN, port, GUEST_PORT, 0);
	struct packet p;

	h.flags = VSOCK_SHUT_BOTH;
	sends(w, &h, NULL);
	gets_op(w, VSOCK_OP_RST, &p);
	assert_int_equal(p.h.src_port, port);
	take_all(fd, sent);
	hears_end(fd);
	close(fd);
}

/* The host is gone: in one packet, or in two, as it is noticed. */
static void gets_both_shut(struct world *w)
{
	struct packet p;

	do
		gets_op(w, VSOCK_OP_SHUTDOWN, &p);
	while (p.h.flags != VSOCK_SHUT_BOTH);
}

static void guest_half_closes(void **state)
{
	struct world *w = *state;
	int fd;
	uint32_t port = open_from_host(w, &fd);
	struct vsock_header h = header(VSOCK_OP_RW, port, GUEST_PORT, 4);
	struct packet p;

	sends(w, &h, "last");
	h = header(VSOCK_OP_SHUTDOWN, port, GUEST_PORT, 0);
	h.flags = VSOCK_SHUT_SEND;
	sends(w, &h, NULL);
	hears(fd, "last", 4);
	hears_end(fd);
	say(fd, "still here"); /* that direction is open */
	gets_op(w, VSOCK_OP_RW, &p);
	assert_int_equal(p.h.len, 10);
	close(fd);
	gets_both_shut(w);
	sends_op(w, VSOCK_OP_RST, port);
}

static void guest_stops_reading(void **state)
{
	struct world *w = *state;
	int fd;
	uint32_t port = open_from_host(w, &fd);
	struct vsock_header h = header(VSOCK_OP_SHUTDOWN, port, GUEST_PORT, 0);
	struct packet p;

	h.flags = VSOCK_SHUT_RCV;
	sends(w, &h, NULL);
	gets_op(w, VSOCK_OP_SHUTDOWN, &p);
	assert_int_equal(p.h.flags, VSOCK_SHUT_SEND);
	assert_int_equal(send(fd, "x", 1, MSG_NOSIGNAL), -1);
	h = header(VSOCK_OP_RW, port, GUEST_PORT, 2);
	sends(w, &h, "go");
	hears(fd, "go", 2);
	close(fd);
}

static void client_half_closes(void **state)
{
	struct world *w = *state;
	int fd;
	uint32_t port = open_from_host(w, &fd);
	struct vsock_header h = header(VSOCK_OP_RW, port, GUEST_PORT, 6);
	struct packet p;

	say(fd, "question");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	gets_op(w, VSOCK_OP_RW, &p);
	gets_op(w, VSOCK_OP_SHUTDOWN, &p);
	assert_int_equal(p.h.flags, VSOCK_SHUT_SEND);
	sends(w, &h, "answer");
	hears(fd, "answer", 6);
	h = header(VSOCK_OP_SHUTDOWN, port, GUEST_PORT, 0);
	h.flags = VSOCK_SHUT_BOTH;
	sends(w, &h, NULL);
	gets_op(w, VSOCK_OP_RST, &p);
	hears_end(fd);
	close(fd);
}

/* One that says its piece and is gone: all of it is for the guest. */
static void client_leaves_early(void **state)
{
	struct world *w = *state;
	int fd = connect_to(w->path);
	struct packet p;
	uint32_t port;

	say(fd, "CONNECT 52\nnote");
	close(fd);
	gets_op(w, VSOCK_OP_REQUEST, &p);
	port = p.h.src_port;
	sends_op(w, VSOCK_OP_RESPONSE, port);
	do
		gets(w, &p);
	while (p.h.op == VSOCK_OP_SHUTDOWN && p.h.flags == VSOCK_SHUT_RCV);
	assert_int_equal(p.h.op, VSOCK_OP_RW);
	assert_memory_equal(p.data, "note", 4);
	gets_both_shut(w);
	sends_op(w, VSOCK_OP_RST, port);
	rig_nap();
	assert_int_equal(w->vsock.conns.used, 0);
}

static void two_at_once(void **state)
{
	struct world *w = *state;
	struct packet p;
	int a, b;
	uint32_t pa = open_from_host(w, &a), pb = open_from_host(w, &b);

	assert_int_not_equal(pa, pb);
	say(a, "a");
	gets_op(w, VSOCK_OP_RW, &p);
	assert_int_equal(p.h.src_port, pa);
	say(b, "b");
	gets_op(w, VSOCK_OP_RW, &p);
	assert_int_equal(p.h.src_port, pb);
	sends_op(w, VSOCK_OP_RST, pa);
	hears_end(a);
	say(b, "b still");
	gets_op(w, VSOCK_OP_RW, &p);
	assert_int_equal(p.h.src_port, pb);
	close(a);
	close(b);
}

static void driver_resets(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;
	int fd, waits = connect_to(w->path), said;
	uint32_t id = 99, len;
	struct packet p;

	open_from_host(w, &fd);
	reg_set(r, 20, 1, 0);
	hears_end(fd); /* at once, not when there is a driver again */
	close(fd);
	say(waits, "CONNECT 52\n");
	said = connect_to(w->path); /* waits in the backlog meanwhile */
	say(said, "CONNECT 52\n");
	rig_start(r, FEATURES, VSOCK_QUEUES);
	offers_rx(w);
	/* Before anything else the driver hears that it lost connections. */
	rig_nap();
	assert_int_equal(gmem_write(&r->mem, at(EVENT_AT), &id, sizeof(id)), 0);
	rig_desc(r, RIG_DESC(VSOCK_EVENT), 0, EVENT_AT, 64, VRING_DESC_WRITE,
		 0);
	rig_offer(r, VSOCK_EVENT, 0);
	rig_kick(r, VSOCK_EVENT);
	assert_true(rig_wait(r, VSOCK_EVENT, &len));
	assert_int_equal(len, sizeof(id));
	assert_int_equal(gmem_read(&r->mem, at(EVENT_AT), &id, sizeof(id)), 0);
	assert_int_equal(id, VSOCK_EVENT_TRANSPORT_RESET);
	gets_op(w, VSOCK_OP_REQUEST, &p);
	gets_op(w, VSOCK_OP_REQUEST, &p);
	close(waits);
	close(said);
}

static void stop_and_cont(void **state)
{
	struct world *w = *state;
	int fd, other;
	uint32_t port = open_from_host(w, &fd);
	struct packet p;

	(void)port;
	vsock_pause(&w->vsock);
	say(fd, "while stopped");
	other = connect_to(w->path);
	say(other, "CONNECT 53\n");
	gets_nothing(w);
	vsock_resume(&w->vsock);
	gets(w, &p);
	assert_true(p.h.op == VSOCK_OP_RW || p.h.op == VSOCK_OP_REQUEST);
	gets(w, &p);
	assert_true(p.h.op == VSOCK_OP_RW || p.h.op == VSOCK_OP_REQUEST);
	close(fd);
	close(other);
}

static void dialer_dies(void **state)
{
	struct world *w = *state;
	struct packet p;
	int fd;

	/* As if: shut, our end says that nobody is at the other one. */
	assert_int_equal(shutdown(w->vsock.dial_fd, SHUT_RDWR), 0);
	sends_op(w, VSOCK_OP_REQUEST, 77);
	gets_op(w, VSOCK_OP_RST, &p);
	sends_op(w, VSOCK_OP_REQUEST, 77);
	gets_op(w, VSOCK_OP_RST, &p);
	open_from_host(w, &fd); /* all else goes on */
	close(fd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(configuration),	  TEST(client_to_guest),
		TEST(guest_refuses),	  TEST(guest_to_server),
		TEST(guest_room_is_kept), TEST(host_room_is_told),
		TEST(slow_client),	  TEST(last_bytes_arrive),
		TEST(guest_half_closes),  TEST(guest_stops_reading),
		TEST(client_half_closes), TEST(client_leaves_early),
		TEST(two_at_once),	  TEST(driver_resets),
		TEST(stop_and_cont),	  TEST(dialer_dies),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
