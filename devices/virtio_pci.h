/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio_pci: the modern PCI transport (virtio 1.2, 4.1) around a vdev. One
 * memory BAR holds every structure; interrupts are MSI-X only, there is no
 * INTx pin. All handlers run under the bus lock and see offsets and lengths of
 * the guest's choice.
 */
#ifndef CARREL_DEVICES_VIRTIO_PCI_H
#define CARREL_DEVICES_VIRTIO_PCI_H

#include "devices/msix.h"
#include "devices/pci.h"
#include "devices/vdev.h"

#define VIRTIO_PCI_VENDOR 0x1af4

/* The BAR: a page for each structure. */
#define VIRTIO_PCI_BAR 0
#define VIRTIO_PCI_BAR_SIZE 0x8000u
#define VIRTIO_PCI_PAGE 0x1000u
#define VIRTIO_PCI_COMMON 0x0000u
#define VIRTIO_PCI_ISR 0x1000u
#define VIRTIO_PCI_DEVICE 0x2000u
#define VIRTIO_PCI_NOTIFY 0x3000u
#define VIRTIO_PCI_TABLE 0x4000u
#define VIRTIO_PCI_PBA 0x5000u

/* Bytes between the doorbells of two queues. */
#define VIRTIO_PCI_NOTIFY_STEP 4u

struct virtio_pci {
	struct pci_dev pci; /* first: handlers cast back */
	struct vdev *dev;
	struct msix msix;
	struct pci_ops ops; /* ours, under the device's label */
	uint32_t device_feature_select, driver_feature_select;
	uint16_t queue_select;
	_Atomic(uint16_t) config_vector;
	_Atomic(uint8_t) isr;
	unsigned cap_cfg; /* where the PCI_CFG capability is */
	bool warned; /* of doorbells that KVM refused */
	unsigned told; /* marks on the time line about its driver */
};

/* dev is open; this becomes its transport. */
int virtio_pci_attach(struct virtio_pci *p, struct vdev *dev,
		      struct pci_bus *pci, uint8_t devfn,
		      struct irq *irq) MUST_USE;

/* After the vdev's workers are gone. The PCI bus must not be used any more. */
void virtio_pci_close(struct virtio_pci *p);

#endif
