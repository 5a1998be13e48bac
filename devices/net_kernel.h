/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_kernel: the data queues of a network device over a tap, served by the
 * host's kernel (/dev/vhost-net, a file a pair). The control queue, the link
 * and the registers stay with us. One worker starts and stops rings, and
 * answers control requests between: it is "running" as long as rings are with
 * the kernel, so whoever holds it knows that nobody touches guest memory.
 *
 * A ring is with the kernel while its pair is in use and the link is up. While
 * the link is down, the worker drops what the guest sends, and what has come
 * by the time that it is up again.
 */
#ifndef CARREL_DEVICES_NET_KERNEL_H
#define CARREL_DEVICES_NET_KERNEL_H

#include "devices/net.h"
#include "devices/vhost_ring.h"

/* Those that the kernel has to know of. */
#define NET_KERNEL_FEATURES (VHOST_RING_FEATURES | NET_F_MRG_RXBUF)

struct net_kernel {
	struct vhost_kernel pair[NET_PAIRS];
	bool runs[2 * NET_PAIRS]; /* the ring of that queue */
	uint16_t base[2 * NET_PAIRS]; /* of one that does not */
	int err_fd; /* eventfd: a ring or request is malformed */
};

/*
 * Before the device's queues exist: n->kernel, or NULL where cfg leaves it to
 * the host and that has none. -errno after a log line.
 */
int net_kernel_open(struct net *n, const struct net_config *cfg) MUST_USE;

/* Once they do. -errno; net_kernel_close cleans up. */
int net_kernel_wire(struct net *n) MUST_USE;
void net_kernel_close(struct net *n); /* n->kernel is NULL: nothing */

/* In the worker: vdev_ops.serve_all. */
int net_kernel_serve(struct vdev *d) MUST_USE;

/* With the worker held: queue i is a new one. */
void net_kernel_opened(struct net *n, unsigned i);

/* In the worker: pair i is about to be taken out of use. */
int net_kernel_rest(struct net *n, unsigned i) MUST_USE;

#endif
