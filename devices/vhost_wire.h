/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhost_wire: whole messages over the Unix socket of a vhost-user peer, with a
 * deadline: one that stalls, in the middle of a message too, costs us that long
 * and no more. Errors are -errno; -ETIMEDOUT: the deadline; -EPIPE: it is gone;
 * -EPROTO: it sent what is no answer.
 */
#ifndef CARREL_DEVICES_VHOST_WIRE_H
#define CARREL_DEVICES_VHOST_WIRE_H

#include "devices/vhost_msg.h"

#define VHOST_FDS VHOST_REGIONS /* a message carries */

/* end_ns: by clock_ns. */
struct vhost_wire {
	int fd; /* non-blocking or not: it is never waited on in recv or send */
	uint64_t end_ns;
	bool acks; /* REPLY_ACK was negotiated */
};

/* m with m->h.size bytes of payload; the descriptors are borrowed. */
int vhost_send(const struct vhost_wire *w, const struct vhost_msg *m,
	       const int *fds, unsigned n) MUST_USE;

/*
 * Sends m and waits for its answer of size bytes, which is then in m. fd: the
 * descriptor that came with it, the caller's to close, or -1; NULL: none may.
 */
int vhost_ask(const struct vhost_wire *w, struct vhost_msg *m, uint32_t size,
	      int *fd) MUST_USE;

/*
 * Sends m, which has no answer; where the peer acknowledges, waits for that.
 * -EREMOTEIO: it refuses.
 */
int vhost_tell(const struct vhost_wire *w, struct vhost_msg *m, const int *fds,
	       unsigned n) MUST_USE;

/*
 * A request of the peer's on the other channel, answered. 1: the configuration
 * has changed; 0: nothing is there.
 */
int vhost_hear(const struct vhost_wire *w) MUST_USE;

#endif
