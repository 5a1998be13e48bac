/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhost_vsock: a virtio socket device (virtio 1.2, 5.10) whose packets are the
 * host kernel's (/dev/vhost-vsock): the host's processes reach the guest, and
 * it them, by sockets of AF_VSOCK, under an address that no other guest of the
 * host has. The kernel has the queues of packets; the queue of events stays
 * empty, as nothing happens that one would tell of. One worker starts and stops
 * them, and is "running" as long as they are with the kernel.
 */
#ifndef CARREL_DEVICES_VHOST_VSOCK_H
#define CARREL_DEVICES_VHOST_VSOCK_H

#include "devices/vhost_kernel.h"
#include "devices/virtio_pci.h"

#define VHOST_VSOCK_RINGS 2

struct vhost_vsock {
	struct vdev vdev; /* first: the handlers cast back */
	struct virtio_pci pci;
	struct vhost_kernel kernel;
	bool runs;
	uint16_t base[VHOST_VSOCK_RINGS]; /* of rings that do not run */
	int err_fd; /* eventfd: a ring or packet is malformed */
};

struct vhost_vsock_config {
	uint32_t cid; /* the guest's: 3 to 0xfffffffe */
	bool platform; /* VIRTIO_F_ACCESS_PLATFORM is required */
};

/* 0, or -errno after one log line. *v must stay where it is. */
int vhost_vsock_attach(struct vhost_vsock *v,
		       const struct vhost_vsock_config *cfg,
		       struct pci_bus *pci, uint8_t devfn,
		       const struct gmem *mem, struct irq *irq,
		       const struct worker_hooks *hooks) MUST_USE;
void vhost_vsock_close(struct vhost_vsock *v);

/* For stop and cont: between them nothing moves. Counted. */
void vhost_vsock_pause(struct vhost_vsock *v);
void vhost_vsock_resume(struct vhost_vsock *v);

#endif
