/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_rx: a receive queue of a network device (virtio 1.2, 5.1.6.3). Buffers
 * of the guest's are taken until the largest frame has room, and the frame is
 * read into them; what it did not use stays for the next. A frame for which
 * the guest has no room yet waits; one that would never fit is dropped.
 *
 * Only the queue's worker touches one, except while that is held.
 */
#ifndef CARREL_DEVICES_NET_RX_H
#define CARREL_DEVICES_NET_RX_H

#include "devices/net_end.h"
#include "devices/net_tally.h"

#define NET_RX_SPANS 1000 /* with the header, less than IOV_MAX */

/* A buffer of the guest's that we have taken and not yet given back. */
struct net_rx_buffer {
	uint16_t head, spans;
	uint64_t bytes;
};

struct net_rx {
	struct net_end *end;
	const _Atomic(bool) *up; /* down: frames are read and dropped */
	bool mergeable;
	bool sums; /* the guest knows what a header's flags mean */
	size_t longest; /* bytes of a frame that is no more than one packet */
	bool fresh; /* the ring is new: what came before was for another */
	struct net_frame frame; /* of len 0: none waits */
	struct net_tally tally;
	uint64_t room; /* bytes in all buffers */
	unsigned first, n; /* buffers */
	unsigned first_span, n_spans;
	struct net_rx_buffer buffer[NET_RX_SPANS];
	struct span span[NET_RX_SPANS];
	struct iovec iov[NET_RX_SPANS]; /* the same, checked */
};

/*
 * A new ring: whatever was taken from the old one is forgotten. mtu: what the
 * guest is told, if NET_F_MTU is accepted.
 */
void net_rx_opened(struct net_rx *r, uint64_t accepted, unsigned mtu);

/*
 * Reads and forgets what waits at the end: frames from before the driver,
 * perhaps of a form that it cannot take. Errors as net_rx_serve.
 */
int net_rx_drain(struct net_rx *r) MUST_USE;

/*
 * Moves frames until there are none, or no buffers, or the worker is held;
 * then the worker sleeps until that changes. -ENOTCONN and -EPROTO: the end is
 * lost; other errors break the device.
 */
int net_rx_serve(struct net_rx *r, struct vqueue *q) MUST_USE;

#endif
