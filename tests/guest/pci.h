/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pci: the functions of bus 0 and their configuration space.
 */
#ifndef CARREL_TESTS_GUEST_PCI_H
#define CARREL_TESTS_GUEST_PCI_H

#include "tests/guest/machine.h"

static inline uint32_t cfg_get(unsigned slot, unsigned off)
{
	out32(0xcf8, 0x80000000u | slot << 11 | off);
	return in32(0xcfc);
}

static inline void cfg_set(unsigned slot, unsigned off, uint32_t v)
{
	out32(0xcf8, 0x80000000u | slot << 11 | off);
	out32(0xcfc, v);
}

/* The slot of a function by device and vendor. */
static inline unsigned find(uint32_t id)
{
	for (unsigned slot = 0; slot < 32; slot++)
		if (cfg_get(slot, 0) == id)
			return slot;
	say("no such device WRONG\n");
	return 0;
}

static inline unsigned find_disk(void)
{
	return find(0x10421af4);
}

static inline void msix_on(unsigned slot)
{
	uint32_t cap = cfg_get(slot, 0x34) & 0xfc;

	while (cap) {
		uint32_t v = cfg_get(slot, cap);

		if ((v & 0xff) == 0x11)
			cfg_set(slot, cap, v | 0x80000000u);
		cap = v >> 8 & 0xfc;
	}
}

#endif
