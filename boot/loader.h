/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loader: commands of the script etc/table-loader, by which a firmware places
 * fw_cfg files in memory and ties them together (the format is QEMU's; edk2
 * reads it in OvmfPkg/AcpiPlatformDxe). Order is the caller's: allocate a file
 * before naming it, checksum a range after its pointers.
 */
#ifndef CARREL_BOOT_LOADER_H
#define CARREL_BOOT_LOADER_H

#include "boot/writer.h"

enum loader_zone {
	LOADER_HIGH = 1, /* anywhere below 4 GiB */
	LOADER_FSEG = 2, /* 0xf0000 to 0xfffff, if the firmware cares */
};

/* Load file, aligned to a power of two of at most 4096. */
void loader_load(struct writer *script, const char *file, size_t align,
		 enum loader_zone zone);

/* Add the address of target to the len-byte offset that is at file + at. */
void loader_pointer(struct writer *script, const char *file, size_t at,
		    uint8_t len, const char *target);

/* Make [start, start + len) of file sum to zero by the byte at result. */
void loader_checksum(struct writer *script, const char *file, size_t result,
		     size_t start, size_t len);

/* A file of a script, placed. */
struct loader_file {
	const char *name;
	uint8_t *bytes;
	size_t len;
	uint64_t at; /* guest-physical */
};

/*
 * What a firmware would do with a script of ours, where none runs: pointers
 * and checksums. The n files are placed already, so loading is no news.
 */
void loader_run(const uint8_t *script, size_t len,
		const struct loader_file *file, size_t n);

#endif
