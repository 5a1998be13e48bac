/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counter: numbers that one thread counts while it works and any other may
 * read at any time. Counting takes no lock and no locked instruction, so it
 * may stand on the hottest path; a reader sees each number whole, but several
 * of them perhaps from slightly different moments.
 */
#ifndef CARREL_VMM_COUNTER_H
#define CARREL_VMM_COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

#include "vmm/num.h"

struct counter {
	_Atomic(uint64_t) n;
};

/* Only in the one thread that the counter belongs to. */
static inline void counter_add(struct counter *c, uint64_t n)
{
	uint64_t old = atomic_load_explicit(&c->n, memory_order_relaxed);

	atomic_store_explicit(&c->n, old + n, memory_order_relaxed);
}

static inline uint64_t counter_get(const struct counter *c)
{
	return atomic_load_explicit(&c->n, memory_order_relaxed);
}

/* What a disk counts; requests that failed are errors and nothing else. */
enum disk_counter {
	DISK_READS,
	DISK_READ_BYTES,
	DISK_WRITES,
	DISK_WRITTEN_BYTES,
	DISK_FLUSHES,
	DISK_DISCARDS,
	DISK_ZEROES, /* requests to write zeroes */
	DISK_ERRORS,
	DISK_COUNTERS
};

struct disk_counts {
	const char *id;
	uint64_t n[DISK_COUNTERS];
};

#endif
