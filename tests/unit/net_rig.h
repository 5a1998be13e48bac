/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_rig: a network device on the board of virtio_rig whose peer is the test,
 * over a stream socket as passt has one.
 */
#ifndef CARREL_TESTS_UNIT_NET_RIG_H
#define CARREL_TESTS_UNIT_NET_RIG_H

#include "tests/unit/virtio_rig.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "devices/dial.h"
#include "devices/net.h"
#include "devices/passt.h"

#define FEATURES                                                               \
	(VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | NET_F_MAC | NET_F_STATUS)
#define RX 0
#define TX 1
#define HDR 12u
#define W VRING_DESC_WRITE
#define N VRING_DESC_NEXT
#define LINK_AT (VIRTIO_PCI_DEVICE + 6)

struct world {
	struct rig rig;
	struct net_board board;
	struct event ev;
	struct net net;
	char dir[32], path[48];
	int listener, peer;
};

/* A driver; what the peer said before it was ready is gone by then. */
static inline void world_start(struct world *w, uint64_t features)
{
	const volatile bool *fresh = &w->net.pair[0]->rx.fresh;

	rig_start(&w->rig, features, 2);
	for (int i = 0; *fresh && i < 25000; i++)
		rig_nap();
	assert_false(*fresh);
}

static inline int free_to_go(void *ctx)
{
	(void)ctx;
	return 0;
}

static inline void peer_accepts(struct world *w)
{
	struct pollfd p = { .fd = w->listener, .events = POLLIN };

	assert_int_equal(poll(&p, 1, 5000), 1);
	w->peer = accept(w->listener, NULL, NULL);
	assert_true(w->peer >= 0);
}

/* dials: a peer that is gone is asked for again. */
static inline int world_open_with(void **state, bool dials)
{
	static struct world w;
	static const struct worker_hooks hooks = { rig_enter, NULL,
						   JAIL_WORKER };
	static const uint8_t mac[] = { 2, 0, 0, 0, 0, 5 };
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct net_config cfg = { .passt = w.path,
				  .id = "net-test",
				  .mac = mac,
				  .pairs = 1,
				  .dial_fd = -1 };

	w = (struct world){ 0 };
	rig_open(&w.rig);
	assert_int_equal(event_open(&w.ev), 0);
	(void)snprintf(w.dir, sizeof(w.dir), "/tmp/net_test.XXXXXX");
	assert_non_null(mkdtemp(w.dir));
	(void)snprintf(w.path, sizeof(w.path), "%s/socket", w.dir);
	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", w.path);
	w.listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(w.listener, (void *)&a, sizeof(a)), 0);
	assert_int_equal(listen(w.listener, 1), 0);
	w.board = (struct net_board){ &w.rig.pci,  &w.rig.mem, &w.rig.irq,
				      &w.rig.mmio, &w.ev,      &hooks,
				      NULL };
	if (dials)
		assert_int_equal(dial_fork(&cfg.dial_fd, w.path, DIAL_EXACT,
					   free_to_go, NULL),
				 0);
	assert_int_equal(net_attach(&w.net, &cfg, &w.board, RIG_DEVFN), 0);
	peer_accepts(&w);
	rig_place(&w.rig);
	rig_msix(&w.rig, &w.net.pci.msix);
	world_start(&w, FEATURES);
	*state = &w;
	return 0;
}

static inline int world_open(void **state)
{
	return world_open_with(state, false);
}

static inline uint64_t counted(const struct world *w, enum net_counter what)
{
	struct net_counts all;

	net_count(&w->net, &all);
	return all.n[what];
}

static inline int world_close(void **state)
{
	struct world *w = *state;

	net_close(&w->net);
	event_close(&w->ev);
	close(w->peer);
	close(w->listener);
	unlink(w->path);
	rmdir(w->dir);
	rig_close(&w->rig);
	return 0;
}

static inline bool peer_reads(struct world *w, void *to, size_t len)
{
	struct pollfd p = { .fd = w->peer, .events = POLLIN };
	uint8_t *at_byte = to;

	while (len) {
		ssize_t n;

		if (poll(&p, 1, 5000) != 1)
			return false;
		n = recv(w->peer, at_byte, len, MSG_DONTWAIT);
		if (n <= 0)
			return false;
		at_byte += n;
		len -= (size_t)n;
	}
	return true;
}

/* The next frame of the guest's. */
static inline size_t peer_takes(struct world *w, uint8_t *frame)
{
	uint8_t b[4];
	size_t len;

	assert_true(peer_reads(w, b, sizeof(b)));
	len = (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 |
	      b[3];
	assert_true(len <= NET_FRAME_MAX);
	assert_true(peer_reads(w, frame, len));
	return len;
}

/* A frame of len bytes that count from seed on. */
static inline void peer_gives(struct world *w, uint8_t seed, size_t len)
{
	static uint8_t b[4 + NET_FRAME_MAX];

	b[0] = 0;
	b[1] = (uint8_t)(len >> 16);
	b[2] = (uint8_t)(len >> 8);
	b[3] = (uint8_t)len;
	for (size_t i = 0; i < len; i++)
		b[4 + i] = (uint8_t)(seed + i);
	assert_int_equal(send(w->peer, b, 4 + len, 0), 4 + (ssize_t)len);
}

#endif
