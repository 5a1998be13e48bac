/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msix: the MSI-X capability of one function, its table and its pending bits
 * (PCI 3.0, 6.8.2). The guest writes addresses and data of its choice; KVM
 * judges them. Registers are touched under the bus lock, vectors are fired
 * from any thread, so the struct has a lock of its own, taken last.
 */
#ifndef CARREL_DEVICES_MSIX_H
#define CARREL_DEVICES_MSIX_H

#include <pthread.h>

#include "devices/pci.h"
#include "vmm/irq.h"

#define MSIX_VECTORS 18
#define MSIX_ENTRY 16 /* bytes of a table entry */
#define MSIX_TABLE_SIZE (MSIX_VECTORS * MSIX_ENTRY)
#define MSIX_PBA_SIZE 8

struct msix_vector {
	uint32_t addr_lo, addr_hi, data, control;
	unsigned msi; /* its name at irq.h */
	bool fresh; /* KVM has not seen the address and data */
	bool dead; /* and refused them when it did */
	bool pending;
};

/*
 * An eventfd that somebody outside writes to: it fires a vector by way of KVM,
 * while that is open; what is written meanwhile waits in it. fd -1: none.
 */
struct msix_feed {
	int fd;
	unsigned vector;
	bool attached; /* KVM listens to it */
};

struct msix {
	struct irq *irq;
	struct pci_dev *pci;
	unsigned cap; /* offset in configuration space */
	pthread_mutex_t lock;
	unsigned n;
	bool enabled, masked; /* as the capability says */
	bool master; /* as the command register says */
	bool warned; /* of a refused message: once is enough */
	struct msix_vector v[MSIX_VECTORS];
	struct msix_feed feed[MSIX_VECTORS];
};

/*
 * Adds the capability to a function not yet attached and reserves n vectors.
 * table and pba are offsets in its BAR: the BAR's handlers pass accesses on.
 */
int msix_open(struct msix *m, struct pci_dev *pci, struct irq *irq, unsigned n,
	      unsigned bar, uint32_t table, uint32_t pba) MUST_USE;
void msix_close(struct msix *m);

/* All vectors masked and empty, as after power-on. */
void msix_reset(struct msix *m);

/* After the guest wrote to the capability or to the command register. */
void msix_control(struct msix *m);

/* off is relative to the table or to the pending bits. */
bool msix_table_read(struct msix *m, uint64_t off, uint8_t *buf, size_t len);
bool msix_table_write(struct msix *m, uint64_t off, const uint8_t *buf,
		      size_t len);
bool msix_pba_read(struct msix *m, uint64_t off, uint8_t *buf, size_t len);

/*
 * Sends the vector's message, or remembers to when it is masked or the function
 * is no bus master. False: the guest has not turned MSI-X on. A vector that
 * does not exist sends nothing.
 */
bool msix_fire(struct msix *m, unsigned vector);

/*
 * Feed i is fd, or with -1 none, and fires the vector; one that does not exist:
 * nothing. The descriptor is borrowed until the feed is another.
 */
void msix_feed(struct msix *m, unsigned i, int fd, unsigned vector);

#endif
