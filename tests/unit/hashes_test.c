/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hashes_test: tables that were worked out with Python (uuid and hashlib) from
 * the layout in the firmware, so that nothing of ours took part in them.
 */
#include "boot/hashes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define CMDLINE_AT 36
#define INITRD_AT 86
#define KERNEL_AT 136

static const char full[] = "06d63894224fc94cb479a793d411fd21"
			   "a800d82dd09720bd944caa78e7714d36"
			   "ab2a3200f18aae9b3c09e55bc3047ad3"
			   "61e2442d7c53372470b2958fb8329320"
			   "9a784f7131f7ba442f3ad74b9af141e2"
			   "9169781d320009e6c018d2c8c4903308"
			   "613dd1b72484d57eadf12ec50ddc8f52"
			   "e5accce470f23794e74dd2ab7f42b835"
			   "d5b172d2045b32006923dd1bc0460082"
			   "c5d55a831908c24a282860b7f1cd6c2b"
			   "79cf1bc8857c639c0000000000000000";

/* No initrd: the hash of nothing. No command line: the hash of one NUL. */
static const char bare[] = "06d63894224fc94cb479a793d411fd21"
			   "a800d82dd09720bd944caa78e7714d36"
			   "ab2a32006e340b9cffb37a989ca544e6"
			   "bb780a2c78901d3fb33738768511a306"
			   "17afa01d31f7ba442f3ad74b9af141e2"
			   "9169781d3200e3b0c44298fc1c149afb"
			   "f4c8996fb92427ae41e4649b934ca495"
			   "991b7852b8553794e74dd2ab7f42b835"
			   "d5b172d2045b32006923dd1bc0460082"
			   "c5d55a831908c24a282860b7f1cd6c2b"
			   "79cf1bc8857c639c0000000000000000";

static void hex(char out[2 * HASHES_LEN + 1], const uint8_t *bytes)
{
	for (size_t i = 0; i < HASHES_LEN; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static void known_answers(void **state)
{
	const struct {
		struct hashes_source src;
		const char *want;
	} t[] = {
		{ { (const uint8_t *)"kernel", 6, (const uint8_t *)"initrd", 6,
		    "console=ttyS0" },
		  full },
		{ { (const uint8_t *)"kernel", 6, NULL, 0, "" }, bare },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		uint8_t table[HASHES_LEN + 1] = { [HASHES_LEN] = 0x5a };
		char got[2 * HASHES_LEN + 1];

		for (size_t j = 0; j < HASHES_LEN; j++)
			table[j] = 0xff;
		hashes_build(table, &t[i].src);
		hex(got, table);
		assert_string_equal(got, t[i].want);
		assert_int_equal(table[HASHES_LEN], 0x5a);
	}
}

/* Each input reaches its own entry and no other. */
static void a_bit_each(void **state)
{
	const uint8_t k[2] = { 1, 2 }, i[2] = { 3, 4 };
	const uint8_t k2[2] = { 1, 3 }, i2[2] = { 3, 5 };
	const struct hashes_source src[] = {
		{ k, 2, i, 2, "quiet" },
		{ k, 2, i, 2, "quiet " },
		{ k, 2, i2, 2, "quiet" },
		{ k2, 2, i, 2, "quiet" },
	};
	static const size_t at[] = { 0, CMDLINE_AT, INITRD_AT, KERNEL_AT };
	uint8_t was[HASHES_LEN], now[HASHES_LEN];

	(void)state;
	hashes_build(was, &src[0]);
	for (size_t n = 1; n < ARRAY_LEN(src); n++) {
		hashes_build(now, &src[n]);
		for (size_t e = 1; e < ARRAY_LEN(at); e++)
			assert_int_equal(memcmp(now + at[e], was + at[e], 32) ==
						 0,
					 e != n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answers),
		cmocka_unit_test(a_bit_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
