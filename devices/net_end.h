/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_end: the host's end of one queue pair, as a backend offers it (tap.h,
 * passt.h). Its receive side belongs to the worker of the receive queue, its
 * send side to that of the transmit queue: neither locks. Nothing here blocks:
 * -EAGAIN says that the descriptor is worth a poll.
 */
#ifndef CARREL_DEVICES_NET_END_H
#define CARREL_DEVICES_NET_END_H

#include "devices/net_frame.h"
#include "devices/virtq.h"

struct net_end;

/* A frame in our memory, its own until the next receive. */
struct net_frame {
	struct net_hdr hdr;
	const uint8_t *bytes;
	size_t len; /* NET_ETHER_BYTES to NET_FRAME_MAX */
};

struct net_end_ops {
	/* The next frame. -EAGAIN: none now; any other error: it is lost. */
	int (*receive)(struct net_end *e, struct net_frame *f);
	/*
	 * The same straight into guest memory: iov[0] takes the header, the
	 * rest has room for NET_FRAME_MAX. *len: bytes of header and frame.
	 * NULL: this end cannot.
	 */
	int (*receive_iov)(struct net_end *e, const struct iovec *iov, int n,
			   size_t *len);
	/*
	 * A frame of the guest's: what is left of c after its checked header.
	 * -EAGAIN: nothing was taken, offer it again; -EFAULT and the like: c
	 * is wrong; -ENOTCONN: the end is lost; -EIO: the frame was dropped.
	 */
	int (*send)(struct net_end *e, const struct net_hdr *h, struct chain *c,
		    const struct gmem *mem);
	/* Sends what is kept back; -EAGAIN: not all yet. NULL: nothing. */
	int (*flush)(struct net_end *e);
	/* What the guest takes: NET_GUEST_OFFLOADS. NULL: nothing to settle. */
	int (*offload)(struct net_end *e, uint64_t features);
	/* Is this pair in use? NULL: there is but one. */
	int (*enable)(struct net_end *e, bool on);
	void (*close)(struct net_end *e);
};

struct net_end {
	const struct net_end_ops *ops;
	int fd;
};

#endif
