/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker: a thread that serves one queue. It sleeps in read(2) on an eventfd
 * that the guest rings (a doorbell that KVM signals) and then calls run, which
 * works until nothing is left or worker_held says that it is wanted back. With
 * worker_watch and worker_wake_at it sleeps in ppoll(2), on a descriptor of its
 * own as well, or until a moment. A worker starts out held. It takes no lock
 * but its own, and that one only between runs, so whoever holds the bus lock
 * may wait for it.
 */
#ifndef CARREL_DEVICES_WORKER_H
#define CARREL_DEVICES_WORKER_H

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "vmm/num.h"

#define WORKER_NAME 16 /* what the kernel keeps of a thread's name */

/*
 * enter runs first in each worker, before it has looked at anything from the
 * guest: the place for a system call filter, which role names. It must not
 * return without one if one is wanted. NULL: nothing.
 */
struct worker_hooks {
	void (*enter)(void *ctx, int role);
	void *ctx;
	int role;
};

struct worker {
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	unsigned holds;
	bool busy, quit;
	_Atomic(bool) held; /* holds or quit, for run to look at */
	int kick_fd; /* eventfd */
	struct pollfd watch; /* the thread's own; fd -1: nothing */
	uint64_t wake_ns; /* the thread's own, by clock_ns; 0: never */
	char name[WORKER_NAME];
	void (*run)(void *ctx);
	void (*wait)(void *ctx, bool held); /* NULL: reads kick_fd */
	void *ctx;
	struct worker_hooks hooks;
};

/*
 * Starts the thread and returns once enter has run in it. All signals are
 * blocked in it: they are the main thread's.
 */
int worker_open(struct worker *w, const char *name, void (*run)(void *ctx),
		void *ctx, const struct worker_hooks *hooks) MUST_USE;
void worker_close(struct worker *w);

/* Counted. hold returns when run is not running and will not be started. */
void worker_hold(struct worker *w);

/* The last release runs once, in case a kick came in the meantime. */
void worker_release(struct worker *w);

/*
 * For a worker that waits for more than kicks, before its first release: wait
 * sleeps in the place of the read, takes the kick, and may do whatever needs
 * no guest memory, since nobody who holds the worker waits for it. With held
 * it is to return for a kick alone.
 */
void worker_set_wait(struct worker *w, void (*wait)(void *ctx, bool held));

/* What the read does: a wait that has been told of a kick, or is held. */
void worker_take_kick(const struct worker *w);

/* Something may be there to do: from any thread. */
void worker_kick(const struct worker *w);

/*
 * From run: what else is to wake it, once (POLLIN, POLLOUT). -1: nothing, as
 * before the first call.
 */
static inline void worker_watch(struct worker *w, int fd, short events)
{
	w->watch = (struct pollfd){ .fd = fd, .events = events };
}

/* Likewise, a moment by clock_ns at which it runs anyway. */
static inline void worker_wake_at(struct worker *w, uint64_t ns)
{
	w->wake_ns = ns;
}

static inline bool worker_held(const struct worker *w)
{
	return atomic_load_explicit(&w->held, memory_order_relaxed);
}

#endif
