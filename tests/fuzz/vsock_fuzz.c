/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vsock_fuzz: the input is guest memory with a ring of packets to the host and
 * one of buffers for packets to the guest, worked off by the device's own
 * functions in this thread, on connections that clients hold open. Whatever the
 * guest says, its packets stay within bounds and connections are found again.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/vsock_guest.h"
#include "devices/vsock_host.h"
#include "tests/bare_board.h"

#define RAM (64 * KIB)
#define CLIENTS 3
#define ROUNDS 8
#define CID 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct world {
	struct bare_board board;
	struct vsock v;
	int client[CLIENTS];
};

static struct world *world_open(void)
{
	struct world *w = calloc(1, sizeof(*w));

	CHECK(w);
	bare_board_open(&w->board, RAM);
	w->v.vdev.mem = &w->board.mem;
	w->v.cid = CID;
	w->v.path = "fuzz";
	w->v.dial_fd = w->v.listen_fd = w->v.epoll_fd = -1;
	w->v.listening = true; /* there is nothing to be switched */
	w->v.failures = 100; /* nor to be said */
	for (unsigned i = 0; i < VSOCK_QUEUES; i++) {
		w->v.vdev.queue[i].dev = &w->v.vdev;
		w->v.vdev.queue[i].enabled = true;
	}
	return w;
}

/* Host ports 1, 2, 3 and guest port 1; the second asks, the third dials. */
static void clients_open(struct world *w)
{
	static const enum conn_state state[CLIENTS] = { CONN_OPEN, CONN_ASKED,
							CONN_DIALED };

	CHECK(!table_open(&w->v.conns));
	for (unsigned i = 0; i < CLIENTS; i++) {
		int pair[2];
		struct conn *c;

		CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
				  pair));
		w->client[i] = pair[0];
		c = table_new(&w->v.conns, state[i], pair[1]);
		CHECK(c);
		c->readable = c->writable = true;
		table_name(&w->v.conns, c, i + 1, 1);
		CHECK(write(pair[0], "from the host", 13) == 13);
	}
}

/* A device that broke in the middle of a packet has not counted all of it. */
static void clients_close(struct world *w, bool broke)
{
	struct conn *c;

	for (size_t i = 0; i < VSOCK_CONNS; i++) {
		c = &w->v.conns.slot[i];
		if (c->state == CONN_FREE)
			continue;
		CHECK(c->len <= VSOCK_BUF && !c->buf == !c->len);
		CHECK(broke || c->state == CONN_RESET ||
		      c->received - c->given == c->len);
		CHECK(!c->named || table_find(&w->v.conns, c->host_port,
					      c->guest_port) == c);
	}
	table_close(&w->v.conns);
	for (unsigned i = 0; i < CLIENTS; i++)
		close(w->client[i]);
}

/* No transport: nobody is interrupted. */
static void interrupt(void *ctx, const struct vqueue *q)
{
	(void)ctx;
	(void)q;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct virtq_setup at[VSOCK_QUEUES] = {
		{ 16, { 0 }, { 0x200 }, { 0x300 } },
		{ 16, { 0x400 }, { 0x600 }, { 0x700 } },
		{ 16, { 0x800 }, { 0xa00 }, { 0xb00 } },
	};
	static struct world *w;
	bool did = true, broke = false;

	if (!w)
		w = world_open();
	w->v.vdev.transport.queue_interrupt = interrupt;
	CHECK(!gmem_fill(&w->board.mem, (gpa_t){ 0 }, 0, RAM));
	CHECK(!gmem_load(&w->board.mem, (gpa_t){ 0 }, data,
			 (size_t)min_u64(len, RAM)));
	for (unsigned i = 0; i < VSOCK_QUEUES; i++)
		CHECK(!virtq_open(&w->v.vdev.queue[i].ring, &w->board.mem,
				  &at[i], VIRTIO_F_INDIRECT_DESC));
	clients_open(w);
	w->v.event_due = len & 1;
	w->v.orphans = 0;
	for (int i = 0; i < ROUNDS && did && !broke; i++) {
		did = false;
		broke = guest_tell(&w->v) || guest_receive(&w->v, &did) ||
			guest_send(&w->v, &did);
	}
	CHECK(w->v.orphans <= VSOCK_ORPHANS);
	clients_close(w, broke);
	return 0;
}
