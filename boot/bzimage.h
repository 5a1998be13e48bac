/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bzimage: the header of a Linux kernel (Documentation/arch/x86/boot.rst),
 * read far enough to hand it to a firmware over fw_cfg in two pieces, setup
 * and rest, or to enter it without one. Nothing in it is patched: under kernel
 * hashes the firmware checks SHA-256 of setup followed by rest, which is the
 * file as it lies on disk.
 */
#ifndef CARREL_BOOT_BZIMAGE_H
#define CARREL_BOOT_BZIMAGE_H

#include <stdint.h>

#include "vmm/num.h"

struct bzimage {
	size_t setup_bytes; /* [0, setup_bytes) is setup, the rest follows */
	uint16_t protocol; /* boot protocol, 0x020f is 2.15 */
	uint32_t cmdline_max; /* longest command line, without its NUL */
	bool efi_stub; /* a PE image too: what OVMF starts */
	/* For a start without firmware: */
	bool entry64; /* has a 64-bit entry point, see below */
	uint64_t load_at; /* where it runs if loaded there */
	uint32_t init_size; /* bytes it needs from there before it finds out */
	uint32_t initrd_max; /* highest address of the initrd's last byte */
	size_t header_end; /* of the setup header, from BZIMAGE_HEADER on */
};

/* Where the setup header begins, in the file and in the zero page. */
#define BZIMAGE_HEADER 0x1f1u
#define BZIMAGE_HEADER_MAX 0x290u /* what follows it in the zero page */

/* The 64-bit entry point, from where the rest is loaded. */
#define BZIMAGE_ENTRY64 0x200u

/* 0; or -EINVAL with *why (static text). bz is written on success only. */
int bzimage_parse(struct bzimage *bz, const uint8_t *image, size_t len,
		  const char **why) MUST_USE;

#endif
