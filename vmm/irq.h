/* SPDX-License-Identifier: Apache-2.0 */
/*
 * irq: interrupts into the guest, over KVM's in-kernel PIC, I/O APIC and local
 * APICs. Lines are levels on GSIs 0 to 23; messages (MSI) get a GSI from 24 up,
 * an eventfd and a route, so that firing one is a single write(2) from any
 * thread. Addresses and data of messages come from the guest and are passed to
 * KVM, which judges them; a refusal is returned and breaks only that vector.
 */
#ifndef CARREL_VMM_IRQ_H
#define CARREL_VMM_IRQ_H

#include <pthread.h>
#include <stdint.h>

#include "vmm/num.h"

#define IRQ_LINES 24
#define IRQ_MSI_MAX 512

struct irq_msi {
	int fd; /* eventfd; -1: free */
	bool routed; /* has an address: fires reach the guest */
	uint64_t addr;
	uint32_t data;
};

struct irq {
	int vm_fd; /* -1 in unit tests: levels and routes are only kept */
	pthread_mutex_t lock;
	uint32_t level; /* bit per line, as last set */
	struct irq_msi msi[IRQ_MSI_MAX];
};

/* After KVM_CREATE_IRQCHIP; vm_fd is borrowed. */
int irq_open(struct irq *q, int vm_fd) MUST_USE;
void irq_close(struct irq *q);

/* Sets an edge or level line (KVM_IRQ_LINE); line < IRQ_LINES. */
void irq_line(struct irq *q, unsigned line, bool level);

/* Reserves a vector; *id names it from then on. -ENOSPC: all are taken. */
int irq_msi_new(struct irq *q, unsigned *id) MUST_USE;
void irq_msi_free(struct irq *q, unsigned id);

/* Routes it to a message (PCI 3.0, 6.8.1), or detaches it (masked). */
int irq_msi_route(struct irq *q, unsigned id, uint64_t addr,
		  uint32_t data) MUST_USE;
int irq_msi_mask(struct irq *q, unsigned id) MUST_USE;

/* The eventfd to write to (borrowed), and the write itself: any thread. */
int irq_msi_fd(const struct irq *q, unsigned id);
void irq_msi_fire(const struct irq *q, unsigned id);

/*
 * Another eventfd that fires the vector from now on, or no more: somebody
 * else's to write to. It is to be taken away before the vector is freed. What
 * was written before it was given fires at once.
 */
int irq_msi_feed(struct irq *q, unsigned id, int fd, bool on) MUST_USE;

/*
 * A doorbell: a guest write of any length at MMIO addr signals fd without an
 * exit to user space (KVM_IOEVENTFD). on = false takes it away.
 */
int irq_doorbell(struct irq *q, uint64_t addr, int fd, bool on) MUST_USE;

#endif
