/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vsock_refusal_test: what a hostile guest sends breaks the device or resets
 * the connection, what a hostile client says ends that client; everybody else
 * goes on.
 */
#include "tests/unit/vsock_rig.h"

#include <signal.h>

#include "tests/unit/capture.h"

/* Chains that make no sense: the device needs a reset. */
struct malformed {
	const char *name;
	unsigned queue;
	uint64_t addr;
	uint32_t len, flags;
	uint32_t payload; /* that the header claims */
};

static void breaks(void **state)
{
	static const struct malformed table[] = {
		{ "no header", VSOCK_TX, TX_AT, 43, 0, 0 },
		{ "one byte", VSOCK_TX, TX_AT, 1, 0, 0 },
		{ "less payload than said", VSOCK_TX, TX_AT, 50, 0, 7 },
		{ "payload to the end", VSOCK_TX, TX_AT, 50, 0, 0xffffffff },
		{ "to write", VSOCK_TX, TX_AT, 64, VRING_DESC_WRITE, 0 },
		{ "not in memory", VSOCK_TX, RIG_RAM, 64, 0, 0 },
		{ "over the end", VSOCK_TX, RIG_RAM - 4, 64, 0, 0 },
		{ "no room for a header", VSOCK_RX, RX_AT, 43, 2, 0 },
		{ "no room behind it", VSOCK_RX, RX_AT, 44, 2, 0 },
		{ "to read", VSOCK_RX, RX_AT, 4096, 0, 0 },
		{ "rx not in memory", VSOCK_RX, RIG_RAM, 4096, 2, 0 },
	};
	struct world *w = *state;
	struct rig *r = &w->rig;
	struct capture quiet = capture_begin();
	char text[4096];

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const struct malformed *t = &table[i];
		struct vsock_header h =
			header(VSOCK_OP_CREDIT_REQUEST, 1, 2, t->payload);
		uint32_t len;
		int fd = -1;

		rig_start(r, FEATURES, VSOCK_QUEUES);
		assert_int_equal(gmem_write(&r->mem, at(TX_AT), &h, sizeof(h)),
				 0);
		rig_desc(r, RIG_DESC(t->queue), 0, t->addr, t->len, t->flags,
			 0);
		rig_offer(r, (uint16_t)t->queue, 0);
		if (t->queue == VSOCK_RX) { /* used once there is a packet */
			fd = connect_to(w->path);
			say(fd, "CONNECT 52\n");
		}
		rig_kick(r, (uint16_t)t->queue);
		if (rig_wait(r, (uint16_t)t->queue, &len))
			fail_msg("%s: answered", t->name);
		if (rig_status(r) != (15 | VIRTIO_S_NEEDS_RESET))
			fail_msg("%s: status %x", t->name, rig_status(r));
		if (fd >= 0) {
			hears_end(fd);
			close(fd);
		}
	}
	capture_end(&quiet, text, sizeof(text));
}

/* Packets that nobody is there for: answered by RST, and by nothing worse. */
struct stray {
	const char *name;
	unsigned op, type;
	uint64_t dst_cid;
};

static void resets_strays(void **state)
{
	static const struct stray table[] = {
		{ "data", VSOCK_OP_RW, 1, 2 },
		{ "a response", VSOCK_OP_RESPONSE, 1, 2 },
		{ "an end", VSOCK_OP_SHUTDOWN, 1, 2 },
		{ "credit", VSOCK_OP_CREDIT_UPDATE, 1, 2 },
		{ "asks for credit", VSOCK_OP_CREDIT_REQUEST, 1, 2 },
		{ "no operation", VSOCK_OP_INVALID, 1, 2 },
		{ "unknown operation", VSOCK_OPS, 1, 2 },
		{ "operation 65535", 65535, 1, 2 },
		{ "sequential packets", VSOCK_OP_REQUEST, 2, 2 },
		{ "type 0", VSOCK_OP_REQUEST, 0, 2 },
		{ "another guest", VSOCK_OP_REQUEST, 1, 8 },
		{ "itself", VSOCK_OP_REQUEST, 1, CID },
		{ "a long address", VSOCK_OP_REQUEST, 1, 1ull << 32 | 2 },
	};
	struct world *w = *state;
	struct packet p;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const struct stray *t = &table[i];
		struct vsock_header h = header(t->op, 77, GUEST_PORT, 0);

		h.type = (uint16_t)t->type;
		h.dst_cid = t->dst_cid;
		sends(w, &h, NULL);
		gets(w, &p);
		if (p.h.op != VSOCK_OP_RST || p.h.src_cid != t->dst_cid ||
		    p.h.src_port != 77 || p.h.dst_port != GUEST_PORT ||
		    p.h.type != t->type)
			fail_msg("%s: op %u", t->name, p.h.op);
	}
	/* Not from it, and nobody's business: no answer. */
	struct vsock_header h = header(VSOCK_OP_REQUEST, 77, GUEST_PORT, 0);

	h.src_cid = CID + 1;
	sends(w, &h, NULL);
	sends_op(w, VSOCK_OP_RST, 77);
	gets_nothing(w);
	assert_int_equal(w->vsock.conns.used, 0);
}

