/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zeropage: see the header. Offsets are those of zero-page.rst and boot.rst.
 */
#include "boot/zeropage.h"

#define RSDP_ADDR 0x070
#define E820_ENTRIES 0x1e8
#define TYPE_OF_LOADER 0x210
#define LOADFLAGS 0x211
#define CODE32_START 0x214
#define RAMDISK_IMAGE 0x218
#define RAMDISK_SIZE 0x21c
#define CMD_LINE_PTR 0x228
#define SETUP_DATA 0x250
#define E820_TABLE 0x2d0
#define E820_TABLE_MAX 128u

#define LOADER_UNKNOWN 0xff /* none of those that have a number */
#define LOADED_HIGH 0x01

void zeropage_build(uint8_t page[ZEROPAGE_LEN],
		    const struct zeropage_source *src)
{
	const struct bzimage *bz = src->bz;
	const size_t entries = src->e820_len / E820_ENTRY_LEN;

	CHECK(bz->entry64 && bz->header_end <= BZIMAGE_HEADER_MAX);
	CHECK(entries <= E820_TABLE_MAX);
	memset(page, 0, ZEROPAGE_LEN);
	bytes_copy(page + BZIMAGE_HEADER, ZEROPAGE_LEN - BZIMAGE_HEADER,
		   src->kernel + BZIMAGE_HEADER,
		   bz->header_end - BZIMAGE_HEADER);
	page[TYPE_OF_LOADER] = LOADER_UNKNOWN;
	page[LOADFLAGS] = LOADED_HIGH;
	put_le32(page + CODE32_START, (uint32_t)bz->load_at);
	put_le32(page + RAMDISK_IMAGE, src->initrd);
	put_le32(page + RAMDISK_SIZE, src->initrd_len);
	put_le32(page + CMD_LINE_PTR, src->cmdline);
	put_le64(page + SETUP_DATA, 0);
	put_le64(page + RSDP_ADDR, src->rsdp);
	page[E820_ENTRIES] = (uint8_t)entries;
	bytes_copy(page + E820_TABLE, ZEROPAGE_LEN - E820_TABLE, src->e820,
		   entries * E820_ENTRY_LEN);
}
