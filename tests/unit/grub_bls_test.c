/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * grub_bls_test: loader entries and the order of versions. The order's rows are
 * the examples of UAPI.10, "Version Format Specification".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "boot/grub/bls.h"

static struct bls_text text(const char *s)
{
	return (struct bls_text){ s, strlen(s) };
}

static void refusals(void **state)
{
	static const struct {
		const char *entry;
		size_t len;
		enum bls_verdict verdict;
	} all[] = {
		{ "", 0, BLS_NO_KERNEL },
		{ "\n\n \n", 4, BLS_NO_KERNEL },
		{ "linux", 5, BLS_NO_KERNEL },
		{ "linux  \n", 8, BLS_NO_KERNEL },
		{ "# linux /a\n", 11, BLS_NO_KERNEL },
		{ "linuxes /a\n", 11, BLS_NO_KERNEL },
		{ "efi /a.efi\n", 11, BLS_NO_KERNEL },
		{ "linux /a\n\0", 10, BLS_DAMAGED },
		{ "architecture aa64\nlinux /a", 26, BLS_FOREIGN },
		{ "architecture x64\nlinux /a", 25, BLS_FINE },
		{ "linux /a", 8, BLS_FINE },
		{ "\tlinux\t/a\r\n", 11, BLS_FINE },
	};
	struct bls b;

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (bls_parse(all[i].entry, all[i].len, &b) != all[i].verdict)
			fail_msg("row %zu", i);
}

static void too_many(void **state)
{
	char entry[512] = "linux /a\ninitrd";
	struct bls b;

	(void)state;
	for (int i = 0; i < BLS_PARTS_MAX; i++)
		strncat(entry, " /i", sizeof(entry) - strlen(entry) - 1);
	assert_int_equal(bls_parse(entry, strlen(entry), &b), BLS_FINE);
	assert_int_equal(b.initrds, BLS_PARTS_MAX);
	strncat(entry, " /i", sizeof(entry) - strlen(entry) - 1);
	assert_int_equal(bls_parse(entry, strlen(entry), &b), BLS_DAMAGED);
}

static void whole(void **state)
{
	static const char entry[] = "title  Debian 13 (trixie)\n"
				    "version 6.12.1-amd64\n"
				    "# a comment\n"
				    "machine-id 0123\n"
				    "linux /vmlinuz\n"
				    "initrd /early.img\n"
				    "initrd /late.img  $extra\n"
				    "options root=/dev/vda1 \"a=b c\"\n"
				    "options quiet";
	char word[16];
	struct bls b;

	(void)state;
	assert_int_equal(bls_parse(entry, sizeof(entry) - 1, &b), BLS_FINE);
	assert_int_equal(b.title.len, 18);
	assert_memory_equal(b.version.p, "6.12.1-amd64", b.version.len);
	assert_int_equal(b.kernel.len, 8);
	assert_int_equal(b.initrds, 3);
	assert_memory_equal(b.initrd[1].p, "/late.img", b.initrd[1].len);
	assert_int_equal(b.options_n, 2);
	assert_true(bls_word(&b.options[0], word, sizeof(word)));
	assert_string_equal(word, "root=/dev/vda1");
	assert_true(bls_word(&b.options[0], word, sizeof(word)));
	assert_string_equal(word, "a=b c");
	assert_false(bls_word(&b.options[0], word, sizeof(word)));
	assert_false(bls_word(&b.options[1], word, 5));
}

static void versions(void **state)
{
	/* Each row is in rising order. */
	static const char *const rising[][8] = {
		{ "122.1", "123~rc1-1", "123", "123-a", "123-a.1", "123-1",
		  "123-1.1", "123^post1" },
		{ "123^post1", "123.a-1", "123.1-1", "123a-1", "124-1" },
		{ "", "0", "1", "9", "10", "0100", "101" },
		{ "6.1.9-1-amd64", "6.1.10-1-amd64", "6.12.1-1-amd64" },
		{ "abc", "abcd", "abd", "b" },
		{ "1~a", "1~b", "1" },
	};
	static const char *const equal[][2] = {
		{ "123", "00123" }, { "1_2", "1__2" }, { "", "!" },
		{ "", "" },	    { "-~", "-~" },
	};

	(void)state;
	for (size_t r = 0; r < sizeof(rising) / sizeof(*rising); r++)
		for (size_t i = 0; i < 8 && rising[r][i]; i++)
			for (size_t k = 0; k < i; k++) {
				struct bls_text a = text(rising[r][k]);
				struct bls_text b = text(rising[r][i]);

				if (bls_version_compare(a, b) >= 0 ||
				    bls_version_compare(b, a) <= 0)
					fail_msg("%s, %s", rising[r][k],
						 rising[r][i]);
			}
	for (size_t i = 0; i < sizeof(equal) / sizeof(*equal); i++)
		assert_int_equal(bls_version_compare(text(equal[i][0]),
						     text(equal[i][1])),
				 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals),
		cmocka_unit_test(too_many),
		cmocka_unit_test(whole),
		cmocka_unit_test(versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
