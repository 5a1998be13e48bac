/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_kernel: see the header. The kernel tells nobody that a tap was deleted
 * (a waiter for frames is woken, and one that waits for no frames is not), so
 * the worker looks once a second.
 */
#include "devices/net_kernel.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "devices/vhost_ring.h"
#include "vmm/log.h"

#define DEVICE "/dev/vhost-net"
#define LOOK_MS 1000

static struct net *of_vdev(struct vdev *d)
{
	static_assert(offsetof(struct net, vdev) == 0, "cast");

	return (struct net *)d;
}

static int open_files(struct net *n, struct net_kernel *k, const char **why)
{
	int rc = 0;

	k->err_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	*why = "an eventfd";
	if (k->err_fd < 0)
		return -errno;
	for (unsigned i = 0; !rc && i < n->n_pairs; i++)
		rc = vhost_kernel_open(&k->pair[i], DEVICE, n->board->mem, why);
	return rc;
}

int net_kernel_open(struct net *n, const struct net_config *cfg)
{
	struct net_kernel *k;
	const char *why;
	int rc;

	if (cfg->vhost == VHOST_OFF)
		return 0;
	k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	for (unsigned i = 0; i < NET_PAIRS; i++)
		k->pair[i].fd = -1;
	n->kernel = k;
	rc = open_files(n, k, &why);
	if (!rc)
		return 0;
	net_kernel_close(n);
	if (cfg->vhost == VHOST_ON) {
		vhost_kernel_refused(cfg->id, DEVICE, why, "vhost_net", rc);
		return rc;
	}
	log_info("%s: no vhost-net (" DEVICE " %s: %s): carrel serves the tap "
		 "itself",
		 cfg->id, why, strerror(-rc));
	return 0;
}

int net_kernel_wire(struct net *n)
{
	const unsigned queues = 2 * n->n_pairs;
	struct net_kernel *k = n->kernel;
	int rc = vhost_bells_open(&n->vdev, queues);

	for (unsigned i = 0; !rc && i < queues; i++)
		rc = vhost_kernel_wire(&k->pair[i / 2], i % 2,
				       n->vdev.queue[i].kick_fd,
				       n->vdev.queue[i].call_fd, k->err_fd);
	return rc;
}

void net_kernel_close(struct net *n)
{
	struct net_kernel *k = n->kernel;

	if (!k)
		return;
	vhost_bells_close(&n->vdev);
	for (unsigned i = 0; i < NET_PAIRS; i++)
		vhost_kernel_close(&k->pair[i]);
	if (k->err_fd >= 0)
		close(k->err_fd);
	free(k);
	n->kernel = NULL;
}

void net_kernel_opened(struct net *n, unsigned i)
{
	struct net_kernel *k = n->kernel;

	vhost_bell_empty(k->err_fd);
	if (i >= 2 * n->n_pairs)
		return;
	CHECK(!k->runs[i]);
	k->base[i] = 0;
	vhost_bell_empty(n->vdev.queue[i].call_fd);
}

/* Is a queue of a tap's gone for good? */
static bool tap_gone(const struct net_end *e)
{
	struct pollfd p = { .fd = e->fd };

	return poll(&p, 1, 0) > 0 && p.revents & POLLERR;
}

static int stop(struct net *n, unsigned i)
{
	struct net_kernel *k = n->kernel;
	const struct vhost_kernel *v = &k->pair[i / 2];
	int rc;

	if (!k->runs[i])
		return 0;
	k->runs[i] = false;
	rc = vhost_kernel_tap(v, i % 2, -1);
	return rc ? rc : vhost_kernel_base(v, i % 2, &k->base[i]);
}

int net_kernel_rest(struct net *n, unsigned i)
{
	int rc = stop(n, 2 * i);

	return rc ? rc : stop(n, 2 * i + 1);
}

/* -EBADFD: the tap is gone; others break the device. */
static int start(struct net *n, unsigned i)
{
	struct net_pair *p = n->pair[i / 2];
	struct net_kernel *k = n->kernel;
	const struct vhost_kernel *v = &k->pair[i / 2];
	struct vhost_place at = { .base = k->base[i] };
	bool to_guest = i % 2 == 0;
	int rc = vhost_ring_place(&n->vdev, i, &at);

	if (rc)
		return rc;
	if (to_guest && p->rx.fresh)
		rc = net_rx_drain(&p->rx);
	if (!rc)
		rc = vhost_kernel_place(v, i % 2, &at);
	if (!rc)
		rc = vhost_kernel_tap(v, i % 2, p->end->fd);
	if (rc)
		return tap_gone(p->end) ? -EBADFD : rc;
	k->runs[i] = true;
	/* What the guest offered in the meantime rang for nobody. */
	vdev_ring(&n->vdev, i);
	return 0;
}

static bool passes(const struct net *n)
{
	return atomic_load(&n->link.up) && !atomic_load(&n->link.lost);
}

