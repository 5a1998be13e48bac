/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock: the time since some moment, which nobody can set, and clocks of the
 * processor time used. Any thread; every sandbox has them.
 */
#ifndef CARREL_VMM_CLOCK_H
#define CARREL_VMM_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_NS_PER_S 1000000000u
#define CLOCK_NS_PER_MS 1000000u

/* 0: there is no such clock (any more). */
static inline uint64_t clock_read(clockid_t clock)
{
	struct timespec t = { 0 };

	(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * CLOCK_NS_PER_S + (uint64_t)t.tv_nsec;
}

static inline uint64_t clock_ns(void)
{
	return clock_read(CLOCK_MONOTONIC); /* it always has one */
}

#endif
