/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk: see the header.
 */
#include "sev/emu/walk.h"

#define PTE_PRESENT 1ull
#define PTE_LARGE (1ull << 7)
#define PTE_ADDRESS 0x000ffffffffff000ull
#define ENTRIES 512
#define TABLES_MAX 2048		/* fuel: 1 TiB in pages of 2 MiB */

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

bool walk_finds(struct vm *vm, uint64_t cr3, bool five_levels,
		const struct fault *f)
{
	struct walk w = { .vm = vm, .c_bit = 1ull << vm->c_bit, .f = f,
			  .fuel = TABLES_MAX };

	return is_page(&w, cr3) || find(&w, cr3, five_levels ? 5 : 4);
}

/* The entry that maps linear address at; 0: nothing does. *size: of its page. */
static uint64_t leaf(struct vm *vm, uint64_t cr3, unsigned level, uint64_t at,
		     uint64_t *size)
{
	uint64_t c_bit = 1ull << vm->c_bit, gpa = cr3, e = 0, off;

	for (; level; level--) {
		unsigned shift = 12 + 9 * (level - 1);
		const struct block *b = vm_block(vm, gpa, &off);

		if (!b)
			return 0;
		e = entry(b->secret + off, at >> shift & (ENTRIES - 1));
		*size = 1ull << shift;
		if (!(e & PTE_PRESENT))
			return 0;
		if (level < 4 && (e & PTE_LARGE))
			break;
		gpa = e & PTE_ADDRESS & ~c_bit;
	}
	return e;
}

/* Does linear address at lead to the same physical address, not encrypted? */
static bool identity(struct vm *vm, uint64_t cr3, unsigned level, uint64_t at)
{
	uint64_t size = 0, e = leaf(vm, cr3, level, at, &size);

	return (e & PTE_PRESENT) && !(e & 1ull << vm->c_bit) &&
	       (e & PTE_ADDRESS & ~(size - 1)) == (at & ~(size - 1));
}

unsigned walk_shared(struct vm *vm, uint64_t cr3, bool five_levels,
		     const struct fault *f, unsigned most)
{
	unsigned n = 0;
	uint64_t gpa;

	if (!vm_address(vm, f->b, f->off, &gpa))
		return 1;
	while (n < most && identity(vm, cr3, five_levels ? 5 : 4,
				    gpa + n * PAGE))
		n++;
	return n ? n : 1;
}
