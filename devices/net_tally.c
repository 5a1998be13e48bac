/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_tally: see the header.
 */
#include "devices/net_tally.h"

#include <errno.h>

#include "vmm/clock.h"

int net_tally_ask(struct net_tally *t, struct vqueue *q)
{
	uint64_t now, wait;

	if (!limit_matters(t->limit, &t->meter))
		return 0;
	now = clock_ns();
	wait = limit_ask(t->limit, &t->meter, now);
	if (!wait)
		return 0;
	worker_wake_at(&q->worker, now + wait);
	return -EBUSY;
}

void net_tally_passed(struct net_tally *t, uint64_t bytes)
{
	counter_add(&t->frames, 1);
	counter_add(&t->bytes, bytes);
	if (limit_matters(t->limit, &t->meter))
		limit_passed(t->limit, clock_ns(), bytes);
}
