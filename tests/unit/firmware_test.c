/* SPDX-License-Identifier: Apache-2.0 */
/*
 * firmware_test: images whose table lies in every way we could think of, then
 * honest ones. GUIDs are spelled as bytes in memory, worked out with
 * Python's uuid, so that a slip in boot/guid.h shows.
 */
#include "boot/firmware.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/ovmf_guids.h"

#define RESET "\xde\x71\xf7\x00\x7e\x1a\xcb\x4f\x89\x0e\x68\xc7\x7e\x2f\xb4\x4e"
#define OTHER "\x66\x65\x88\xdc\x4a\x98\x98\x47\xa7\x5e\x55\x85\xa7\xbf\x67\xcc"

#define ROM_LEN 0x10000u
#define TABLE_END (ROM_LEN - 50) /* where the footer's length is */
#define ENTRIES 4

/* An entry as written, its length field free to lie; data up to two u32. */
struct entry {
	const char *guid;
	uint16_t len;
	size_t data_len;
	uint32_t data[2];
};

struct row {
	const char *name;
	struct entry e[ENTRIES]; /* from the end of the image downwards */
	uint16_t total; /* the footer's length; 0: as it should be */
	int rc;
};

#define AREA(guid, base, size)                                                 \
	{                                                                      \
		guid, 26, 8,                                                   \
		{                                                              \
			base, size                                             \
		}                                                              \
	}

static const struct row rows[] = {
	{ "table longer than the image", { { 0 } }, 0xffff, -EINVAL },
	{ "table a byte too long",
	  { { OTHER, 65487, 0, { 0 } } },
	  65505,
	  -EINVAL },
	{ "table shorter than its footer", { { 0 } }, 17, -EINVAL },
	{ "bytes left over", { AREA(OTHER, 0, 0) }, 18 + 26 + 17, -EINVAL },
	{ "entry of length 0", { { OTHER, 0, 8, { 0 } } }, 0, -EINVAL },
	{ "entry shorter than itself",
	  { { OTHER, 17, 8, { 0 } } },
	  0,
	  -EINVAL },
	{ "entry longer than the table",
	  { { OTHER, 27, 8, { 0 } } },
	  0,
	  -EINVAL },
	{ "entry of length 65535",
	  { { OTHER, 0xffff, 8, { 0 } } },
	  0,
	  -EINVAL },
	{ "area without size",
	  { { SECRET, 22, 4, { 0x810000 } } },
	  0,
	  -EINVAL },
	{ "area without data", { { HASHES, 18, 0, { 0 } } }, 0, -EINVAL },
	{ "reset entry of 8 bytes", { AREA(RESET, 1, 2) }, 0, -EINVAL },
	{ "two secret areas",
	  { AREA(SECRET, 0x810000, 0xc00), AREA(SECRET, 0x820000, 0xc00) },
	  0,
	  -EINVAL },
	{ "two hash areas",
	  { AREA(HASHES, 0, 0), AREA(HASHES, 0x820000, 0xc00) },
	  0,
	  -EINVAL },
	{ "two reset entries",
	  { { RESET, 22, 4, { 1 } }, { RESET, 22, 4, { 1 } } },
	  0,
	  -EINVAL },
	{ "second footer", { { FOOTER, 18, 0, { 0 } } }, 0, -EINVAL },
	{ "empty area", { AREA(SECRET, 0x810000, 0) }, 0, -EINVAL },
	{ "area at 0", { AREA(SECRET, 0, 0xc00) }, 0, -EINVAL },
	{ "area in the first page",
	  { AREA(HASHES, 0xff0, 0x400) },
	  0,
	  -EINVAL },
	{ "area wraps", { AREA(SECRET, 0xfffffff0, 0x20) }, 0, -EINVAL },
	{ "area of 4 GiB", { AREA(SECRET, 0x1000, 0xffffffff) }, 0, -EINVAL },
	{ "area inside the image",
	  { AREA(HASHES, 0xffff0000, 16) },
	  0,
	  -EINVAL },
	{ "area reaches into the image",
	  { AREA(HASHES, 0xfffeff00, 0x101) },
	  0,
	  -EINVAL },
	{ "areas overlap by a byte",
	  { AREA(SECRET, 0x810000, 0xc01), AREA(HASHES, 0x810c00, 0x400) },
	  0,
	  -EINVAL },
	{ "one area in the other",
	  { AREA(HASHES, 0x810000, 0x1000), AREA(SECRET, 0x810c00, 16) },
	  0,
	  -EINVAL },
	{ "areas are the same",
	  { AREA(HASHES, 0x810000, 16), AREA(SECRET, 0x810000, 16) },
	  0,
	  -EINVAL },
	{ "area ends at the image", { AREA(HASHES, 0xfffeff00, 0x100) }, 0, 0 },
	{ "areas touch",
	  { AREA(SECRET, 0x810000, 0xc00), AREA(HASHES, 0x810c00, 0x400) },
	  0,
	  0 },
	{ "areas touch the other way round",
	  { AREA(SECRET, 0x811000, 0xc00), AREA(HASHES, 0x810c00, 0x400) },
	  0,
	  0 },
	{ "areas absent", { AREA(SECRET, 0, 0), AREA(HASHES, 0, 0) }, 0, 0 },
	{ "unknown entries",
	  { AREA(OTHER, 1, 2), { OTHER, 18, 0, { 0 } } },
	  0,
	  0 },
	{ "table is all of the image",
	  { { OTHER, 65486, 0, { 0 } } },
	  65504,
	  0 },
	{ "no entries", { { 0 } }, 18, 0 },
};

