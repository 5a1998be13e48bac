/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio_regs: the common configuration of virtio over PCI (virtio 1.2,
 * 4.1.4.3), for virtio_pci.c. Offsets, lengths and values are the guest's
 * choice. Under the bus lock.
 */
#ifndef CARREL_DEVICES_VIRTIO_REGS_H
#define CARREL_DEVICES_VIRTIO_REGS_H

#include "devices/virtio_pci.h"

#define VIRTIO_REGS_SIZE 56u

/* Is there a field for this access? The others are only for those. */
bool regs_access_ok(uint64_t off, size_t len);
uint64_t regs_get(struct virtio_pci *p, uint64_t off);
void regs_set(struct virtio_pci *p, uint64_t off, size_t len, uint64_t v);

/* What the transport keeps, after the device itself was reset. */
void regs_reset(struct virtio_pci *p);

#endif
