/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk: is a page one of a guest's page tables? Hardware reads those as
 * private memory, whatever the C-bit of the entry that leads there says (AMD
 * APM 2, 15.34.5). The tables are the guest's: any entry may be a lie or point
 * in a circle, so the depth is fixed and so is the number of tables looked at.
 */
#ifndef CARREL_EMU_WALK_H
#define CARREL_EMU_WALK_H

#include "sev/emu/vm.h"

/*
 * cr3 without C-bit. Only entries without one count: what is reached with it
 * does not trap. vm->lock is held.
 */
bool walk_finds(struct vm *vm, uint64_t cr3, bool five_levels,
		const struct fault *f);

/*
 * How many pages from the fault on a firmware's identity mapping shares: it
 * clears the C-bit of a whole buffer before it touches the first page of it.
 * At least 1: the page of the fault itself.
 */
unsigned walk_shared(struct vm *vm, uint64_t cr3, bool five_levels,
		     const struct fault *f, unsigned most);

#endif
