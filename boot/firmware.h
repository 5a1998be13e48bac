/* SPDX-License-Identifier: Apache-2.0 */
/*
 * firmware: what an OVMF image says about itself, in the GUIDed table at its
 * end (edk2, OvmfPkg/ResetVector: walked backwards from 32 bytes before the
 * end). The image is hostile: it may come from whoever rents the machine, and
 * the addresses in it tell the VMM where to write. An image without the table
 * (other firmware, a test's few instructions) is fine and names nothing.
 */
#ifndef CARREL_BOOT_FIRMWARE_H
#define CARREL_BOOT_FIRMWARE_H

#include <stdint.h>

#include "vmm/num.h"

/* Guest-physical, below 4 GiB; size 0: the firmware names no such area. */
struct firmware_area {
	uint32_t base, size;
};

struct firmware {
	bool has_table;
	struct firmware_area secret; /* where a launch secret goes */
	struct firmware_area hashes; /* where the kernel hash table goes */
	bool has_ap_reset;
	uint32_t ap_reset; /* SEV-ES: CS base in bits 31:16, IP in 15:0 */
};

/* Is len a size that fits between BOARD_ROM_MIN and _MAX, in whole pages? */
bool firmware_size_ok(uint64_t len);

/*
 * Reads the table of an image of len bytes. 0; or -EINVAL with *why (static
 * text) when the size is impossible, a length lies, an entry comes twice, or
 * an area wraps, is empty at an address, overlaps the other or the image
 * itself. fw is written on success only.
 */
int firmware_parse(struct firmware *fw, const uint8_t *image, size_t len,
		   const char **why) MUST_USE;

#endif
