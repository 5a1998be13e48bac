/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhost_ring: a queue that somebody else serves, another process (vhost-user)
 * or the host's kernel (vhost): the eventfds by which it hears of the guest and
 * interrupts it, and whether its rings are where that may write. Both go by the
 * guest's addresses, so those are checked first.
 */
#ifndef CARREL_DEVICES_VHOST_RING_H
#define CARREL_DEVICES_VHOST_RING_H

#include "devices/vdev.h"
#include "devices/vhost_kernel.h"

/* Of a device's features, those that are the affair of who serves its rings. */
#define VHOST_RING_FEATURES                                                    \
	(VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1)

/*
 * kick_fd and call_fd of the first n queues, never blocking. After an error,
 * too, vhost_bells_close cleans up.
 */
int vhost_bells_open(struct vdev *d, unsigned n) MUST_USE;
void vhost_bells_close(struct vdev *d);

/* One that nobody else has: what was in it is forgotten. */
void vhost_bell_empty(int fd);

/* What breaks a device: the kernel says so, or will not have a ring. */
#define VHOST_CONFUSED                                                         \
	"the host's kernel cannot make sense of a ring or request"
#define VHOST_REFUSED "the host's kernel refuses to serve a ring"

/* worker_set_wait, for a worker with nothing to do but to start rings. */
void vhost_ring_wait(void *ctx, bool held);

/* Rings are RAM, of which all is the server's: its own map has no ROM. */
bool vhost_ring_reachable(const struct vdev *d, unsigned i);

/* The same, and where they are for the kernel; -EFAULT. base is not set. */
int vhost_ring_place(const struct vdev *d, unsigned i,
		     struct vhost_place *at) MUST_USE;

#endif
