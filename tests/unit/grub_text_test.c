/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * grub_text_test: what configurations are written in passes, noise does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "boot/grub/text.h"

static void known(void **state)
{
	static const struct {
		const char *text;
		bool ok;
	} all[] = {
		{ "a\x01", false },
		{ "a\x1b[m", false },
		{ "\x7f", false },
		{ "\x80", false },
		{ "\xc1\x81", false }, /* 'A', longer than it need be */
		{ "\xc3", false },
		{ "\xc3(", false },
		{ "\xe0\x80\x81", false },
		{ "\xed\xa0\x80", false }, /* half a pair of UTF-16 */
		{ "\xe2\x82", false },
		{ "\xf0\x80\x80\x81", false },
		{ "\xf4\x90\x80\x80", false },
		{ "\xf5\x80\x80\x80", false },
		{ "\xff", false },
		{ "", true },
		{ "linux /vmlinuz ro panic=10\r\n\tinitrd /initrd.img\n",
		  true },
		{ "mode de r\xc3\xa9"
		  "cup\xc3\xa9"
		  "ration",
		  true },
		{ "\xe2\x82\xac \xf0\x9f\x90\xa7", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (text_is_whole((const uint8_t *)all[i].text,
				  strlen(all[i].text)) != all[i].ok)
			fail_msg("row %zu", i);
	assert_false(text_is_whole((const uint8_t *)"a\0b", 3));
}

/* A block of the cipher, as a changed one decrypts. */
static void noise(void **state)
{
	enum { ROUNDS = 1000000, BLOCK = 16 };
	uint8_t block[BLOCK];
	uint64_t x = 88172645463325252u;
	int passed = 0;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		for (size_t k = 0; k < BLOCK; k++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			block[k] = (uint8_t)(x >> 32);
		}
		passed += text_is_whole(block, BLOCK);
	}
	assert_true(passed < ROUNDS / 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known),
		cmocka_unit_test(noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
