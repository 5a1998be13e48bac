/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vsock_guest: the vsock device's side towards the guest: packets from its tx
 * queue, packets into its rx queue, and events (virtio 1.2, 5.10.6). The guest
 * is hostile: each header is copied once and then checked; a packet that fits
 * no connection is answered by RST, one that makes no sense breaks the device.
 * Used by the worker alone.
 */
#ifndef CARREL_DEVICES_VSOCK_GUEST_H
#define CARREL_DEVICES_VSOCK_GUEST_H

#include "devices/vsock.h"

/*
 * Each does a bounded part of the work that is there, and sets *did if there
 * was any. An error breaks the device.
 */
int guest_receive(struct vsock *v, bool *did) MUST_USE; /* tx */
int guest_send(struct vsock *v, bool *did) MUST_USE; /* rx */
int guest_tell(struct vsock *v) MUST_USE; /* events */

/* Answers a packet by RST; there is room for one such answer a packet. */
void guest_refuse(struct vsock *v, const struct vsock_header *h);

/* Does the guest still owe us buffers for packets that wait? */
bool guest_starves(const struct vsock *v);

#endif