static void nobody_listens(void **state)
{
	struct world *w = *state;
	struct capture text = capture_begin();
	struct packet p;
	char line[512];

	sends_op(w, VSOCK_OP_REQUEST, 78);
	gets_op(w, VSOCK_OP_RST, &p);
	capture_end(&text, line, sizeof(line));
	assert_non_null(strstr(line, "port 78 is refused"));
	assert_non_null(strstr(line, "No such file"));
	assert_int_equal(p.h.src_port, 78);
}

/* On a connection that is open: it is reset, and the client's end with it. */
struct breach {
	const char *name;
	unsigned op;
	uint32_t flags, len;
};

static void resets_breaches(void **state)
{
	static uint8_t data[VSOCK_BUF + 1];
	static const struct breach table[] = {
		{ "more than there is room for", VSOCK_OP_RW, 0,
		  VSOCK_BUF + 1 },
		{ "asked again", VSOCK_OP_REQUEST, 0, 0 },
		{ "answered again", VSOCK_OP_RESPONSE, 0, 0 },
	};
	struct world *w = *state;
	struct packet p;
	int fd;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		uint32_t port = open_from_host(w, &fd);
		struct vsock_header h =
			header(table[i].op, port, GUEST_PORT, table[i].len);

		sends(w, &h, data);
		gets(w, &p);
		if (p.h.op != VSOCK_OP_RST)
			fail_msg("%s: %u", table[i].name, p.h.op);
		hears_end(fd);
		close(fd);
	}
}

static void data_after_the_end(void **state)
{
	struct world *w = *state;
	int fd;
	uint32_t port = open_from_host(w, &fd);
	struct vsock_header h = header(VSOCK_OP_SHUTDOWN, port, GUEST_PORT, 0);
	struct packet p;

	h.flags = VSOCK_SHUT_SEND | 0xfffffffc;
	sends(w, &h, NULL);
	h = header(VSOCK_OP_RW, port, GUEST_PORT, 4);
	sends(w, &h, "more");
	gets_op(w, VSOCK_OP_RST, &p);
	hears_end(fd);
	close(fd);
}

/* Before the client's connection is accepted, data is a breach, too. */
static void data_before_the_answer(void **state)
{
	struct world *w = *state;
	int fd = connect_to(w->path);
	struct vsock_header h;
	struct packet p;

	say(fd, "CONNECT 52\n");
	gets_op(w, VSOCK_OP_REQUEST, &p);
	h = header(VSOCK_OP_RW, p.h.src_port, GUEST_PORT, 4);
	sends(w, &h, "soon");
	gets_op(w, VSOCK_OP_RST, &p);
	hears_end(fd);
	close(fd);
}

