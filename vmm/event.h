/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event: the main thread's epoll loop. Handlers run one at a time in that
 * thread and must not block; a handler may add and remove any source, its own
 * included.
 */
#ifndef CARREL_VMM_EVENT_H
#define CARREL_VMM_EVENT_H

#include <stdint.h>
#include <sys/epoll.h>

#include "vmm/num.h"

#define EVENT_MAX 256

/* events: EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR as epoll gives them. */
typedef void event_fn(void *ctx, int fd, uint32_t events);

struct event_source {
	int fd; /* -1: free */
	uint32_t gen; /* stale events of a closed descriptor are dropped */
	event_fn *fn;
	void *ctx;
};

struct event {
	int epoll_fd;
	bool stop;
	struct event_source src[EVENT_MAX];
};

int event_open(struct event *e) MUST_USE;
void event_close(struct event *e); /* closes no source's descriptor */

/* One source a descriptor: -EEXIST, -ENOSPC. */
int event_add(struct event *e, int fd, uint32_t events, event_fn *fn,
	      void *ctx) MUST_USE;
int event_change(struct event *e, int fd, uint32_t events) MUST_USE;
void event_remove(struct event *e, int fd); /* before close(fd) */

/*
 * An eventfd's or a timer's count is taken, so that it is quiet until the next;
 * false: it was.
 */
bool event_take(int fd);

/* Runs handlers until event_stop; 0, or -errno of epoll. */
int event_run(struct event *e) MUST_USE;
void event_stop(struct event *e); /* main thread only */

#endif
