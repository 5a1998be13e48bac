/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhost_ring: see the header.
 */
#include "devices/vhost_ring.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

int vhost_bells_open(struct vdev *d, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct vqueue *q = &d->queue[i];

		q->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		q->call_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (q->kick_fd < 0 || q->call_fd < 0)
			return -errno;
	}
	return 0;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void vhost_bells_close(struct vdev *d)
{
	for (unsigned i = 0; i < d->n_queues; i++) {
		close_one(&d->queue[i].kick_fd);
		close_one(&d->queue[i].call_fd);
	}
}

void vhost_bell_empty(int fd)
{
	uint64_t n;

	(void)!read(fd, &n, sizeof(n));
}

void vhost_ring_wait(void *ctx, bool held)
{
	const struct vqueue *q = ctx;

	(void)held;
	worker_take_kick(&q->worker);
}

static int part(const struct vdev *d, gpa_t at, uint64_t len, uint64_t *uaddr)
{
	struct iovec iov;
	int rc = gmem_iov(d->mem, at, len, true, &iov);

	*uaddr = 0;
	return rc ? -EFAULT : gmem_uaddr(d->mem, at, len, uaddr);
}

int vhost_ring_place(const struct vdev *d, unsigned i, struct vhost_place *at)
{
	const struct virtq_setup *s = &d->queue[i].setup;
	int rc = part(d, s->desc, 16ull * s->size, &at->desc);

	at->size = s->size;
	if (!rc)
		rc = part(d, s->avail, 6 + 2ull * s->size, &at->avail);
	return rc ? rc : part(d, s->used, 6 + 8ull * s->size, &at->used);
}

bool vhost_ring_reachable(const struct vdev *d, unsigned i)
{
	struct vhost_place at;

	return !vhost_ring_place(d, i, &at);
}
