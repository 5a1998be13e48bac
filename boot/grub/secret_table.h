/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * secret_table: the table of secrets that a guest's owner had put into guest
 * memory. Pure: bytes in, a place inside them out. Who trusts whom: the bytes
 * are authenticated in a SEV guest, but in any other the host wrote them, so no
 * length in them is believed.
 *
 * Layout (docs/sev-launch.md, "The secret"), little-endian, at any alignment:
 * GUID 1e74f542-71dd-4d66-963e-ef4287ff173b, u32 length of the whole table,
 * then entries of GUID, u32 length with this header, data.
 */
#ifndef CARREL_GRUB_SECRET_TABLE_H
#define CARREL_GRUB_SECRET_TABLE_H

#include <stddef.h>
#include <stdint.h>

enum secret_found {
	SECRET_FOUND,
	SECRET_NO_TABLE, /* another GUID: nobody sent a secret */
	SECRET_NO_ENTRY, /* a table, but nothing under that GUID */
	SECRET_DAMAGED, /* a length that does not fit, or that GUID twice */
};

struct secret_span {
	const uint8_t *data;
	size_t len;
};

/* The GUID of a LUKS passphrase, as it lies in memory. */
extern const uint8_t secret_luks_guid[16];

/*
 * The entry of guid in the area. The whole table is checked before anything of
 * it is handed out; *out is set only with SECRET_FOUND.
 */
enum secret_found secret_table_find(const uint8_t *area, size_t size,
				    const uint8_t guid[16],
				    struct secret_span *out);

enum passphrase_ends {
	PASSPHRASE_PLAIN,
	PASSPHRASE_LINE_END, /* usable, but an editor may have added it */
	PASSPHRASE_EMPTY,
};

/*
 * Takes one NUL off the end, which some tools add, and says what the rest ends
 * with. Nothing else is ever changed.
 */
enum passphrase_ends passphrase_trim(struct secret_span *pass);

#endif
