/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hashes: the table that ties a kernel handed over by an untrusted host to the
 * launch measurement. Its page is measured with the firmware; the firmware
 * then hashes what it reads over fw_cfg and stops at a difference (edk2,
 * OvmfPkg/AmdSev/BlobVerifierLibSevHashes). All three entries are always
 * there: the firmware waves through a blob whose entry is missing.
 */
#ifndef CARREL_BOOT_HASHES_H
#define CARREL_BOOT_HASHES_H

#include <stdint.h>

#include "vmm/num.h"

#define HASHES_TABLE_LEN 168
#define HASHES_LEN 176 /* zero-padded: SEV encrypts multiples of 16 bytes */

struct hashes_source {
	const uint8_t *kernel; /* setup followed by rest: the whole file */
	size_t kernel_len;
	const uint8_t *initrd; /* NULL with length 0: none, hash of nothing */
	size_t initrd_len;
	const char *cmdline; /* hashed with its NUL; "" is none */
};

void hashes_build(uint8_t table[HASHES_LEN], const struct hashes_source *src);

#endif