/* Puts an entry's bytes below end and returns where they begin. */
static uint8_t *put_entry(uint8_t *end, const struct entry *e)
{
	bytes_copy(end - 16, 16, e->guid, 16);
	put_le16(end - 18, e->len);
	end -= 18 + e->data_len;
	for (size_t i = 0; i < e->data_len / 4; i++)
		put_le32(end + 4 * i, e->data[i]);
	return end;
}

static uint8_t *rom_new(const struct row *r)
{
	uint8_t *rom = calloc(1, ROM_LEN), *at = rom + TABLE_END;

	assert_non_null(rom);
	for (size_t i = 0; i < ENTRIES && r->e[i].guid; i++)
		at = put_entry(at, &r->e[i]);
	put_le16(rom + TABLE_END,
		 r->total ? r->total : (uint16_t)(rom + TABLE_END + 18 - at));
	bytes_copy(rom + TABLE_END + 2, 16, FOOTER, 16);
	return rom;
}

static void tables(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct firmware fw = { .secret.base = 77 };
		uint8_t *rom = rom_new(&rows[i]);
		const char *why = NULL;
		int rc = firmware_parse(&fw, rom, ROM_LEN, &why);

		if (rc != rows[i].rc)
			fail_msg("%s: %d (%s)", rows[i].name, rc, why);
		if (rc && (!why || fw.secret.base != 77))
			fail_msg("%s: no reason, or fw touched", rows[i].name);
		free(rom);
	}
}

static void sizes(void **state)
{
	static const struct {
		size_t len;
		bool ok;
	} t[] = {
		{ 0, false },	      { 1, false },	    { 0xf000, false },
		{ 0xffff, false },    { 0x10001, false },   { 0x10800, false },
		{ 0x1001000, false }, { 0x2000000, false }, { 0x10000, true },
		{ 0x11000, true },    { 0x400000, true },   { 0x1000000, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct firmware fw;
		uint8_t *rom = calloc(1, t[i].len + 1);
		const char *why = NULL;

		assert_int_equal(firmware_size_ok(t[i].len), t[i].ok);
		assert_int_equal(firmware_parse(&fw, rom, t[i].len, &why),
				 t[i].ok ? 0 : -EINVAL);
		assert_int_equal(!why, t[i].ok);
		free(rom);
	}
}

static void honest(void **state)
{
	static const struct row r = {
		.name = "as AmdSev OVMF",
		.e = { { RESET, 22, 4, { 0x0080b004 } },
		       AREA(SECRET, 0x810000, 0xc00),
		       AREA(HASHES, 0x810c00, 0x400),
		       { OTHER, 22, 4, { 0x5c4 } } },
	};
	uint8_t *rom = rom_new(&r);
	struct firmware fw = { 0 };
	const char *why;

	(void)state;
	assert_int_equal(firmware_parse(&fw, rom, ROM_LEN, &why), 0);
	assert_true(fw.has_table);
	assert_int_equal(fw.secret.base, 0x810000);
	assert_int_equal(fw.secret.size, 0xc00);
	assert_int_equal(fw.hashes.base, 0x810c00);
	assert_int_equal(fw.hashes.size, 0x400);
	assert_true(fw.has_ap_reset);
	assert_int_equal(fw.ap_reset, 0x0080b004);
	free(rom);
}

static void no_table(void **state)
{
	uint8_t *rom = calloc(1, ROM_LEN);
	struct firmware fw = { .has_table = true, .secret.size = 1 };
	const char *why;

	(void)state;
	assert_int_equal(firmware_parse(&fw, rom, ROM_LEN, &why), 0);
	assert_false(fw.has_table);
	assert_int_equal(fw.secret.size, 0);
	assert_int_equal(fw.hashes.size, 0);
	free(rom);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables),
		cmocka_unit_test(sizes),
		cmocka_unit_test(honest),
		cmocka_unit_test(no_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