/* Replies are bounded: then the guest's packets wait, and none is lost. */
static void takes_no_more_than_it_answers(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;
	const unsigned sent = VSOCK_ORPHANS + 2 * RIG_QUEUE;
	struct vsock_header h = header(VSOCK_OP_RW, 77, GUEST_PORT, 0);
	unsigned taken = 0, got = 0, offered = 0;
	struct packet p;
	uint16_t idx;
	uint32_t len;

	assert_int_equal(gmem_write(&r->mem, at(TX_AT), &h, sizeof(h)), 0);
	for (unsigned i = 0; i < RIG_QUEUE; i++)
		rig_desc(r, RIG_DESC(VSOCK_TX), i, TX_AT, sizeof(h), 0, 0);
	while (taken < VSOCK_ORPHANS) {
		for (; offered < taken + RIG_QUEUE; offered++)
			rig_offer(r, VSOCK_TX, (uint16_t)(offered % RIG_QUEUE));
		rig_kick(r, VSOCK_TX);
		assert_true(rig_wait(r, VSOCK_TX, &len));
		taken++;
	}
	rig_nap();
	assert_int_equal(gmem_load16(&r->mem, at(RIG_USED(VSOCK_TX) + 2), &idx),
			 0);
	assert_int_equal(idx, VSOCK_ORPHANS);
	for (; offered < sent && offered < taken + RIG_QUEUE; offered++)
		rig_offer(r, VSOCK_TX, (uint16_t)(offered % RIG_QUEUE));
	while (got < offered) {
		gets_op(w, VSOCK_OP_RST, &p);
		got++;
	}
	gets_nothing(w);
}

static void turns_clients_away(void **state)
{
	static const char *const lines[] = {
		"HELLO 1\n",
		"CONNECT\n",
		"CONNECT x\n",
		"CONNECT 4294967296\n",
		"no end of a line in so many bytes",
	};
	struct world *w = *state;
	struct capture quiet = capture_begin();
	char text[2048];
	int fd;

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		fd = connect_to(w->path);
		say(fd, lines[i]);
		hears_end(fd);
		close(fd);
	}
	/* One that leaves in the middle of its line, or before. */
	fd = connect_to(w->path);
	say(fd, "CONNECT 5");
	shutdown(fd, SHUT_WR);
	hears_end(fd);
	close(fd);
	close(connect_to(w->path));
	open_from_host(w, &fd);
	close(fd);
	capture_end(&quiet, text, sizeof(text));
	assert_non_null(strstr(text, "not CONNECT and a port"));
}

/* Those who say nothing cannot keep the others out for ever. */
static void silent_clients_wait_in_line(void **state)
{
	struct world *w = *state;
	int silent[VSOCK_LINES], fd, i;
	struct packet p;

	for (i = 0; i < VSOCK_LINES; i++)
		silent[i] = connect_to(w->path);
	for (i = 0; i < 25000 && w->vsock.lines < VSOCK_LINES; i++)
		rig_nap();
	assert_int_equal(w->vsock.lines, VSOCK_LINES);
	fd = connect_to(w->path);
	say(fd, "CONNECT 52\n");
	gets_nothing(w);
	/* The guest's own connections do not wait for them. */
	sends_op(w, VSOCK_OP_REQUEST, 1);
	gets_op(w, VSOCK_OP_RST, &p);
	close(silent[0]); /* as a deadline would */
	gets_op(w, VSOCK_OP_REQUEST, &p);
	for (i = 1; i < VSOCK_LINES; i++)
		close(silent[i]);
	close(fd);
}

static void no_more_than_there_is_room_for(void **state)
{
	static int fd[VSOCK_CONNS];
	struct world *w = *state;
	struct capture quiet = capture_begin();
	char text[1024];
	struct packet p;
	int extra;

	for (int i = 0; i < VSOCK_CONNS; i++)
		open_from_host(w, &fd[i]);
	extra = connect_to(w->path);
	hears_end(extra);
	close(extra);
	sends_op(w, VSOCK_OP_REQUEST, 1);
	gets_op(w, VSOCK_OP_RST, &p);
	capture_end(&quiet, text, sizeof(text));
	assert_non_null(strstr(text, "too many connections"));
	say(fd[9], "goes on");
	gets_op(w, VSOCK_OP_RW, &p);
	for (int i = 0; i < VSOCK_CONNS; i++)
		close(fd[i]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(breaks),
		TEST(resets_strays),
		TEST(nobody_listens),
		TEST(resets_breaches),
		TEST(data_after_the_end),
		TEST(data_before_the_answer),
		TEST(takes_no_more_than_it_answers),
		TEST(turns_clients_away),
		TEST(silent_clients_wait_in_line),
		TEST(no_more_than_there_is_room_for),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
