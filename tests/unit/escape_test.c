/* SPDX-License-Identifier: Apache-2.0 */
/*
 * escape_test: what is typed, what of it reaches the guest and what is asked
 * for; each line once in one piece and once key by key.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "devices/escape.h"

static const struct {
	const char *typed, *kept;
	unsigned asked;
} table[] = {
	{ "", "", 0 },
	{ "ls\r", "ls\r", 0 },
	{ "x", "x", 0 },
	{ "\1x", "", ESCAPE_LEAVE },
	{ "\1h", "", ESCAPE_HELP },
	{ "\1?", "", ESCAPE_HELP },
	{ "\1b", "", ESCAPE_BREAK },
	{ "\1a", "\1", 0 },
	{ "\1\1", "\1", 0 },
	{ "\1\1x", "\1x", 0 },
	{ "\1\1\1x", "\1", ESCAPE_LEAVE },
	{ "a\1zb", "ab", 0 },
	{ "\1", "", 0 },
	{ "\1h\1x\1b!", "!", ESCAPE_HELP | ESCAPE_LEAVE | ESCAPE_BREAK },
};

static void in_one_piece(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct escape e = { 0 };
		uint8_t keys[32];
		size_t len = strlen(table[i].typed);

		bytes_copy(keys, sizeof(keys), table[i].typed, len);
		assert_int_equal(escape_filter(&e, keys, &len), table[i].asked);
		assert_int_equal(len, strlen(table[i].kept));
		assert_memory_equal(keys, table[i].kept, len);
	}
}

static void key_by_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct escape e = { 0 };
		unsigned asked = 0;
		uint8_t kept[32];
		size_t n = 0;

		for (const char *p = table[i].typed; *p; p++) {
			size_t len = 1;

			kept[n] = (uint8_t)*p;
			asked |= escape_filter(&e, kept + n, &len);
			n += len;
		}
		assert_int_equal(asked, table[i].asked);
		assert_int_equal(n, strlen(table[i].kept));
		assert_memory_equal(kept, table[i].kept, n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_one_piece),
		cmocka_unit_test(key_by_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
