/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pvh: the start info by which a PVH kernel learns where things are (Xen,
 * public/arch-x86/hvm/start_info.h, version 1), with its lists behind it, in
 * one page.
 */
#ifndef CARREL_BOOT_PVH_H
#define CARREL_BOOT_PVH_H

#include "boot/e820.h"

#define PVH_LEN 4096u

struct pvh_source {
	uint32_t at; /* where the page will be */
	const uint8_t *e820; /* entries of E820_ENTRY_LEN bytes */
	size_t e820_len;
	uint32_t cmdline, initrd,
		initrd_len; /* guest addresses; no initrd: 0 */
	uint32_t rsdp;
};

void pvh_build(uint8_t page[PVH_LEN], const struct pvh_source *src);

#endif
