/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rng: a virtio entropy device (virtio 1.2, 5.4). The host kernel writes its
 * random bytes into the guest's buffers; at most RNG_BYTES a request, so that
 * a guest cannot keep the host busy with one huge buffer.
 */
#ifndef CARREL_DEVICES_RNG_H
#define CARREL_DEVICES_RNG_H

#include "devices/virtio_pci.h"

#define RNG_BYTES 4096u

struct rng_config {
	bool platform; /* VIRTIO_F_ACCESS_PLATFORM is required */
};

struct rng {
	struct vdev vdev;
	struct virtio_pci pci;
};

/* 0, or -errno after one log line. *r must stay where it is. */
int rng_attach(struct rng *r, const struct rng_config *cfg, struct pci_bus *pci,
	       uint8_t devfn, const struct gmem *mem, struct irq *irq,
	       const struct worker_hooks *hooks) MUST_USE;
void rng_close(struct rng *r);

/* For stop and cont: between them no guest memory is touched. Counted. */
void rng_pause(struct rng *r);
void rng_resume(struct rng *r);

/* As by the guest's status register; a board reset does it through PCI. */
void rng_reset(struct rng *r);

#endif
