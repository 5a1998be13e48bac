/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x86state: see the header. Formats are those of the AMD64 manual, volume 2:
 * 4.8 (segment descriptors) and 5.3 (long-mode paging).
 */
#include "boot/x86state.h"

#include <assert.h>

#include "vmm/image.h"

#define TABLE 0x1000u
#define ENTRIES 512u
#define DIRECTORIES 4u /* of 1 GiB each */
#define LARGE_PAGE (2ull * MIB)

#define PTE_PRESENT_WRITABLE 0x03u
#define PTE_LARGE 0x80u

/* Code: 64-bit, readable. Data: writable. Both flat, ring 0, accessed. */
#define CODE64 0x00af9b000000ffffull
#define DATA 0x00cf93000000ffffull

void x86state_build(uint8_t state[X86STATE_LEN], uint32_t base)
{
	uint8_t *pml4 = state + X86STATE_PML4, *pdpt = pml4 + TABLE;
	const uint64_t pdpt_at = (uint64_t)base + X86STATE_PML4 + TABLE;

	static_assert(X86STATE_PML4 + (2 + DIRECTORIES) * TABLE == X86STATE_LEN,
		      "one PML4, one PDPT, the directories");
	memset(state, 0, X86STATE_LEN);
	put_le64(state + X86STATE_GDT + IMAGE_CODE_SELECTOR, CODE64);
	put_le64(state + X86STATE_GDT + IMAGE_DATA_SELECTOR, DATA);
	put_le64(pml4, pdpt_at | PTE_PRESENT_WRITABLE);
	for (uint32_t i = 0; i < DIRECTORIES; i++)
		put_le64(pdpt + 8 * i,
			 (pdpt_at + (1 + i) * TABLE) | PTE_PRESENT_WRITABLE);
	for (uint64_t i = 0; i < DIRECTORIES * ENTRIES; i++)
		put_le64(pdpt + TABLE + 8 * i,
			 i * LARGE_PAGE | PTE_LARGE | PTE_PRESENT_WRITABLE);
}
