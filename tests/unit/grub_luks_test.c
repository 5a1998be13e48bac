/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * grub_luks_test: headers that cryptsetup wrote (seeds of the fuzzer), against
 * what its luksDump says of them; then the same with one thing changed, as a
 * host would change it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot/grub/json.h"
#include "boot/grub/luks.h"

#define SEEDS "tests/fuzz/seeds/grub_luks/"
enum { LUKS2_LEN = 16384 };

static uint8_t *seed(const char *path, size_t want)
{
	uint8_t *bytes = malloc(want);
	FILE *f = fopen(path, "rb");

	assert_non_null(bytes);
	assert_non_null(f);
	assert_int_equal(fread(bytes, 1, want, f), want);
	fclose(f);
	return bytes;
}

/* Replaces the first old from the offset on; the file keeps its length. */
static void edit(uint8_t *text, size_t len, const char *old, const char *new)
{
	size_t n = strlen(old), m = strlen(new);

	for (size_t i = LUKS_HEAD; i + n <= len; i++) {
		if (memcmp(text + i, old, n))
			continue;
		if (m > n)
			for (size_t k = len - 1; k >= i + m; k--)
				text[k] = text[k - (m - n)];
		else
			for (size_t k = i + m; k + (n - m) < len; k++)
				text[k] = text[k + (n - m)];
		for (size_t k = 0; k < m; k++)
			text[i + k] = (uint8_t) new[k];
		return;
	}
	fail_msg("the header has no %s", old);
}

static void luks1_known(void **state)
{
	uint8_t *h = seed(SEEDS "luks1", LUKS_HEAD);
	struct luks *l = calloc(1, sizeof(*l));
	size_t len;

	(void)state;
	assert_non_null(l);
	assert_int_equal(luks_header_len(h, &len), LUKS_FINE);
	assert_int_equal(len, LUKS_HEAD);
	assert_int_equal(luks_parse(h, len, l), LUKS_FINE);
	assert_string_equal(l->uuid, "12345678-9abc-def0-1234-56789abcdef1");
	assert_int_equal(l->key_len, 64);
	assert_int_equal(l->data_offset, 4096 * 512);
	assert_int_equal(l->sector_size, 512);
	assert_int_equal(l->digest_kdf.hash, LUKS_SHA256);
	assert_int_equal(l->digest_kdf.iterations, 1000);
	assert_memory_equal(l->digest_kdf.salt, "\x70\x37\x5a\x7e", 4);
	assert_int_equal(l->digest_len, 20);
	assert_memory_equal(l->digest, "\x9d\xc7\x9d\x3d", 4);
	assert_int_equal(l->slots, 1);
	assert_int_equal(l->slot[0].kdf.iterations, 1000);
	assert_memory_equal(l->slot[0].kdf.salt, "\x64\x10\xdb\x25", 4);
	assert_int_equal(l->slot[0].area_offset, 8 * 512);
	free(l);
	free(h);
}

static void luks2_known(void **state)
{
	uint8_t *h = seed(SEEDS "luks2", LUKS2_LEN);
	struct luks *l = calloc(1, sizeof(*l));
	size_t len;

	(void)state;
	assert_non_null(l);
	assert_int_equal(luks_header_len(h, &len), LUKS_FINE);
	assert_int_equal(len, LUKS2_LEN);
	assert_int_equal(luks_parse(h, len, l), LUKS_FINE);
	assert_string_equal(l->uuid, "12345678-9abc-def0-1234-56789abcdef2");
	assert_int_equal(l->key_len, 64);
	assert_int_equal(l->data_offset, 16777216);
	assert_int_equal(l->sector_size, 4096);
	assert_int_equal(l->digest_kdf.hash, LUKS_SHA512);
	assert_int_equal(l->digest_kdf.iterations, 1000);
	assert_int_equal(l->digest_kdf.salt_len, 32);
	assert_memory_equal(l->digest_kdf.salt, "\xf6\x42\xc6\xd1", 4);
	assert_int_equal(l->digest_len, 64);
	assert_memory_equal(l->digest + 60, "\x80\xde\x5a\xa8", 4);
	assert_int_equal(l->slots, 1);
	assert_int_equal(l->argon2, 1);
	assert_int_equal(l->slot[0].kdf.salt_len, 32);
	assert_memory_equal(l->slot[0].kdf.salt, "\x48\x2d\x59\x62", 4);
	assert_int_equal(l->slot[0].area_offset, 32768);
	assert_int_equal(l->slot[0].split_hash, LUKS_SHA512);
	free(l);
	free(h);
}

