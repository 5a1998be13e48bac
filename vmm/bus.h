/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bus: who answers at a port or an MMIO address. The guest chooses address,
 * length and data freely; an access that is not wholly inside one claim finds
 * nobody: reads give all ones, writes are dropped.
 *
 * One lock, shared by both buses and all devices on them, is held around each
 * device call: register handlers need no lock of their own. Event handlers of
 * the main thread and data-path threads take it with bus_lock() when they
 * touch registers.
 */
#ifndef CARREL_VMM_BUS_H
#define CARREL_VMM_BUS_H

#include <pthread.h>
#include <stdint.h>

#include "vmm/num.h"
#include "vmm/timeline.h"

#define BUS_SLOTS 256

/*
 * off is relative to the claim; buf holds len bytes (1, 2, 4 or 8; ports 1, 2
 * or 4), little-endian. False: nobody answers at this offset and length.
 */
struct bus_ops {
	const char *name;
	bool (*read)(void *dev, uint64_t off, uint8_t *buf, size_t len);
	bool (*write)(void *dev, uint64_t off, const uint8_t *buf, size_t len);
};

struct bus_slot {
	uint64_t base, size;
	const struct bus_ops *ops;
	void *dev;
};

struct bus {
	pthread_mutex_t *lock; /* shared by the buses of one VM */
	struct bus_slot slot[BUS_SLOTS]; /* sorted by base */
	size_t n;
	struct timeline *timeline; /* of the VM, or NULL */
};

void bus_open(struct bus *b, pthread_mutex_t *lock);

/*
 * Claims [base, base + size) for dev. -EEXIST: it overlaps a claim; -ERANGE:
 * empty or wrapping; -ENOSPC: BUS_SLOTS are taken. With the lock held, or
 * before vCPUs run (a device may claim from inside its own handler).
 */
int bus_claim(struct bus *b, uint64_t base, uint64_t size,
	      const struct bus_ops *ops, void *dev) MUST_USE;

/* Gives up the claim that starts at base and belongs to dev, if there. */
void bus_release(struct bus *b, uint64_t base, const void *dev);

/* From a vCPU: takes the lock, finds the slot, calls the device. */
void bus_read(struct bus *b, uint64_t at, void *buf, size_t len);
void bus_write(struct bus *b, uint64_t at, const void *buf, size_t len);

void bus_lock(struct bus *b);
void bus_unlock(struct bus *b);

#endif
