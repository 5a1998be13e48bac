/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64: refusals, the test vectors of RFC 4648 (section 10), and the round
 * trip of every length and byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "sev/base64.h"

static const struct {
	const char *text;
	size_t cap;
	int rc;
	const char *bytes;
} rows[] = {
	{ "", 8, -EINVAL, "" },
	{ "\n \r\t", 8, -EINVAL, "" },
	{ "Z", 8, -EINVAL, "" },
	{ "Zg", 8, -EINVAL, "" },
	{ "Zg=", 8, -EINVAL, "" },
	{ "Z===", 8, -EINVAL, "" },
	{ "====", 8, -EINVAL, "" },
	{ "Zg=v", 8, -EINVAL, "" },
	{ "Zg==Zg==", 8, -EINVAL, "" },
	{ "Zg==Z", 8, -EINVAL, "" },
	{ "Zh==", 8, -EINVAL, "" }, /* stray bits */
	{ "Zm9=", 8, -EINVAL, "" },
	{ "Zm9v-A==", 8, -EINVAL, "" }, /* the other alphabet */
	{ "Zm9v*A==", 8, -EINVAL, "" },
	{ "Zm\xc3\xb6=", 8, -EINVAL, "" },
	{ "Zm9v", 2, -E2BIG, "" },
	{ "Zm9vYg==", 3, -E2BIG, "" },
	{ "Zg==", 1, 0, "f" },
	{ "Zm8=", 8, 0, "fo" },
	{ "Zm9v", 3, 0, "foo" },
	{ "Zm9vYg==", 8, 0, "foob" },
	{ "Zm9vYmE=", 8, 0, "fooba" },
	{ "Zm9vYmFy", 8, 0, "foobar" },
	{ " Zm9v\r\nYm Fy\n", 8, 0, "foobar" },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t want = strlen(rows[i].bytes), len = 99;
		uint8_t out[8];
		char text[16];

		assert_int_equal(base64_decode(rows[i].text,
					       strlen(rows[i].text), out,
					       rows[i].cap, &len),
				 rows[i].rc);
		if (rows[i].rc)
			continue;
		assert_int_equal(len, want);
		assert_memory_equal(out, rows[i].bytes, want);
		if (strpbrk(rows[i].text, " \n"))
			continue;
		base64_encode(out, len, text, sizeof(text));
		assert_string_equal(text, rows[i].text);
	}
}

static void test_zero_is_no_end(void **state)
{
	uint8_t out[8];
	size_t len;

	(void)state;
	assert_int_equal(base64_decode("Zm9v\0AAA", 8, out, 8, &len), -EINVAL);
}

static void test_round_trip(void **state)
{
	uint8_t in[256], out[256];
	char text[BASE64_SIZE(256)];

	(void)state;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 151 + 7);
	for (size_t n = 1; n <= sizeof(in); n++) {
		size_t len = 0;

		base64_encode(in, n, text, sizeof(text));
		assert_int_equal(strlen(text) + 1, BASE64_SIZE(n));
		assert_int_equal(
			base64_decode(text, strlen(text), out, n, &len), 0);
		assert_int_equal(len, n);
		assert_memory_equal(in, out, n);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_zero_is_no_end),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
