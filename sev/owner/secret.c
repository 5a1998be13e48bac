/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret: building, parsing and packing a table of launch secrets. The table
 * is {GUID, u32 length of all} and then {GUID, u32 20 + n, n bytes} an entry.
 */
#include "sev/owner/secret.h"

#include <errno.h>

#include "sev/owner/crypto.h"
#include "sev/owner/files.h"
#include "vmm/log.h"

#define HEAD_LEN (GUID_LEN + 4) /* a GUID and a length: table and entry */

/* 1e74f542-71dd-4d66-963e-ef4287ff173b */
static const uint8_t table_guid[GUID_LEN] = {
	0x42, 0xf5, 0x74, 0x1e, 0xdd, 0x71, 0x66, 0x4d,
	0x96, 0x3e, 0xef, 0x42, 0x87, 0xff, 0x17, 0x3b,
};

/* SEV API, 6.6.2: what the MAC is for; a measurement's has another (6.5). */
#define CONTEXT_SECRET 0x01

void secret_table_init(struct secret_table *t)
{
	memset(t->bytes, 0, sizeof(t->bytes));
	bytes_copy(t->bytes, sizeof(t->bytes), table_guid, GUID_LEN);
	put_le32(t->bytes + GUID_LEN, HEAD_LEN);
	t->len = HEAD_LEN;
}

static bool has_entry(const struct secret_table *t, const uint8_t *guid)
{
	for (size_t at = HEAD_LEN; at < t->len;
	     at += get_le32(t->bytes + at + GUID_LEN))
		if (!memcmp(t->bytes + at, guid, GUID_LEN))
			return true;
	return false;
}

static int check_passwd(const char *path, const uint8_t *p, size_t len)
{
	if (!len) {
		log_error("%s is empty: that is no passphrase", path);
		return -EINVAL;
	}
	if (p[len - 1] == '\n' || p[len - 1] == '\r')
		log_warn("%s ends with a line end, which becomes part of the "
			 "passphrase; write it with printf %%s if that is not "
			 "meant",
			 path);
	return 0;
}

int secret_table_add(struct secret_table *t, const uint8_t guid[GUID_LEN],
		     const char *path, bool passwd)
{
	uint8_t *entry = t->bytes + t->len;
	char text[GUID_TEXT];
	size_t room = sizeof(t->bytes) - t->len, len;
	int rc;

	text_guid_write(text, guid);
	if (has_entry(t, guid)) {
		log_error("entry %s is given twice", text);
		return -EEXIST;
	}
	if (room < HEAD_LEN) {
		log_error("no room for entry %s: a table of secrets has at "
			  "most %d bytes",
			  text, SEV_SECRET_MAX);
		return -ENOSPC;
	}
	/* Straight into its place: no second copy to wipe. */
	rc = files_read(path, entry + HEAD_LEN, room - HEAD_LEN, &len);
	if (!rc && passwd)
		rc = check_passwd(path, entry + HEAD_LEN, len);
	if (rc) {
		explicit_bzero(entry, room);
		return rc;
	}
	bytes_copy(entry, room, guid, GUID_LEN);
	put_le32(entry + GUID_LEN, (uint32_t)(HEAD_LEN + len));
	t->len += HEAD_LEN + len;
	put_le32(t->bytes + GUID_LEN, (uint32_t)t->len);
	return 0;
}

int secret_table_parse(const uint8_t *p, size_t len,
		       struct secret_entry entry[SECRET_ENTRIES_MAX])
{
	size_t end, at;
	int n = 0;

	if (len < HEAD_LEN || memcmp(p, table_guid, GUID_LEN))
		return -EINVAL;
	end = get_le32(p + GUID_LEN);
	if (end < HEAD_LEN || end > len)
		return -EINVAL;
	for (at = HEAD_LEN; at < end; n++) {
		uint32_t size;

		if (n == SECRET_ENTRIES_MAX || end - at < HEAD_LEN)
			return -EINVAL;
		size = get_le32(p + at + GUID_LEN);
		if (size < HEAD_LEN || size > end - at)
			return -EINVAL;
		bytes_copy(entry[n].guid, GUID_LEN, p + at, GUID_LEN);
		entry[n].data = p + at + HEAD_LEN;
		entry[n].len = size - HEAD_LEN;
		at += size;
	}
	return n;
}

int secret_pack(struct secret_packet *out, const struct secret_table *t,
		const struct tk *tk, const uint8_t iv[16],
		const uint8_t *measurement)
{
	static const uint8_t context = CONTEXT_SECRET;
	uint8_t *mac = out->header + 20;
	uint8_t length[4];
	const struct bytes msg[] = {
		{ &context, 1 },
		{ out->header, 4 + 16 }, /* flags and IV */
		{ length, 4 }, /* in the guest */
		{ length, 4 }, /* in the packet */
		{ out->payload, (t->len + 15) & ~15ull },
		{ measurement, measurement ? SEV_MAC_LEN : 0 },
	};
	int rc;

	memset(out, 0, sizeof(*out));
	out->len = msg[4].len;
	put_le32(length, (uint32_t)out->len);
	bytes_copy(out->header + 4, 16, iv, 16);
	rc = crypto_aes_ctr(tk->tek, iv, t->bytes, out->payload, out->len);
	if (rc)
		return rc;
	return crypto_hmac(tk->tik, sizeof(tk->tik), msg, ARRAY_LEN(msg), mac);
}