static void luks1_changed(void **state)
{
	static const struct {
		const char *what;
		size_t at;
		const char *bytes;
		size_t len;
		enum luks_verdict verdict;
	} all[] = {
		{ "magic", 0, "l", 1, LUKS_NONE },
		{ "version", 6, "\0\3", 2, LUKS_FEATURE },
		{ "null cipher", 8, "cipher_null", 12, LUKS_CIPHER },
		{ "cipher of 32 letters", 11, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		  29, LUKS_CIPHER },
		{ "mode", 40, "cbc-plain64", 12, LUKS_CIPHER },
		{ "sha1", 72, "sha1\0\0", 6, LUKS_HASH },
		{ "hash not ended", 78, "xxxxxxxxxxxxxxxxxxxxxxxxxx", 26,
		  LUKS_HASH },
		{ "payload at 0", 104, "\0\0\0\0", 4, LUKS_FEATURE },
		{ "key of 0", 108, "\0\0\0\0", 4, LUKS_CIPHER },
		{ "key of 63", 108, "\0\0\0\x3f", 4, LUKS_CIPHER },
		{ "key of 2 GiB", 108, "\x80\0\0\0", 4, LUKS_CIPHER },
		{ "no digest iteration", 164, "\0\0\0\0", 4, LUKS_DAMAGED },
		{ "no slot iteration", 212, "\0\0\0\0", 4, LUKS_DAMAGED },
		{ "no stripes", 252, "\0\0\0\0", 4, LUKS_DAMAGED },
		{ "one stripe", 252, "\0\0\0\1", 4, LUKS_DAMAGED },
		{ "no slot", 208, "\0\0\xde\xad", 4, LUKS_FINE },
	};
	struct luks *l = calloc(1, sizeof(*l));

	(void)state;
	assert_non_null(l);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		uint8_t *h = seed(SEEDS "luks1", LUKS_HEAD);
		enum luks_verdict verdict;

		for (size_t k = 0; k < all[i].len; k++)
			h[all[i].at + k] = (uint8_t)all[i].bytes[k];
		verdict = luks_parse(h, LUKS_HEAD, l);
		if (verdict != all[i].verdict)
			fail_msg("%s: %d", all[i].what, (int)verdict);
		free(h);
	}
	assert_int_equal(l->slots, 0);
	free(l);
}

/*
 * What a host writes to have a key verify that it chose: an area too small for
 * its stripes, a digest of nothing, a key longer than the buffer for it.
 */
static void luks2_changed(void **state)
{
	static const struct {
		const char *old, *new;
		enum luks_verdict verdict;
	} all[] = {
		{ "\"258048\"", "\"0\"", LUKS_DAMAGED },
		{ "\"258048\"", "\"255999\"", LUKS_DAMAGED },
		{ "\"258048\"", "\"99999999999999999999\"", LUKS_DAMAGED },
		{ "\"stripes\":4000", "\"stripes\":0", LUKS_DAMAGED },
		{ "\"stripes\":4000", "\"stripes\":1", LUKS_DAMAGED },
		{ "\"stripes\":4000", "\"stripes\":-1", LUKS_DAMAGED },
		{ "\"key_size\":64", "\"key_size\":0", LUKS_CIPHER },
		{ "\"key_size\":64", "\"key_size\":4096", LUKS_CIPHER },
		{ "\"key_size\":64},\"kdf\"", "\"key_size\":4096},\"kdf\"",
		  LUKS_CIPHER },
		{ "aes-xts-plain64\",\"key", "cipher_null-ecb\",\"key",
		  LUKS_CIPHER },
		{ "aes-xts-plain64\",\"sec", "cipher_null-ecb\",\"sec",
		  LUKS_CIPHER },
		{ "aes-xts-plain64\",\"sec", "aes-ecb\",\"sec", LUKS_CIPHER },
		{ "6PXr8ChCkMIiXQumPEuCxiPSIs9OpBE6EludohWECzGLGThD4wR7jE03oKjV"
		  "Ag1KXDaEJBDMtkS5DoCbgN5aqA==",
		  "", LUKS_DAMAGED },
		{ "6PXr8ChCkMIiXQumPEuCxiPSIs9OpBE6EludohWECzGLGThD4wR7jE03oKjV"
		  "Ag1KXDaEJBDMtkS5DoCbgN5aqA==",
		  "6PXr8ChCkMIiXQumPEuCxiPSIs8=", LUKS_FINE },
		{ "6PXr8ChCkMIi", "6PXr8ChCkMI", LUKS_DAMAGED },
		{ "6PXr8ChCkMIi", "6PXr8ChCkM\\i", LUKS_DAMAGED },
		{ "\"salt\":\"SC1Z", "\"salt\":\"SC1-", LUKS_DAMAGED },
		{ "\"iterations\":1000", "\"iterations\":0", LUKS_DAMAGED },
		{ "\"iterations\":1000", "\"iterations\":4294967296",
		  LUKS_DAMAGED },
		{ "\"hash\":\"sha512\",\"it", "\"hash\":\"sha1\",\"it",
		  LUKS_HASH },
		{ "\"sector_size\":4096", "\"sector_size\":4095",
		  LUKS_DAMAGED },
		{ "\"sector_size\":4096",
		  "\"sector_size\":4096,\"integrity\":{}", LUKS_FEATURE },
		{ "\"offset\":\"16777216\"", "\"offset\":\"0\"", LUKS_FEATURE },
		{ "\"dynamic\"", "\"4096\"", LUKS_FEATURE },
		{ "\"iv_tweak\":\"0\"", "\"iv_tweak\":\"8\"", LUKS_FEATURE },
		{ "\"segments\":{\"0\"", "\"segments\":{\"1\"", LUKS_DAMAGED },
		{ "4096}}", "4096},\"1\":{}}", LUKS_FEATURE },
		{ "\"segments\":[\"0\"]", "\"segments\":[]", LUKS_DAMAGED },
		{ "\"json_size\"",
		  "\"requirements\":{\"mandatory\":[\"x\"]},\"json_size\"",
		  LUKS_FEATURE },
		{ "\"keyslots\":[\"0\",\"1\"]", "\"keyslots\":[]", LUKS_FINE },
		{ "{\"keyslots\"", "{\"keyslots\":{},\"keyslots\"",
		  LUKS_DAMAGED },
		{ "{\"keyslots\"", "[{\"keyslots\"", LUKS_DAMAGED },
		{ "\"tokens\":{}",
		  "\"tokens\":[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]"
		  "]]]",
		  LUKS_DAMAGED },
		{ "\"tokens\":{}", "\"tokens\":{}}x", LUKS_DAMAGED },
	};
	struct luks *l = calloc(1, sizeof(*l));

	(void)state;
	assert_non_null(l);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		uint8_t *h = seed(SEEDS "luks2", LUKS2_LEN);
		enum luks_verdict verdict;

		edit(h, LUKS2_LEN, all[i].old, all[i].new);
		verdict = luks_parse(h, LUKS2_LEN, l);
		if (verdict != all[i].verdict)
			fail_msg("%s: %s", all[i].new,
				 luks_verdict_words(verdict));
		free(h);
	}
	free(l);
}

