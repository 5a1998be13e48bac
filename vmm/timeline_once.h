/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timeline_once: for devices, on the guest's own paths: a load and a branch
 * when there is nothing new. Any thread, but for console: the bus lock.
 */
#ifndef CARREL_VMM_TIMELINE_ONCE_H
#define CARREL_VMM_TIMELINE_ONCE_H

#include "vmm/timeline.h"

static inline bool timeline_seen(const struct timeline *t, enum timeline_once w)
{
	return atomic_load_explicit(&t->seen, memory_order_relaxed) >> w & 1;
}

/* what: by what it was seen, or NULL. */
static inline void timeline_once(struct timeline *t, enum timeline_once w,
				 const char *what)
{
	if (t && !timeline_seen(t, w))
		timeline_first(t, w, what);
}

/* A byte on the first serial port. */
static inline void timeline_console(struct timeline *t, uint8_t byte)
{
	if (t && !timeline_seen(t, ONCE_LOGIN))
		timeline_printed(t, byte);
}

#endif
