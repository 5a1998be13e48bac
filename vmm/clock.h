/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock: the time since some moment, which nobody can set. Any thread; every
 * sandbox has it.
 */
#ifndef CARREL_VMM_CLOCK_H
#define CARREL_VMM_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_NS_PER_S 1000000000u
#define CLOCK_NS_PER_MS 1000000u

static inline uint64_t clock_ns(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* it always has one */
	return (uint64_t)t.tv_sec * CLOCK_NS_PER_S + (uint64_t)t.tv_nsec;
}

#endif
