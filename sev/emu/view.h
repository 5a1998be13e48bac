/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view: what KVM's two mappings of a block lead to, page by page, and the
 * faults by which the kernel asks. `open` is all of S under userfaultfd: a page
 * without an entry in the page table traps, one with an entry is shared; only
 * the few pages that reach P are mappings of their own. `closed` is all of P,
 * and traps where a page is shared: a firmware takes such a page back without
 * telling anybody.
 */
#ifndef CARREL_EMU_VIEW_H
#define CARREL_EMU_VIEW_H

#include "sev/emu/memory.h"

/* Makes a mapping of S report each page that it has no entry for. */
int view_trap(int uffd, void *at, uint64_t len) MUST_USE;
/* Both with the lock held: pages private until somebody shares them; shared. */
void view_close(struct memory *m, struct block *b, uint64_t off, uint64_t len);
void view_open(struct memory *m, struct block *b, uint64_t off, uint64_t len);

/* Where a fault happened; false: not in this memory. */
struct fault {
	struct block *b;
	uint64_t off;
	bool closed; /* an access with the C-bit */
};
bool view_fault(struct memory *m, uint64_t address, struct fault *f);
enum view view_get(struct memory *m, const struct fault *f);

/*
 * Answers a guest's fault: that page, and the next ones up to `pages`, are what
 * `to` says where they were trapped.
 */
void view_answer(struct memory *m, const struct fault *f, enum view to,
		 unsigned pages);
/* Answers an access with the C-bit: the page is private again. */
void view_claim(struct memory *m, const struct fault *f);

#endif
