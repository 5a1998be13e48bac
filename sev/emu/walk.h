/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk: what a guest's page tables say. They are the guest's: any entry may be
 * a lie or point in a circle, so the depth is fixed and so is the number of
 * tables looked at. vm->lock is held throughout.
 */
#ifndef CARREL_EMU_WALK_H
#define CARREL_EMU_WALK_H

#include "sev/emu/vm.h"

#define PAGING_HINTS 16

struct paging {
	uint64_t cr3; /* the root's address, without C-bit */
	bool five_levels;
	uint64_t rip; /* linear */
	uint64_t hint[PAGING_HINTS]; /* registers: one may hold the address */
};

/*
 * Is the page one of the page tables? Hardware reads those as private memory,
 * whatever the C-bit of the entry that leads there says (AMD APM 2, 15.34.5).
 * Only entries without one count: what is reached with it does not trap.
 */
bool walk_finds(struct vm *vm, const struct paging *p, const struct fault *f);

/*
 * Is the page where the next instruction comes from? Those, too, are private
 * whatever the C-bit says.
 */
bool walk_fetches(struct vm *vm, const struct paging *p, const struct fault *f);

/*
 * How many pages from the fault on are shared with it: a guest clears the C-bit
 * of a whole buffer before it touches the first page of it. Found where memory
 * is mapped at its own address, as a firmware does, or where a register points,
 * as a string instruction has it. At least 1, the page of the fault itself.
 */
unsigned walk_shared(struct vm *vm, const struct paging *p,
		     const struct fault *f, unsigned most);

#endif
