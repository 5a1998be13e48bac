/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zeropage: struct boot_params, by which a boot loader tells Linux where
 * things are (Documentation/arch/x86/zero-page.rst). It starts from the setup
 * header of the kernel's file, which is hostile: of that, only the bytes that
 * the header may have are taken, and every pointer in it is replaced.
 */
#ifndef CARREL_BOOT_ZEROPAGE_H
#define CARREL_BOOT_ZEROPAGE_H

#include "boot/bzimage.h"
#include "boot/e820.h"

#define ZEROPAGE_LEN 4096u

struct zeropage_source {
	const uint8_t *kernel; /* the file that bz was parsed from */
	const struct bzimage *bz; /* with a 64-bit entry point */
	const uint8_t *e820; /* entries of E820_ENTRY_LEN bytes */
	size_t e820_len;
	uint32_t cmdline, initrd, initrd_len; /* guest addresses below 4 GiB */
	uint32_t rsdp;
};

void zeropage_build(uint8_t page[ZEROPAGE_LEN],
		    const struct zeropage_source *src);

#endif
