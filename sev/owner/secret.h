/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret: the table of secrets that the guest will find in its memory, and the
 * packet that carries it there: encrypted by the TEK, and bound by the TIK to
 * one measurement. A table is plaintext: it lives in locked memory.
 */
#ifndef CARREL_SEV_OWNER_SECRET_H
#define CARREL_SEV_OWNER_SECRET_H

#include "sev/owner/keys.h"
#include "sev/owner/text.h"
#include "sev/uapi.h"

/* The entry under which firmware and GRUB look for a disk's passphrase. */
#define SECRET_PASSWD_GUID "736869e5-84f0-4973-92ec-06879ce3da0b"
#define SECRET_ENTRIES_MAX 64

/* Allocate by keys_alloc(sizeof(struct secret_table)). */
struct secret_table {
	size_t len; /* so far; padding not counted */
	uint8_t bytes[SEV_SECRET_MAX];
};

void secret_table_init(struct secret_table *t);

/*
 * Appends a file's bytes, as they are. passwd: it is a passphrase, for which
 * nothing at all is refused and a line end at its end is warned of.
 */
int secret_table_add(struct secret_table *t, const uint8_t guid[GUID_LEN],
		     const char *path, bool passwd) MUST_USE;

/* One entry of a table. */
struct secret_entry {
	uint8_t guid[GUID_LEN];
	const uint8_t *data; /* into the table */
	size_t len;
};

/* Parses a hostile table; -EINVAL, or the number of entries. */
int secret_table_parse(const uint8_t *p, size_t len,
		       struct secret_entry entry[SECRET_ENTRIES_MAX]) MUST_USE;

/* The packet of LAUNCH_SECRET; nothing in it is secret any more. */
struct secret_packet {
	uint8_t header[SEV_SECRET_HEADER_LEN];
	uint8_t payload[SEV_SECRET_MAX];
	size_t len; /* a multiple of 16 */
};

/*
 * measurement: MAC of the launch it is meant for; NULL on a platform older
 * than API 0.17, whose packets are bound to none. iv must be fresh.
 */
int secret_pack(struct secret_packet *out, const struct secret_table *t,
		const struct tk *tk, const uint8_t iv[16],
		const uint8_t *measurement) MUST_USE;

#endif
