/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_tx: a transmit queue of a network device (virtio 1.2, 5.1.6.2). The
 * guest's header is copied once and checked; the frame goes to the host's end
 * as it is. What the host will not take now waits in the ring; what it refuses
 * is dropped and counted, as on a wire.
 *
 * Only the queue's worker touches one, except while that is held.
 */
#ifndef CARREL_DEVICES_NET_TX_H
#define CARREL_DEVICES_NET_TX_H

#include "devices/net_end.h"
#include "devices/net_tally.h"

struct net_tx {
	struct net_end *end;
	const _Atomic(bool) *up; /* down: frames are dropped */
	struct net_tally tally;
};

/* As net_rx_serve. */
int net_tx_serve(struct net_tx *t, struct vqueue *q) MUST_USE;

#endif
