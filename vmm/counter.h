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
	DISK_WAITS, /* requests that its limits kept back */
	DISK_WAIT_NS, /* and how long, of all queues together */
	DISK_COUNTERS
};

struct disk_counts {
	const char *id;
	uint64_t n[DISK_COUNTERS];
};

/* What a network interface counts: rx is what the guest receives. */
enum net_counter {
	NET_RX_FRAMES,
	NET_RX_BYTES,
	NET_RX_DROPS, /* the link was down */
	NET_RX_ERRORS, /* larger than the guest has room, or an MTU, for */
	NET_RX_WAITS, /* frames that a limit kept back */
	NET_RX_WAIT_NS, /* and how long, of all queues together */
	NET_TX_FRAMES,
	NET_TX_BYTES,
	NET_TX_DROPS,
	NET_TX_ERRORS, /* no frame, or none that the host takes */
	NET_TX_WAITS,
	NET_TX_WAIT_NS,
	NET_COUNTERS
};

struct net_counts {
	const char *id;
	uint64_t n[NET_COUNTERS];
};

/* What the socket device counts; rx is what the guest receives. */
enum vsock_counter {
	VSOCK_RX_PACKETS,
	VSOCK_RX_BYTES, /* of payload */
	VSOCK_TX_PACKETS,
	VSOCK_TX_BYTES,
	VSOCK_OPENED, /* connections, from either side */
	VSOCK_RESETS, /* connections that the host's side refused or cut off */
	VSOCK_COUNTERS
};

struct vsock_counts {
	uint64_t n[VSOCK_COUNTERS];
};

/* What the driver of a balloon says of its memory (virtio 1.2, 5.5.6.4). */
enum balloon_stat {
	BALLOON_SWAP_IN, /* bytes, as all but those that say otherwise */
	BALLOON_SWAP_OUT,
	BALLOON_MAJOR_FAULTS, /* times */
	BALLOON_MINOR_FAULTS, /* times */
	BALLOON_FREE,
	BALLOON_TOTAL,
	BALLOON_AVAILABLE,
	BALLOON_CACHES,
	BALLOON_HUGE_ALLOCS, /* times */
	BALLOON_HUGE_FAILS, /* times */
	BALLOON_STATS
};

struct balloon_counts {
	bool on; /* there is one; otherwise nothing below is valid */
	uint64_t target_bytes, actual_bytes; /* memory outside the balloon */
	uint64_t inflated_bytes, reported_bytes; /* given back so far */
	/* The guest's own words: */
	uint64_t stat_age_ns; /* when stats is not 0 */
	uint32_t stats; /* a bit each of those that follow that it gave */
	uint64_t stat[BALLOON_STATS];
};

#endif
