/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event: see the header. epoll's user data is {generation, index}: an event
 * that was fetched before its source was removed (or replaced by another one in
 * the same slot) does not match and is dropped.
 */
#include "vmm/event.h"

#include <errno.h>
#include <unistd.h>

#define BATCH 32

int event_open(struct event *e)
{
	*e = (struct event){ .epoll_fd = epoll_create1(EPOLL_CLOEXEC) };
	if (e->epoll_fd < 0)
		return -errno;
	for (size_t i = 0; i < EVENT_MAX; i++)
		e->src[i].fd = -1;
	return 0;
}

void event_close(struct event *e)
{
	close(e->epoll_fd);
	e->epoll_fd = -1;
}

static struct event_source *source_of(struct event *e, int fd)
{
	for (size_t i = 0; i < EVENT_MAX; i++)
		if (e->src[i].fd == fd)
			return &e->src[i];
	return NULL;
}

static struct epoll_event
describe(const struct event *e, const struct event_source *s, uint32_t events)
{
	struct epoll_event ev = { .events = events };

	ev.data.u64 = (uint64_t)s->gen << 32 | (uint64_t)(s - e->src);
	return ev;
}

int event_add(struct event *e, int fd, uint32_t events, event_fn *fn, void *ctx)
{
	struct event_source *s = source_of(e, -1);
	struct epoll_event ev;

	if (fd < 0)
		return -EBADF;
	if (source_of(e, fd))
		return -EEXIST;
	if (!s)
		return -ENOSPC;
	ev = describe(e, s, events);
	if (epoll_ctl(e->epoll_fd, EPOLL_CTL_ADD, fd, &ev))
		return -errno;
	*s = (struct event_source){ fd, s->gen, fn, ctx };
	return 0;
}

int event_change(struct event *e, int fd, uint32_t events)
{
	const struct event_source *s = fd < 0 ? NULL : source_of(e, fd);
	struct epoll_event ev;

	if (!s)
		return -ENOENT;
	ev = describe(e, s, events);
	return epoll_ctl(e->epoll_fd, EPOLL_CTL_MOD, fd, &ev) ? -errno : 0;
}

void event_remove(struct event *e, int fd)
{
	struct event_source *s = fd < 0 ? NULL : source_of(e, fd);

	if (!s)
		return;
	(void)epoll_ctl(e->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	*s = (struct event_source){ .fd = -1, .gen = s->gen + 1 };
}

bool event_take(int fd)
{
	uint64_t n;

	return read(fd, &n, sizeof(n)) == sizeof(n);
}

static void dispatch(struct event *e, const struct epoll_event *ev)
{
	size_t i = (uint32_t)ev->data.u64;
	struct event_source s = e->src[i];

	if (s.fd >= 0 && s.gen == (uint32_t)(ev->data.u64 >> 32))
		s.fn(s.ctx, s.fd, ev->events);
}

int event_run(struct event *e)
{
	struct epoll_event ev[BATCH];

	for (e->stop = false; !e->stop;) {
		int n = epoll_wait(e->epoll_fd, ev, BATCH, -1);

		if (n < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < n && !e->stop; i++)
			dispatch(e, &ev[i]);
	}
	return 0;
}

void event_stop(struct event *e)
{
	e->stop = true;
}
