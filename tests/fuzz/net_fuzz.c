/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_fuzz: the input is what a peer sends and guest memory with two rings, a
 * receive and a transmit queue, served in this thread. Whatever both say, the
 * peer gets whole frames of lengths that exist.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/net_rx.h"
#include "devices/net_tx.h"
#include "devices/passt.h"
#include "tests/bare_board.h"
#include "vmm/clock.h"

#define RAM (64 * KIB)
#define QUEUE 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct world {
	struct bare_board board;
	struct vdev dev;
	struct net_rx rx;
	struct net_tx tx;
	struct limit limit;
	_Atomic(bool) up;
};

static void no_interrupt(void *ctx, const struct vqueue *q)
{
	(void)ctx;
	(void)q;
}

static const struct vdev_ops ops = { .name = "net", .type = VIRTIO_TYPE_NET };

/* A frame or two, then they wait. */
static const struct rates no_limit, few = { .ops = 1, .ops_burst = 2 };

static struct world *world_open(void)
{
	struct world *w = calloc(1, sizeof(*w));

	CHECK(w);
	bare_board_open(&w->board, RAM);
	CHECK(!vdev_open(&w->dev, &ops, "net", &w->board.mem, 0, false, 2,
			 NULL));
	w->dev.transport.queue_interrupt = no_interrupt;
	/* The threads wait for a driver that never comes: we are both. */
	for (unsigned i = 0; i < 2; i++)
		atomic_store(&w->dev.queue[i].worker.held, false);
	w->rx.up = w->tx.up = &w->up;
	limit_open(&w->limit);
	w->rx.tally.limit = w->tx.tally.limit = &w->limit;
	return w;
}

static void ring(struct world *w, unsigned i, uint64_t base)
{
	const struct virtq_setup at = {
		QUEUE, { base }, { base + 0x200 }, { base + 0x300 }
	};

	CHECK(!virtq_open(&w->dev.queue[i].ring, &w->board.mem, &at,
			  VIRTIO_F_INDIRECT_DESC));
}

static void check_stream(int fd)
{
	static uint8_t b[4 * MIB];
	size_t n = 0, at = 0, frame;
	ssize_t got;

	while ((got = recv(fd, b + n, sizeof(b) - n, MSG_DONTWAIT)) > 0)
		n += (size_t)got;
	while (at < n) {
		int rc = passt_frame(b + at, n - at, &frame);

		/* The last may be there in part: its rest waits for room. */
		CHECK(rc >= 0);
		if (!rc)
			return;
		at += PASST_LENGTH_BYTES + frame;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct world *w;
	struct net_end *end;
	size_t said;
	int fd[2];

	if (!w)
		w = world_open();
	if (len < 2)
		return 0;
	said = (size_t)min_u64(data[1] * 4u, len - 2);
	w->up = !(data[0] & 2);
	w->dev.accepted = data[0] & 4 ? NET_F_CSUM | NET_F_HOST_TSO4 : 0;
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd));
	CHECK(!passt_adopt(&end, fd[0]));
	w->rx.end = w->tx.end = end;
	limit_set(&w->limit, data[0] & 16 ? &few : &no_limit, clock_ns());
	net_rx_opened(&w->rx,
		      (data[0] & 1 ? NET_F_MRG_RXBUF : 0) |
			      (data[0] & 8 ? NET_F_MTU : 0),
		      1500);
	w->rx.fresh = false;
	CHECK(!gmem_fill(&w->board.mem, (gpa_t){ 0 }, 0, RAM));
	CHECK(!gmem_load(&w->board.mem, (gpa_t){ 0 }, data + 2 + said,
			 (size_t)min_u64(len - 2 - said, RAM)));
	CHECK(send(fd[1], data + 2, said, 0) == (ssize_t)said);
	ring(w, 0, 0);
	ring(w, 1, 0x400);
	(void)!net_rx_serve(&w->rx, &w->dev.queue[0]);
	CHECK(w->rx.first_span + w->rx.n_spans <= NET_RX_SPANS);
	if (!net_tx_serve(&w->tx, &w->dev.queue[1]))
		check_stream(fd[1]);
	end->ops->close(end);
	close(fd[1]);
	return 0;
}
