/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elf: a kernel as an uncompressed ELF file (vmlinux) with the note that makes
 * it a PVH kernel: a 32-bit entry point (Xen, docs/misc/pvh.pandoc). The file
 * is hostile. What is returned lies inside it, does not overlap, and stays
 * below 4 GiB; whether that is RAM is the caller's to check.
 */
#ifndef CARREL_BOOT_ELF_H
#define CARREL_BOOT_ELF_H

#include <stdint.h>

#include "vmm/num.h"

#define ELF_SEGMENTS 8 /* to load; Linux has 5 at most */

struct elf_segment {
	uint64_t at; /* guest-physical */
	size_t off, len; /* in the file */
	uint64_t zeros; /* bytes of zero after those */
};

struct elf {
	struct elf_segment segment[ELF_SEGMENTS];
	size_t n; /* 1 or more */
	uint64_t begin, end; /* all segments are in [begin, end) */
	uint32_t entry; /* in one of them */
};

/* Does the file begin like an ELF file, of whatever kind? */
bool elf_is(const uint8_t *image, size_t len);

/* 0; or -EINVAL with *why (static text). e is written on success only. */
int elf_parse(struct elf *e, const uint8_t *image, size_t len,
	      const char **why) MUST_USE;

#endif
