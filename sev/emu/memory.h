/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory: private and shared guest memory apart. Every block of guest memory
 * has two backings: S, which the program and its devices see, and P, which
 * they never see. A guest's page is in one of three states:
 *
 *   TRAPPED  with the C-bit it reaches P; without, trap.c decides;
 *   PRIVATE  both reach P: paging was off, or it is a page table;
 *   SHARED   without the C-bit it reaches S; with it, it is private again.
 *
 * For a page that was never shared S holds ciphertext, or nothing yet.
 * Addresses named `at` are the program's own, as it gave them to KVM.
 */
#ifndef CARREL_EMU_MEMORY_H
#define CARREL_EMU_MEMORY_H

#include "sev/emu/cipher.h"
#include "sev/emu/journal.h"
#include "sev/emu/lock.h"

#define PAGE 4096ull
#define MEMORY_BLOCKS 64

enum view { VIEW_TRAPPED, VIEW_PRIVATE, VIEW_SHARED };

struct block {
	uint64_t at, len; /* the program's mapping of S */
	uint8_t *plain; /* S again, for us: never traps */
	uint8_t *secret; /* P, for us: never traps */
	uint8_t *open; /* KVM's: accesses without the C-bit */
	uint8_t *closed; /* KVM's: accesses with it; P */
	uint8_t *fill; /* S, where writeback.c adds pages */
	uint8_t *view; /* enum view, a byte a page */
	uint64_t dram; /* physical address: tweaks the cipher */
};

struct memory {
	struct lock lock; /* guards all of this */
	const struct journal *log;
	int uffd;
	bool running; /* the guest: it has a key, and writes */
	uint32_t over; /* the VM is gone: its threads end */
	struct cipher *cipher; /* NULL before LAUNCH_START */
	uint64_t next_dram;
	unsigned blocks;
	struct block block[MEMORY_BLOCKS];
};

int memory_open(struct memory *m, const struct journal *log) MUST_USE;

/* After the threads have ended: all but the program's own mappings goes. */
void memory_close(struct memory *m);

/*
 * The block around [at, at + len), made when there is none: the program's
 * mapping is split into S and P in place. exact: make it just this large;
 * otherwise a shared mapping is taken whole. *off is at's place in the block.
 */
int memory_adopt(struct memory *m, uint64_t at, uint64_t len, bool exact,
		 struct block **b, uint64_t *off) MUST_USE;

/* The guest's first step: from now on it is the one that writes. */
void memory_run(struct memory *m);

/* What psp.h's struct psp_memory asks for; ctx is a struct memory. */
int memory_read_plain(void *ctx, uint64_t at, uint8_t *to, size_t len);
int memory_write_plain(void *ctx, uint64_t at, const uint8_t *p, size_t len);
int memory_read_private(void *ctx, struct cipher *key, uint64_t at, uint8_t *to,
			size_t len);
int memory_write_private(void *ctx, struct cipher *key, uint64_t at,
			 const uint8_t *p, size_t len);

#endif
