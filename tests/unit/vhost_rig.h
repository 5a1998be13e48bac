/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhost_rig: a vhost-user device on the board of virtio_rig, with vhost_peer at
 * the other end of its socket, and a driver.
 */
#ifndef CARREL_TESTS_UNIT_VHOST_RIG_H
#define CARREL_TESTS_UNIT_VHOST_RIG_H

#include <errno.h>
#include <sys/timerfd.h>

#include "devices/dial.h"
#include "devices/vhost_user.h"
#include "tests/unit/vhost_peer.h"

/* Waits up to 10 s for what is to become true. */
#define eventually(what)                                                       \
	do {                                                                   \
		for (int t_ = 0; !(what) && t_ < 50000; t_++)                  \
			rig_nap();                                             \
		assert_true(what);                                             \
	} while (0)

struct world {
	struct rig rig;
	struct event ev;
	struct vhost_board board;
	struct vhost_user dev;
	struct vhost_user_config cfg;
	struct peer peer;
	char dir[32], path[48];
	bool attached, platform;
};

static inline int free_to_go(void *ctx)
{
	(void)ctx;
	return 0;
}

static inline int world_open(void **state)
{
	static struct world w;

	w = (struct world){ .dir = "/tmp/vhost_test.XXXXXX" };
	rig_open(&w.rig);
	assert_int_equal(event_open(&w.ev), 0);
	assert_non_null(mkdtemp(w.dir));
	(void)snprintf(w.path, sizeof(w.path), "%s/s", w.dir);
	peer_open(&w.peer, w.path);
	w.board = (struct vhost_board){ &w.rig.pci,  &w.rig.mem, &w.rig.irq,
					&w.rig.mmio, &w.ev,	 NULL };
	*state = &w;
	return 0;
}

static inline int world_close(void **state)
{
	struct world *w = *state;

	if (w->attached)
		vhost_user_close(&w->dev);
	peer_close(&w->peer);
	event_close(&w->ev);
	rig_close(&w->rig);
	unlink(w->path);
	assert_int_equal(rmdir(w->dir), 0);
	return 0;
}

static inline int attach(struct world *w, const struct vhost_kind *kind,
			 unsigned queues)
{
	int rc;

	w->cfg = (struct vhost_user_config){ .path = w->path,
					     .id = "peer-test",
					     .queues = queues,
					     .cpus = 2,
					     .platform = w->platform };
	if (kind == &vhost_fs)
		w->cfg.tag = "tag";
	assert_int_equal(dial_fork(&w->cfg.dial_fd, w->path, DIAL_EXACT,
				   free_to_go, NULL),
			 0);
	rc = vhost_user_attach(&w->dev, kind, &w->cfg, &w->board, RIG_DEVFN);
	w->attached = !rc;
	return rc;
}

/* A driver, with all that is offered. */
static inline void drive(struct world *w, uint16_t queues)
{
	rig_start(&w->rig, w->dev.vdev.offered, queues);
}

static inline void begin(struct world *w, const struct vhost_kind *kind,
			 unsigned queues)
{
	assert_int_equal(attach(w, kind, queues), 0);
	rig_place(&w->rig);
	rig_msix(&w->rig, &w->dev.pci.msix);
	drive(w, (uint16_t)w->dev.vdev.n_queues);
}

/* Requests that wait for the peer. */
static inline void offer(struct world *w, uint16_t q, unsigned n)
{
	for (uint16_t i = 0; i < n; i++) {
		rig_desc(&w->rig, RIG_DESC(q), i, RIG_DATA, 16, 0, 0);
		rig_offer(&w->rig, q, i);
	}
	rig_kick(&w->rig, q);
}

static inline void served(struct world *w, uint16_t q, unsigned n)
{
	uint32_t len;

	while (n--)
		assert_true(rig_wait(&w->rig, q, &len));
}

static inline bool is_broken(struct world *w)
{
	return rig_status(&w->rig) & VIRTIO_S_NEEDS_RESET;
}

static inline void loop_end(void *ctx, int fd, uint32_t events)
{
	(void)fd;
	(void)events;
	event_stop(ctx);
}

/* Lets the main thread's loop run for a while. */
static inline void world_loop(struct world *w, unsigned ms)
{
	const struct itimerspec t = { .it_value.tv_nsec = ms * 1000000l };
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);

	assert_int_equal(timerfd_settime(fd, 0, &t, NULL), 0);
	assert_int_equal(event_add(&w->ev, fd, EPOLLIN, loop_end, &w->ev), 0);
	w->ev.stop = false;
	assert_int_equal(event_run(&w->ev), 0);
	event_remove(&w->ev, fd);
	close(fd);
}

#endif
