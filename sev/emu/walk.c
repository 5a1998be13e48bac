/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk: see the header.
 */
#include "sev/emu/walk.h"

#define PTE_PRESENT 1ull
#define PTE_LARGE (1ull << 7)
#define PTE_ADDRESS 0x000ffffffffff000ull
#define ENTRIES 512
#define INSTRUCTION_MAX 15
#define TABLES_MAX 2048 /* fuel: 1 TiB in pages of 2 MiB */

struct walk {
	struct vm *vm;
	uint64_t c_bit;
	const struct fault *f;
	unsigned fuel;
};

static bool is_page(const struct walk *w, uint64_t gpa)
{
	uint64_t off = 0;

	return vm_block(w->vm, gpa, &off) == w->f->b &&
	       (off & ~(PAGE - 1)) == w->f->off;
}

/* The guest may be changing the entry: it is read once. */
static uint64_t entry(const uint8_t *table, unsigned i)
{
	const volatile uint64_t *t = (const void *)table;

	return t[i];
}

/* level 1 holds pages only, and is never looked into. */
static bool find(struct walk *w, uint64_t gpa, unsigned level)
{
	uint64_t off = 0;
	const struct block *b = vm_block(w->vm, gpa, &off);

	if (!b || !w->fuel)
		return false;
	w->fuel--;
	for (unsigned i = 0; i < ENTRIES; i++) {
		uint64_t e = entry(b->secret + off, i);
		uint64_t next = e & PTE_ADDRESS & ~w->c_bit;

		if (!(e & PTE_PRESENT) || (level < 4 && (e & PTE_LARGE)))
			continue;
		if (!(e & w->c_bit) && is_page(w, next))
			return true;
		if (level > 2 && find(w, next, level - 1))
			return true;
	}
	return false;
}

bool walk_finds(struct vm *vm, const struct paging *p, const struct fault *f)
{
	struct walk w = {
		.vm = vm, .c_bit = 1ull << vm->c_bit, .f = f, .fuel = TABLES_MAX
	};

	return is_page(&w, p->cr3) || find(&w, p->cr3, p->five_levels ? 5 : 4);
}

/* A place in a guest's linear memory, and what maps it there. */
struct mapping {
	uint64_t gpa;
	bool present, encrypted;
};

static struct mapping translate(struct vm *vm, const struct paging *p,
				uint64_t linear)
{
	uint64_t c_bit = 1ull << vm->c_bit, gpa = p->cr3, e, off;
	unsigned level = p->five_levels ? 5 : 4, shift;

	for (;; level--) {
		const struct block *b = vm_block(vm, gpa, &off);

		if (!b)
			return (struct mapping){ .present = false };
		shift = 12 + 9 * (level - 1);
		e = entry(b->secret + off, linear >> shift & (ENTRIES - 1));
		if (!(e & PTE_PRESENT))
			return (struct mapping){ .present = false };
		gpa = e & PTE_ADDRESS & ~c_bit;
		if (level == 1 || (level < 4 && (e & PTE_LARGE)))
			break;
	}
	off = (1ull << shift) - 1;
	return (struct mapping){ (gpa & ~off) | (linear & off), true,
				 e & c_bit };
}

bool walk_fetches(struct vm *vm, const struct paging *p, const struct fault *f)
{
	const uint64_t ends[] = { p->rip, p->rip + INSTRUCTION_MAX - 1 };

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct mapping m = translate(vm, p, ends[i]);
		uint64_t off = 0;

		if (m.present && vm_block(vm, m.gpa, &off) == f->b &&
		    (off & ~(PAGE - 1)) == f->off)
			return true;
	}
	return false;
}

/* How many pages from linear on map gpa and what follows it, not encrypted. */
static unsigned run_length(struct vm *vm, const struct paging *p,
			   uint64_t linear, uint64_t gpa, unsigned most)
{
	unsigned n;

	for (n = 0; n < most; n++) {
		struct mapping m = translate(vm, p, linear + n * PAGE);

		if (!m.present || m.encrypted || m.gpa != gpa + n * PAGE)
			break;
	}
	return n;
}

unsigned walk_shared(struct vm *vm, const struct paging *p,
		     const struct fault *f, unsigned most)
{
	unsigned n = 1;
	uint64_t gpa;

	if (!vm_address(vm, f->b, f->off, &gpa))
		return n;
	n = (unsigned)max_u64(n, run_length(vm, p, gpa, gpa, most));
	for (size_t i = 0; n == 1 && i < PAGING_HINTS; i++)
		n = (unsigned)max_u64(
			n,
			run_length(vm, p, p->hint[i] & ~(PAGE - 1), gpa, most));
	return n;
}