static void lengths(void **state)
{
	uint8_t *h = seed(SEEDS "luks2", LUKS2_LEN);
	struct luks *l = calloc(1, sizeof(*l));
	size_t len;

	(void)state;
	assert_non_null(l);
	assert_int_equal(luks_parse(h, LUKS2_LEN - 1, l), LUKS_DAMAGED);
	assert_int_equal(luks_parse(h, LUKS_HEAD - 1, l), LUKS_DAMAGED);
	assert_int_equal(luks_parse(h, 0, l), LUKS_DAMAGED);
	/* JSON that fills its area to the last byte has no end. */
	for (size_t i = LUKS_HEAD; i < LUKS2_LEN; i++)
		if (!h[i])
			h[i] = ' ';
	assert_int_equal(luks_parse(h, LUKS2_LEN, l), LUKS_DAMAGED);
	h[LUKS2_LEN - 1] = 0;
	assert_int_equal(luks_parse(h, LUKS2_LEN, l), LUKS_FINE);
	h[8] = 0xff;
	assert_int_equal(luks_header_len(h, &len), LUKS_DAMAGED);
	h[8] = h[14] = 0;
	assert_int_equal(luks_header_len(h, &len), LUKS_DAMAGED);
	free(l);
	free(h);
}

/* What is printed of a header is a UUID's letters only. */
static void no_escape(void **state)
{
	uint8_t *h = seed(SEEDS "luks1", LUKS_HEAD);
	struct luks *l = calloc(1, sizeof(*l));

	(void)state;
	assert_non_null(l);
	h[172] = '\x1b';
	assert_int_equal(luks_parse(h, LUKS_HEAD, l), LUKS_FINE);
	assert_string_equal(l->uuid, "1234");
	free(l);
	free(h);
}

static void numbers(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		uint64_t n;
	} all[] = {
		{ "", false, 0 },
		{ "\"\"", false, 0 },
		{ "-1", false, 0 },
		{ "1.5", false, 0 },
		{ "\"12", false, 0 },
		{ "12\"", false, 0 },
		{ "true", false, 0 },
		{ "99999999999999999999", false, 0 },
		{ "0", true, 0 },
		{ "007", true, 7 },
		{ "\"4096\"", true, 4096 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct json j = { all[i].text, strlen(all[i].text) };
		uint64_t n = 0;

		assert_int_equal(json_number(j, &n), all[i].ok);
		assert_int_equal(n, all[i].n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(luks1_known),
		cmocka_unit_test(luks2_known),
		cmocka_unit_test(luks1_changed),
		cmocka_unit_test(luks2_changed),
		cmocka_unit_test(lengths),
		cmocka_unit_test(no_escape),
		cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
