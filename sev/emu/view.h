/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view: what an access without the C-bit reaches, page by page, and the faults
 * by which the kernel asks. All of S is mapped there under userfaultfd: a page
 * without an entry in the page table traps, one with an entry is shared. Only
 * the few pages that reach P are mappings of their own.
 */
#ifndef CARREL_EMU_VIEW_H
#define CARREL_EMU_VIEW_H

#include "sev/emu/memory.h"

/* Makes a mapping of S report each page that it has no entry for. */
int view_trap(int uffd, void *at, uint64_t len) MUST_USE;
/* Makes the program's own mapping report each page that S has not. */
void view_arm(int uffd, struct block *b);

/* Both with the lock held: pages private until somebody shares them; shared. */
void view_close(struct memory *m, struct block *b, uint64_t off, uint64_t len);
void view_open(struct memory *m, struct block *b, uint64_t off, uint64_t len);

/* Where a fault happened; false: not in this memory. */
struct fault {
	struct block *b;
	uint64_t off;
	bool host;		/* the program's own access, not the guest's */
};
bool view_fault(struct memory *m, uint64_t address, struct fault *f);
enum view view_get(struct memory *m, const struct fault *f);

/* Answers a guest's fault: the page is what `to` says if it was trapped. */
void view_answer(struct memory *m, const struct fault *f, enum view to);
/* Answers the program's: ciphertext of a private page that was never shared. */
void view_answer_host(struct memory *m, const struct fault *f);

#endif
