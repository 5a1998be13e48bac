/* SPDX-License-Identifier: Apache-2.0 */
/*
 * e820: see the header. An entry is {u64 base, u64 length, u32 type}, packed
 * (ACPI 6.4, table 15.4).
 */
#include "boot/e820.h"

#include "boot/layout.h"
#include "boot/writer.h"
#include "vmm/board_map.h"
#include "vmm/gmem.h"

#define TYPE_RAM 1
#define TYPE_RESERVED 2

/* The pages that KVM itself needs on older Intel hosts, identity map first. */
#define KVM_PAGES_LEN (4 * GMEM_PAGE)

static void put_entry(struct writer *map, uint64_t base, uint64_t len,
		      uint32_t type)
{
	writer_u64(map, base);
	writer_u64(map, len);
	writer_u32(map, type);
}

size_t e820_build(uint8_t map[E820_MAX], uint64_t ram_low, uint64_t ram_high)
{
	struct writer b = { .bytes = map, .cap = E820_MAX };

	put_entry(&b, BOARD_KVM_IDENTITY_BASE, KVM_PAGES_LEN, TYPE_RESERVED);
	put_entry(&b, 0, ram_low, TYPE_RAM);
	if (ram_high)
		put_entry(&b, GMEM_HIGH_BASE, ram_high, TYPE_RAM);
	return b.len;
}

size_t e820_build_direct(uint8_t map[E820_MAX], uint64_t ram_low,
			 uint64_t ram_high)
{
	struct writer b = { .bytes = map, .cap = E820_MAX };

	put_entry(&b, 0, LAYOUT_LOW_END, TYPE_RAM);
	put_entry(&b, LAYOUT_RSDP, LAYOUT_KERNEL - LAYOUT_RSDP, TYPE_RESERVED);
	put_entry(&b, LAYOUT_KERNEL, ram_low - LAYOUT_KERNEL, TYPE_RAM);
	put_entry(&b, BOARD_ECAM_BASE, BOARD_ECAM_SIZE, TYPE_RESERVED);
	put_entry(&b, BOARD_KVM_IDENTITY_BASE, KVM_PAGES_LEN, TYPE_RESERVED);
	if (ram_high)
		put_entry(&b, GMEM_HIGH_BASE, ram_high, TYPE_RAM);
	return b.len;
}
