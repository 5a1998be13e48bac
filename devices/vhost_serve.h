/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhost_serve: the worker of a vhost-user device, and what other threads do to
 * it. It alone talks to the peer, which may stall it; nobody waits for that but
 * who holds it while the rings are with the peer, and that has a deadline.
 */
#ifndef CARREL_DEVICES_VHOST_SERVE_H
#define CARREL_DEVICES_VHOST_SERVE_H

#include "devices/vhost_user.h"

/* In the worker: vdev_ops.serve_all, and the wait of worker_set_wait. */
int vhost_serve(struct vdev *d) MUST_USE;
void vhost_wait(void *ctx, bool held);

/* Under the bus lock: vdev_ops.reset. */
void vhost_reset(struct vdev *d);

/* In the main thread, for v->fresh_fd. */
void vhost_on_fresh(void *ctx, int fd, uint32_t events);

#endif
