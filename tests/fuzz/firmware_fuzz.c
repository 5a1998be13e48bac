/* SPDX-License-Identifier: Apache-2.0 */
/*
 * firmware_fuzz: bytes become the tail of a 64 KiB image, where the table is.
 * Whatever is accepted must hold what boot/firmware.h promises.
 */
#include "boot/firmware.h"

#include <stdlib.h>

#include "vmm/board_map.h"

#define ROM_LEN 0x10000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_area(const struct firmware_area *a)
{
	if (a->size == 0)
		CHECK(a->base == 0);
	else
		CHECK(range_ok(a->base, a->size, BOARD_ROM_END - ROM_LEN));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *rom = calloc(1, ROM_LEN);
	struct firmware fw;
	const char *why = NULL;
	int rc;

	CHECK(rom);
	len = (size_t)min_u64(len, ROM_LEN);
	bytes_copy(rom + ROM_LEN - len, len, data, len);
	rc = firmware_parse(&fw, rom, ROM_LEN, &why);
	if (rc) {
		CHECK(why);
	} else {
		check_area(&fw.secret);
		check_area(&fw.hashes);
	}
	free(rom);
	return 0;
}
