/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elf_rig: the headers of a kernel as an ELF-64 executable (System V ABI, 4 and
 * 5), for tests of who reads them.
 */
#ifndef CARREL_TESTS_UNIT_ELF_RIG_H
#define CARREL_TESTS_UNIT_ELF_RIG_H

#include "vmm/num.h"

/* The file header; its n program headers come right behind it. */
static void put_ehdr(uint8_t *p, uint16_t n)
{
	bytes_copy(p, 7, "\177ELF\2\1\1", 7);
	put_le16(p + 16, 2);
	put_le16(p + 18, 62);
	put_le64(p + 32, 64);
	put_le16(p + 54, 56);
	put_le16(p + 56, n);
}

static void put_phdr(uint8_t *p, uint32_t type, uint64_t off, uint64_t at,
		     uint64_t len, uint64_t mem_len)
{
	put_le32(p, type);
	put_le64(p + 8, off);
	put_le64(p + 16, 0xffffffff80000000 + at);
	put_le64(p + 24, at);
	put_le64(p + 32, len);
	put_le64(p + 40, mem_len);
}

#endif
