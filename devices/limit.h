/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limit: holds the threads of one device, or of one direction of it, to a rate
 * of bytes and one of operations. Each is a bucket that fills by what passes
 * and leaks at the rate: whatever comes may pass while there is room for one
 * unit more, and fills the bucket beyond its rim if it is larger, so that a
 * request of any size passes some day and the rate holds all the same.
 *
 * Time is the caller's (clock_ns): nothing here looks at a clock or sleeps. Any
 * thread; where there is no limit, asking costs a load.
 */
#ifndef CARREL_DEVICES_LIMIT_H
#define CARREL_DEVICES_LIMIT_H

#include <pthread.h>
#include <stdatomic.h>

#include "vmm/counter.h"
#include "vmm/rates.h"

/* Of bytes, or of operations. */
struct limit_bucket {
	uint64_t rate; /* units a second; 0: no limit */
	uint64_t burst; /* units, at least 1 */
	unsigned __int128 level; /* billionths of a unit: ns times rate */
	uint64_t at_ns; /* when it was so */
};

struct limit {
	_Atomic(bool) on;
	pthread_mutex_t lock; /* of what follows */
	struct rates rates; /* as they were set */
	struct limit_bucket bytes, ops;
};

/* What one thread waited for a limit; counters are read by any. */
struct limit_meter {
	struct counter waits; /* how many operations had to wait */
	struct counter ns; /* how long, but for what a pause added */
	uint64_t from_ns, until_ns; /* the wait that it is in; from 0: none */
};

void limit_open(struct limit *l); /* none */
void limit_close(struct limit *l);

/*
 * Buckets are empty afterwards. Threads that wait are to ask again: kicking
 * them is the caller's.
 */
void limit_set(struct limit *l, const struct rates *r, uint64_t now_ns);
void limit_get(struct limit *l, struct rates *out);

/* No: nothing else need be asked, not even the time. */
static inline bool limit_matters(const struct limit *l,
				 const struct limit_meter *m)
{
	return atomic_load_explicit(&l->on, memory_order_relaxed) || m->from_ns;
}

/*
 * May an operation of so many bytes pass? 0: yes, and it was counted; else the
 * nanoseconds after which it is worth asking again.
 */
uint64_t limit_take(struct limit *l, struct limit_meter *m, uint64_t now_ns,
		    uint64_t bytes) MUST_USE;

/*
 * The same in two steps, for one whose bytes are known only once it has passed.
 * Of several threads each may be one operation ahead.
 */
uint64_t limit_ask(struct limit *l, struct limit_meter *m,
		   uint64_t now_ns) MUST_USE;
void limit_passed(struct limit *l, uint64_t now_ns, uint64_t bytes);

#endif
