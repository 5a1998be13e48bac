/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blk: a virtio block device (virtio 1.2, 5.2) over a raw file. Payload goes
 * straight between guest memory and the file: the kernel copies it and nothing
 * here looks at it. Requests that only fail end in their own status; requests
 * that make no sense break the device.
 */
#ifndef CARREL_DEVICES_BLK_H
#define CARREL_DEVICES_BLK_H

#include "devices/backing.h"
#include "devices/limit.h"
#include "devices/virtio_pci.h"
#include "vmm/counter.h"

#define BLK_QUEUES 16
#define BLK_ID_BYTES 20

struct blk_config {
	const char *path, *id; /* id: also the name in log lines; borrowed */
	bool readonly;
	unsigned queues; /* 1 to BLK_QUEUES, a worker thread for each */
	bool platform; /* VIRTIO_F_ACCESS_PLATFORM is required */
	struct rates rates;
};

/* Of one queue, counted by its worker: a cache line of its own. */
struct blk_counts {
	_Alignas(64) struct counter n[DISK_WAITS];
	struct limit_meter meter; /* and the two behind those */
};

struct blk {
	struct vdev vdev; /* first: the request handler casts back */
	struct virtio_pci pci;
	struct backing file;
	struct limit limit; /* of all queues together */
	_Atomic(unsigned) failures; /* of the host's file */
	struct blk_counts counts[BLK_QUEUES];
	char id[BLK_ID_BYTES]; /* GET_ID's answer: zero-padded, not ended */
};

/* 0, or -errno after one log line. *b must stay where it is. */
int blk_attach(struct blk *b, const struct blk_config *cfg, struct pci_bus *pci,
	       uint8_t devfn, const struct gmem *mem, struct irq *irq,
	       const struct worker_hooks *hooks) MUST_USE;
void blk_close(struct blk *b);

/* For stop and cont: between them no guest memory is touched. Counted. */
void blk_pause(struct blk *b);
void blk_resume(struct blk *b);

/* For the control socket, main thread. Requests that wait ask again. */
void blk_set_limit(struct blk *b, const struct rates *r);

/* As backing_resize; the driver is told. lock: the bus', not held. */
int blk_resize(struct blk *b, struct bus *lock, uint64_t bytes,
	       uint64_t *found) MUST_USE;

/* What its queues did so far, summed up. Any thread. */
void blk_count(const struct blk *b, struct disk_counts *out);

/* As by the guest's status register; a board reset does it through PCI. */
void blk_reset(struct blk *b);

#endif
