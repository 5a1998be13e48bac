/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bare_board: memory, buses, PCI and interrupts without KVM, for programs that
 * are no cmocka tests: fuzzers and benchmarks of one device. Whatever fails
 * ends the program.
 */
#ifndef CARREL_TESTS_BARE_BOARD_H
#define CARREL_TESTS_BARE_BOARD_H

#include "devices/pci.h"
#include "vmm/gmem.h"
#include "vmm/irq.h"

struct bare_board {
	struct gmem mem;
	pthread_mutex_t lock;
	struct bus pio, mmio;
	struct pci_bus pci;
	struct irq irq;
};

static inline void bare_board_open(struct bare_board *b, uint64_t ram)
{
	*b = (struct bare_board){ 0 };
	CHECK(!gmem_open(&b->mem, ram));
	pthread_mutex_init(&b->lock, NULL);
	bus_open(&b->pio, &b->lock);
	bus_open(&b->mmio, &b->lock);
	CHECK(!pci_open(&b->pci, &b->pio, &b->mmio));
	CHECK(!irq_open(&b->irq, -1));
}

#endif
