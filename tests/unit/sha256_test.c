/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sha256_test: FIPS 180-4's own examples, and OpenSSL's word for every length
 * around the ends of blocks, by both ways.
 */
#include "boot/sha256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#define LARGE (1u << 20)

static void check(const void *data, size_t len, const uint8_t *want)
{
	uint8_t got[SHA256_BYTES] = { 0 };

	sha256_plain(data, len, got);
	assert_memory_equal(got, want, SHA256_BYTES);
	memset(got, 0, sizeof(got));
	if (sha256_native(data, len, got))
		assert_memory_equal(got, want, SHA256_BYTES);
	sha256(data, len, got);
	assert_memory_equal(got, want, SHA256_BYTES);
}

static void examples(void **state)
{
	static const struct {
		const char *text;
		uint8_t start[4];
	} t[] = {
		{ "", { 0xe3, 0xb0, 0xc4, 0x42 } },
		{ "abc", { 0xba, 0x78, 0x16, 0xbf } },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  { 0x24, 0x8d, 0x6a, 0x61 } },
	};
	uint8_t got[SHA256_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		sha256_plain(t[i].text, strlen(t[i].text), got);
		assert_memory_equal(got, t[i].start, sizeof(t[i].start));
	}
}

static void as_openssl(void **state)
{
	uint8_t *data = malloc(LARGE + 1), want[SHA256_BYTES];
	unsigned n;

	(void)state;
	assert_non_null(data);
	srandom(1);
	for (size_t i = 0; i <= LARGE; i++)
		data[i] = (uint8_t)random();
	for (size_t len = 0; len < 400; len++) {
		/* At an odd address, too. */
		EVP_Digest(data + 1, len, want, &n, EVP_sha256(), NULL);
		check(data + 1, len, want);
	}
	EVP_Digest(data, LARGE, want, &n, EVP_sha256(), NULL);
	check(data, LARGE, want);
	if (!sha256_native(data, 1, want))
		print_message("this processor has no SHA instructions\n");
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples),
		cmocka_unit_test(as_openssl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
