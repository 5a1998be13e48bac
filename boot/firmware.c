/* SPDX-License-Identifier: Apache-2.0 */
/*
 * firmware: see the header. The table, seen from its end:
 *
 *	... | data | u16 length | GUID |   one entry; length counts all three
 *	... |        u16 length | GUID |   the footer; length counts the table
 *	32 bytes                           reset vector, end of the image
 */
#include "boot/firmware.h"

#include <errno.h>

#include "boot/guid.h"
#include "vmm/board_map.h"

#define TAIL 32u /* bytes after the footer */
#define ENTRY_MIN (2u + GUID_LEN) /* an entry without data */

/* Smaller addresses hold the real-mode vectors: no firmware puts data there. */
#define AREA_LOWEST 0x1000u

static const struct guid footer_guid = GUID(96b582de, 1fb2, 45f7, 0xba, 0xea,
					    0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d);
static const struct guid secret_guid = GUID(4c2eb361, 7d9b, 4cc3, 0x80, 0x81,
					    0x12, 0x7c, 0x90, 0xd3, 0xd2, 0x94);
static const struct guid hashes_guid = GUID(7255371f, 3a3b, 4b04, 0x92, 0x7b,
					    0x1d, 0xa6, 0xef, 0xa8, 0xd4, 0x54);
static const struct guid ap_reset_guid = GUID(
	00f771de, 1a7e, 4fcb, 0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e);

/* The walk: what has been found so far, and which entries were seen. */
struct walk {
	struct firmware fw;
	bool secret, hashes;
	const char *why;
};

static int refuse(struct walk *w, const char *why)
{
	w->why = why;
	return -EINVAL;
}

bool firmware_size_ok(uint64_t len)
{
	return len >= BOARD_ROM_MIN && len <= BOARD_ROM_MAX && len % 4096 == 0;
}

static int take_area(struct walk *w, bool *seen, struct firmware_area *out,
		     const uint8_t *data, size_t len)
{
	if (*seen)
		return refuse(w, "its table has the same area twice");
	if (len != 8)
		return refuse(w, "its table has an area entry of odd length");
	*seen = true;
	*out = (struct firmware_area){ .base = get_le32(data),
				       .size = get_le32(data + 4) };
	return 0;
}

static int take_ap_reset(struct walk *w, const uint8_t *data, size_t len)
{
	if (w->fw.has_ap_reset)
		return refuse(w, "its table has two AP reset entries");
	if (len != 4)
		return refuse(w, "its AP reset entry has an odd length");
	w->fw.has_ap_reset = true;
	w->fw.ap_reset = get_le32(data);
	return 0;
}

/* Entries with other GUIDs are for other readers: skipped. */
static int take_entry(struct walk *w, const uint8_t *guid, const uint8_t *data,
		      size_t len)
{
	if (guid_equal(&secret_guid, guid))
		return take_area(w, &w->secret, &w->fw.secret, data, len);
	if (guid_equal(&hashes_guid, guid))
		return take_area(w, &w->hashes, &w->fw.hashes, data, len);
	if (guid_equal(&ap_reset_guid, guid))
		return take_ap_reset(w, data, len);
	if (guid_equal(&footer_guid, guid))
		return refuse(w, "its table has a second footer");
	return 0;
}

/* Entries fill [table, table + left) exactly; each step takes >= ENTRY_MIN. */
static int walk_entries(struct walk *w, const uint8_t *table, size_t left)
{
	while (left) {
		const uint8_t *end = table + left;
		size_t len;
		int rc;

		if (left < ENTRY_MIN)
			return refuse(w, "its table has bytes left over");
		len = get_le16(end - ENTRY_MIN);
		if (len < ENTRY_MIN || len > left)
			return refuse(w, "its table has an entry whose length "
					 "does not fit");
		rc = take_entry(w, end - GUID_LEN, end - len, len - ENTRY_MIN);
		if (rc)
			return rc;
		left -= len;
	}
	return 0;
}

static int walk_table(struct walk *w, const uint8_t *image, size_t len)
{
	const size_t end = len - TAIL;
	const uint8_t *footer = image + end - ENTRY_MIN;
	size_t total;

	if (!guid_equal(&footer_guid, footer + 2))
		return 0;
	total = get_le16(footer);
	if (total < ENTRY_MIN || total > end)
		return refuse(w, "its table's own length does not fit");
	w->fw.has_table = true;
	return walk_entries(w, image + end - total, total - ENTRY_MIN);
}

/* OVMF builds without an area leave base and size 0: the entry says nothing. */
static bool area_absent(const struct firmware_area *a)
{
	return a->base == 0 && a->size == 0;
}

static int check_area(struct walk *w, const struct firmware_area *a,
		      size_t rom_len)
{
	const uint64_t rom = BOARD_ROM_END - rom_len;

	if (area_absent(a))
		return 0;
	if (a->size == 0)
		return refuse(w, "its table names an empty area");
	if (a->base < AREA_LOWEST)
		return refuse(w, "its table names an area in the first page");
	if (!range_ok(a->base, a->size, BOARD_ROM_END))
		return refuse(w, "its table names an area that wraps at 4 GiB");
	if (!range_ok(a->base, a->size, rom))
		return refuse(w, "its table names an area inside the image");
	return 0;
}

static int check_areas(struct walk *w, size_t rom_len)
{
	const struct firmware_area *s = &w->fw.secret, *h = &w->fw.hashes;
	int rc = check_area(w, s, rom_len);

	if (!rc)
		rc = check_area(w, h, rom_len);
	if (!rc && s->size && h->size &&
	    s->base < (uint64_t)h->base + h->size &&
	    h->base < (uint64_t)s->base + s->size)
		rc = refuse(w, "its secret area and hash area overlap");
	return rc;
}

int firmware_parse(struct firmware *fw, const uint8_t *image, size_t len,
		   const char **why)
{
	struct walk w = { .why = NULL };
	int rc;

	if (firmware_size_ok(len))
		rc = walk_table(&w, image, len);
	else
		rc = refuse(&w, "its size is not a multiple of 4096 from 64 "
				"KiB to 16 MiB");
	if (!rc)
		rc = check_areas(&w, len);
	if (rc)
		*why = w.why;
	else
		*fw = w.fw;
	return rc;
}
