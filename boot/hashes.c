/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hashes: see the header. The table is a header {GUID, u16 length of the whole}
 * and three entries {GUID, u16 length of the entry, SHA-256}, packed.
 */
#include "boot/hashes.h"

#include <assert.h>

#include "boot/guid.h"
#include "boot/sha256.h"

#define HEADER_LEN (GUID_LEN + 2u)
#define ENTRY_LEN (GUID_LEN + 2u + SHA256_BYTES)

static_assert(HEADER_LEN + 3 * ENTRY_LEN == HASHES_TABLE_LEN,
	      "edk2 BlobVerifierLibSevHashes: three SHA-256 entries");
static_assert(HASHES_LEN % 16 == 0, "SEV API 0.24, 6.3: LAUNCH_UPDATE_DATA");

static const struct guid table_guid = GUID(9438d606, 4f22, 4cc9, 0xb4, 0x79,
					   0xa7, 0x93, 0xd4, 0x11, 0xfd, 0x21);
static const struct guid cmdline_guid = GUID(
	97d02dd8, bd20, 4c94, 0xaa, 0x78, 0xe7, 0x71, 0x4d, 0x36, 0xab, 0x2a);
static const struct guid initrd_guid = GUID(44baf731, 3a2f, 4bd7, 0x9a, 0xf1,
					    0x41, 0xe2, 0x91, 0x69, 0x78, 0x1d);
static const struct guid kernel_guid = GUID(4de79437, abd2, 427f, 0xb8, 0x35,
					    0xd5, 0xb1, 0x72, 0xd2, 0x04, 0x5b);

static void put_header(uint8_t *at, const struct guid *g, size_t len)
{
	bytes_copy(at, HEADER_LEN, g->b, GUID_LEN);
	put_le16(at + GUID_LEN, (uint16_t)len);
}

static void put_entry(uint8_t *at, const struct guid *g, const void *data,
		      size_t len)
{
	put_header(at, g, ENTRY_LEN);
	sha256(data, len, at + HEADER_LEN);
}

void hashes_build(uint8_t table[HASHES_LEN], const struct hashes_source *src)
{
	uint8_t *at = table;

	for (size_t i = 0; i < HASHES_LEN; i++)
		table[i] = 0;
	put_header(at, &table_guid, HASHES_TABLE_LEN);
	at += HEADER_LEN;
	put_entry(at, &cmdline_guid, src->cmdline, strlen(src->cmdline) + 1);
	at += ENTRY_LEN;
	put_entry(at, &initrd_guid, src->initrd, src->initrd_len);
	at += ENTRY_LEN;
	put_entry(at, &kernel_guid, src->kernel, src->kernel_len);
}
