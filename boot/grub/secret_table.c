/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * secret_table: see the header. Compiled into GRUB's module and, for tests and
 * fuzzing, for the host; so it needs no library at all.
 */
#include "boot/grub/secret_table.h"

enum { GUID_LEN = 16, HEAD_LEN = GUID_LEN + 4 };

static const uint8_t table_guid[GUID_LEN] = {
	0x42, 0xf5, 0x74, 0x1e, 0xdd, 0x71, 0x66, 0x4d,
	0x96, 0x3e, 0xef, 0x42, 0x87, 0xff, 0x17, 0x3b,
};

const uint8_t secret_luks_guid[GUID_LEN] = {
	0xe5, 0x69, 0x68, 0x73, 0xf0, 0x84, 0x73, 0x49,
	0x92, 0xec, 0x06, 0x87, 0x9c, 0xe3, 0xda, 0x0b,
};

static int guid_is(const uint8_t *at, const uint8_t *guid)
{
	uint8_t differ = 0;

	for (size_t i = 0; i < GUID_LEN; i++)
		differ |= (uint8_t)(at[i] ^ guid[i]);
	return !differ;
}

static size_t u32_at(const uint8_t *p)
{
	return (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 |
	       (size_t)p[3] << 24;
}

/*
 * The length of the thing whose header is at p, or 0 if it does not lie inside
 * the room that is left.
 */
static size_t whole_len(const uint8_t *p, size_t room)
{
	size_t len;

	if (room < HEAD_LEN)
		return 0;
	len = u32_at(p + GUID_LEN);
	return len < HEAD_LEN || len > room ? 0 : len;
}

enum secret_found secret_table_find(const uint8_t *area, size_t size,
				    const uint8_t guid[16],
				    struct secret_span *out)
{
	struct secret_span found = { 0 };
	size_t len, end, at;

	if (size < HEAD_LEN || !guid_is(area, table_guid))
		return SECRET_NO_TABLE;
	end = whole_len(area, size);
	if (!end)
		return SECRET_DAMAGED;
	for (at = HEAD_LEN; at < end; at += len) {
		len = whole_len(area + at, end - at);
		if (!len)
			return SECRET_DAMAGED;
		if (!guid_is(area + at, guid))
			continue;
		if (found.data)
			return SECRET_DAMAGED;
		found.data = area + at + HEAD_LEN;
		found.len = len - HEAD_LEN;
	}
	if (!found.data)
		return SECRET_NO_ENTRY;
	*out = found;
	return SECRET_FOUND;
}

enum passphrase_ends passphrase_trim(struct secret_span *pass)
{
	if (pass->len && !pass->data[pass->len - 1])
		pass->len--;
	if (!pass->len)
		return PASSPHRASE_EMPTY;
	return pass->data[pass->len - 1] == '\n' ||
			       pass->data[pass->len - 1] == '\r'
		       ? PASSPHRASE_LINE_END
		       : PASSPHRASE_PLAIN;
}
