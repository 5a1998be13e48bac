/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vma: what the process has mapped at an address, from /proc/self/maps.
 */
#ifndef CARREL_EMU_VMA_H
#define CARREL_EMU_VMA_H

#include "vmm/num.h"

struct vma {
	uint64_t start, end;
	int prot;
	bool shared; /* MAP_SHARED */
	uint64_t offset, inode, device;
};

/*
 * The mapping that holds all of [at, at + len): neighbours that continue the
 * same file with the same rights count as one. -EFAULT: there is none.
 */
int vma_find(uint64_t at, uint64_t len, struct vma *out) MUST_USE;

/* One line of the maps file; false: it does not read as one. */
bool vma_parse(const char *line, struct vma *out);

#endif