/* The guest may ring for others, too. */
static bool is_used(const struct net *n, unsigned i)
{
	return atomic_load(&n->pair[i / 2]->on) && n->vdev.queue[i].enabled;
}

/* Rings that are to be with the kernel are, and others are not. */
static int follow(struct net *n)
{
	int rc = 0;

	for (unsigned i = 0; !rc && i < 2 * n->n_pairs; i++) {
		struct net_pair *p = n->pair[i / 2];
		bool used = is_used(n, i);

		if (used && passes(n)) {
			if (!n->kernel->runs[i])
				rc = start(n, i);
			continue;
		}
		rc = stop(n, i);
		if (used && i % 2 == 0)
			p->rx.fresh = true; /* what comes now is dropped */
	}
	return rc;
}

/* The link is down: what the guest sends goes nowhere. */
static int drop_sent(struct net *n)
{
	int rc = 0;

	for (unsigned i = 1; !rc && i < 2 * n->n_pairs; i += 2) {
		struct vqueue *q = &n->vdev.queue[i];
		struct net_pair *p = n->pair[i / 2];

		if (n->kernel->runs[i] || !is_used(n, i))
			continue;
		vhost_bell_empty(q->kick_fd);
		virtq_seek(&q->ring, n->kernel->base[i]);
		rc = net_tx_serve(&p->tx, q);
		n->kernel->base[i] = q->ring.taken;
	}
	return rc;
}

static struct vqueue *control_of(struct net *n)
{
	struct vqueue *q = &n->vdev.queue[net_pairs(n) * 2];

	return n->vdev.accepted & NET_F_CTRL_VQ && q->enabled ? q : NULL;
}

static int answer(struct net *n)
{
	struct vqueue *q = control_of(n);

	if (!q)
		return 0;
	if (q->kick_fd >= 0)
		vhost_bell_empty(q->kick_fd);
	return vdev_serve(q);
}

/* Sleeps until there may be something to do. -EBADFD: the tap is gone. */
static int watch(struct net *n)
{
	const struct vqueue *control = control_of(n);
	struct worker *w = vdev_worker(&n->vdev, 0);
	bool lost = atomic_load(&n->link.lost);
	struct pollfd p[3 + 2 * NET_PAIRS] = {
		{ .fd = w->kick_fd, .events = POLLIN },
		{ .fd = n->kernel->err_fd, .events = POLLIN },
		{ .fd = control ? control->kick_fd : -1, .events = POLLIN },
	};
	nfds_t len = 3;

	for (unsigned i = 0; i < n->n_pairs; i++) {
		if (!lost && atomic_load(&n->pair[i]->on))
			p[len++] = (struct pollfd){ .fd = n->pair[i]->end->fd };
		if (!passes(n) && is_used(n, 2 * i + 1))
			p[len++] = (struct pollfd){
				.fd = n->vdev.queue[2 * i + 1].kick_fd,
				.events = POLLIN,
			};
	}
	if (poll(p, len, lost ? -1 : LOOK_MS) <= 0)
		return 0;
	if (p[0].revents)
		worker_take_kick(w);
	if (p[1].revents)
		vhost_bell_empty(n->kernel->err_fd);
	/* The kernel complains of a tap that is gone, too: that comes first. */
	while (len-- > 3)
		if (p[len].revents & POLLERR)
			return -EBADFD;
	if (p[1].revents && !lost)
		vdev_break(&n->vdev, VHOST_CONFUSED);
	return 0;
}

/* What is settled before any ring runs. */
static int begin(struct net *n)
{
	const uint64_t features = n->vdev.accepted & NET_KERNEL_FEATURES;
	int rc = atomic_load(&n->link.lost) ? 0 : net_settle(n);

	for (unsigned i = 0; !rc && i < n->n_pairs; i++)
		rc = vhost_kernel_accept(&n->kernel->pair[i], features);
	return rc;
}

/* One error is no reason to leave others with the kernel. */
static int stop_all(struct net *n)
{
	int rc = 0;

	for (unsigned i = 0; i < 2 * n->n_pairs; i++) {
		int one = stop(n, i);

		rc = rc ? rc : one;
	}
	return rc;
}

static int round_of(struct net *n)
{
	int rc = answer(n);

	if (!rc)
		rc = follow(n);
	if (!rc && !passes(n))
		rc = drop_sent(n);
	return rc ? rc : watch(n);
}

/* As long as this runs the kernel serves the guest. */
int net_kernel_serve(struct vdev *d)
{
	struct net *n = of_vdev(d);
	int rc = begin(n), stopped;

	while (!vdev_wanted_back(&d->queue[0])) {
		if (!rc)
			rc = round_of(n);
		if (!rc)
			continue;
		if (rc != -EBADFD || atomic_load(&n->link.lost))
			break;
		net_link_lose(n, rc);
		rc = 0;
	}
	stopped = stop_all(n);
	rc = rc ? rc : stopped;
	if (rc && rc != -EFAULT)
		vdev_break(d, VHOST_REFUSED);
	return rc;
}
