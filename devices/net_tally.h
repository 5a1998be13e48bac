/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_tally: what the thread of one network queue counts, and the limit that
 * its direction has. How long a frame is, the receiver learns only when it has
 * it; so both directions ask first and say afterwards what passed.
 */
#ifndef CARREL_DEVICES_NET_TALLY_H
#define CARREL_DEVICES_NET_TALLY_H

#include "devices/limit.h"
#include "devices/vdev.h"

struct net_tally {
	struct counter frames, bytes, drops, errors;
	struct limit_meter meter;
	struct limit *limit; /* of all queues of this direction together */
};

/* May a frame pass? -EBUSY: not now; the queue's worker will wake for it. */
int net_tally_ask(struct net_tally *t, struct vqueue *q) MUST_USE;

/* One has. */
void net_tally_passed(struct net_tally *t, uint64_t bytes);

#endif
