/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * grub_secret_test: the secret table as GRUB's module reads it, refusals first:
 * tables written byte by byte, at every alignment, and memory ends with them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot/grub/secret_table.h"

#define TABLE "\x42\xf5\x74\x1e\xdd\x71\x66\x4d\x96\x3e\xef\x42\x87\xff\x17\x3b"
#define LUKS "\xe5\x69\x68\x73\xf0\x84\x73\x49\x92\xec\x06\x87\x9c\xe3\xda\x0b"
#define OTHER "0123456789abcdef"

struct row {
	const char *what;
	const char *bytes;
	size_t len;
	enum secret_found found;
};
#define ROW(what, bytes, found)                                                \
	{                                                                      \
		what, bytes, sizeof(bytes) - 1, found                          \
	}

static const struct row rows[] = {
	ROW("no area", "", SECRET_NO_TABLE),
	ROW("one byte", "B", SECRET_NO_TABLE),
	ROW("a GUID and no length", TABLE "\x14\0\0", SECRET_NO_TABLE),
	ROW("zeros", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
	    SECRET_NO_TABLE),
	ROW("another table", OTHER "\x14\0\0\0", SECRET_NO_TABLE),
	ROW("table of no length", TABLE "\0\0\0\0", SECRET_DAMAGED),
	ROW("shorter than its header", TABLE "\x13\0\0\0", SECRET_DAMAGED),
	ROW("longer than the area", TABLE "\x15\0\0\0", SECRET_DAMAGED),
	ROW("as long as can be", TABLE "\xff\xff\xff\xff" LUKS "\x15\0\0\0p",
	    SECRET_DAMAGED),
	ROW("empty", TABLE "\x14\0\0\0", SECRET_NO_ENTRY),
	ROW("beyond its end", TABLE "\x14\0\0\0" LUKS "\x15\0\0\0p",
	    SECRET_NO_ENTRY),
	ROW("entry cut off", TABLE "\x27\0\0\0" LUKS "\x14\0\0",
	    SECRET_DAMAGED),
	ROW("entry of no length", TABLE "\x28\0\0\0" LUKS "\0\0\0\0",
	    SECRET_DAMAGED),
	ROW("entry of 19", TABLE "\x28\0\0\0" LUKS "\x13\0\0\0",
	    SECRET_DAMAGED),
	ROW("entry ends one later", TABLE "\x29\0\0\0" LUKS "\x16\0\0\0pq",
	    SECRET_DAMAGED),
	ROW("entry wraps", TABLE "\x29\0\0\0" LUKS "\xff\xff\xff\xffp",
	    SECRET_DAMAGED),
	ROW("entry wraps by sign", TABLE "\x29\0\0\0" LUKS "\0\0\0\x80p",
	    SECRET_DAMAGED),
	ROW("a byte after the last", TABLE "\x2a\0\0\0" LUKS "\x15\0\0\0px",
	    SECRET_DAMAGED),
	ROW("twice", TABLE "\x3e\0\0\0" LUKS "\x15\0\0\0p" LUKS "\x15\0\0\0q",
	    SECRET_DAMAGED),
	ROW("damage after it",
	    TABLE "\x3d\0\0\0" LUKS "\x15\0\0\0p" OTHER "\x15\0\0\0",
	    SECRET_DAMAGED),
	ROW("only another", TABLE "\x29\0\0\0" OTHER "\x15\0\0\0p",
	    SECRET_NO_ENTRY),
	ROW("only one", TABLE "\x29\0\0\0" LUKS "\x15\0\0\0p", SECRET_FOUND),
	ROW("padded", TABLE "\x29\0\0\0" LUKS "\x15\0\0\0p\0\0\0\0\0\0\0",
	    SECRET_FOUND),
	ROW("after another",
	    TABLE "\x3e\0\0\0" OTHER "\x15\0\0\0x" LUKS "\x15\0\0\0p",
	    SECRET_FOUND),
};

/* An exact copy at an odd address, so that a byte too far is seen. */
static void find_at(const struct row *r, size_t shift)
{
	struct secret_span got = { (const uint8_t *)"untouched", 9 };
	uint8_t *copy = malloc(r->len + shift + 1);
	enum secret_found found;

	assert_non_null(copy);
	for (size_t i = 0; i < r->len; i++)
		copy[shift + i] = (uint8_t)r->bytes[i];
	copy = realloc(copy, r->len + shift ? r->len + shift : 1);
	assert_non_null(copy);
	found = secret_table_find(copy + shift, r->len, secret_luks_guid, &got);
	if (found != r->found)
		fail_msg("%s: %d, not %d", r->what, (int)found, (int)r->found);
	assert_int_equal(got.len, found == SECRET_FOUND ? 1 : 9);
	if (found == SECRET_FOUND)
		assert_int_equal(*got.data, 'p');
	free(copy);
}

static void tables(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (size_t shift = 0; shift < 4; shift++)
			find_at(&rows[i], shift);
}

/* An entry with nothing in it is an entry; what it is good for is not asked. */
static void empty_entry(void **state)
{
	static const char table[] = TABLE "\x28\0\0\0" LUKS "\x14\0\0\0";
	struct secret_span got = { NULL, 1 };

	(void)state;
	assert_int_equal(secret_table_find((const uint8_t *)table, 40,
					   secret_luks_guid, &got),
			 SECRET_FOUND);
	assert_int_equal(got.len, 0);
	assert_int_equal(passphrase_trim(&got), PASSPHRASE_EMPTY);
}

static void passphrases(void **state)
{
	static const struct {
		const char *bytes;
		size_t len, left;
		enum passphrase_ends ends;
	} all[] = {
		{ "", 0, 0, PASSPHRASE_EMPTY },
		{ "\0", 1, 0, PASSPHRASE_EMPTY },
		{ "\0\0", 2, 1, PASSPHRASE_PLAIN },
		{ "p", 1, 1, PASSPHRASE_PLAIN },
		{ "p\0", 2, 1, PASSPHRASE_PLAIN },
		{ "p\0q", 3, 3, PASSPHRASE_PLAIN },
		{ "p\n", 2, 2, PASSPHRASE_LINE_END },
		{ "p\r\n", 3, 3, PASSPHRASE_LINE_END },
		{ "p\r", 2, 2, PASSPHRASE_LINE_END },
		{ "p\n\0", 3, 2, PASSPHRASE_LINE_END },
		{ "\n", 1, 1, PASSPHRASE_LINE_END },
		{ "\np", 2, 2, PASSPHRASE_PLAIN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct secret_span pass = { (const uint8_t *)all[i].bytes,
					    all[i].len };

		assert_int_equal(passphrase_trim(&pass), all[i].ends);
		assert_int_equal(pass.len, all[i].left);
		assert_ptr_equal(pass.data, all[i].bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables),
		cmocka_unit_test(empty_entry),
		cmocka_unit_test(passphrases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
