/* SPDX-License-Identifier: Apache-2.0 */
/*
 * owner_chain_test: certificates of real platforms verify, and nothing that
 * differs from them in a single bit does.
 */
#include "sev/owner/chain.h"

#include <errno.h>

#include "tests/unit/owner_rig.h"

static const char *const names[CHAIN_NAMES] = { "ark", "ask", "cek",
						"oca", "pek", "pdh" };

/* One platform's files, to be changed before they are parsed. */
struct files {
	uint8_t bytes[CHAIN_NAMES][AMD_CERT_MAX + SEV_CERT_LEN];
	size_t len[CHAIN_NAMES];
};

static void load(struct files *f, const char *product, size_t n)
{
	*f = (struct files){ 0 };
	for (size_t i = 0; i < n; i++)
		f->len[i] = rig_cert(product, names[i], f->bytes[i],
				     sizeof(f->bytes[i]));
}

/* Bit i of the result: link i holds. */
static unsigned verify(const struct files *f, const struct amd_cert *root)
{
	struct chain_link link[CHAIN_LINKS];
	struct chain c;
	unsigned ok = 0;
	int rc;

	chain_init(&c);
	for (size_t i = 0; i < CHAIN_NAMES; i++)
		if (f->len[i])
			chain_set(&c, (enum chain_name)i, f->bytes[i],
				  f->len[i]);
	rc = chain_verify(&c, root, link);
	for (size_t i = 0; i < CHAIN_LINKS; i++)
		ok |= (unsigned)!link[i].bad << i;
	assert_int_equal(rc, ok == 0x7f ? 0 : -EKEYREJECTED);
	return ok;
}

static void whole_chains(void **state)
{
	struct files f;

	(void)state;
	load(&f, "naples", CHAIN_NAMES);
	assert_int_equal(verify(&f, NULL), 0x7f);
	load(&f, "rome", CHAIN_NAMES);
	assert_int_equal(verify(&f, NULL), 0x7f);
}

static void every_root_is_pinned(void **state)
{
	static const char *const product[] = { "naples", "rome", "milan",
					       "genoa", "turin" };
	struct files f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(product); i++) {
		load(&f, product[i], 2);
		assert_int_equal(verify(&f, NULL), 0x03);
	}
}

/* Which links must break when a bit of each region of each file flips. */
static const struct {
	const char *name;
	enum chain_name file;
	size_t at;
	unsigned holds;
} flips[] = {
	{ "ARK version", CHAIN_ARK, 0, 0x7c },
	{ "ARK key id", CHAIN_ARK, 4 + 15, 0x7c },
	{ "ARK signer id", CHAIN_ARK, 0x14 + 8, 0x7e },
	{ "ARK usage", CHAIN_ARK, 0x24, 0x7c },
	{ "ARK exponent size", CHAIN_ARK, 0x38, 0x7c },
	{ "ARK modulus size", CHAIN_ARK, 0x3c, 0x7c },
	{ "ARK exponent", CHAIN_ARK, 0x40, 0x7c },
	{ "ARK exponent, high", CHAIN_ARK, 0x40 + 511, 0x7c },
	{ "ARK modulus", CHAIN_ARK, 0x40 + 512 + 7, 0x7c },
	{ "ARK signature", CHAIN_ARK, 0x40 + 1024 + 511, 0x7e },
	{ "ASK key id", CHAIN_ASK, 4, 0x7d },
	{ "ASK signer id, 16th byte", CHAIN_ASK, 0x14 + 15, 0x7d },
	{ "ASK usage", CHAIN_ASK, 0x24, 0x79 },
	{ "ASK reserved", CHAIN_ASK, 0x30, 0x7d },
	{ "ASK modulus", CHAIN_ASK, 0x40 + 512, 0x79 },
	{ "ASK signature", CHAIN_ASK, 0x40 + 1024, 0x7d },
	{ "CEK version", CHAIN_CEK, 0, 0x6b },
	{ "CEK API", CHAIN_CEK, 5, 0x7b },
	{ "CEK reserved", CHAIN_CEK, 6, 0x6b },
	{ "CEK usage", CHAIN_CEK, 8, 0x6b },
	{ "CEK algorithm", CHAIN_CEK, 0xc, 0x6b },
	{ "CEK curve", CHAIN_CEK, 0x10, 0x6b },
	{ "CEK x", CHAIN_CEK, 0x14, 0x6b },
	{ "CEK x, beyond", CHAIN_CEK, 0x14 + 60, 0x6b },
	{ "CEK y", CHAIN_CEK, 0x14 + 72 + 47, 0x6b },
	{ "CEK beyond its key", CHAIN_CEK, 0x413, 0x6b },
	{ "CEK signer", CHAIN_CEK, 0x414, 0x7b },
	{ "CEK signature algorithm", CHAIN_CEK, 0x419, 0x6b },
	{ "CEK signature", CHAIN_CEK, 0x41c, 0x7b },
	{ "CEK empty slot", CHAIN_CEK, 0x823, 0x6b },
	{ "OCA x", CHAIN_OCA, 0x14 + 3, 0x57 },
	{ "OCA signature r", CHAIN_OCA, 0x41c, 0x77 },
	{ "OCA signature s", CHAIN_OCA, 0x41c + 72, 0x77 },
	{ "OCA beyond its signature", CHAIN_OCA, 0x41c + 144, 0x57 },
	{ "PEK API", CHAIN_PEK, 4, 0x4f },
	{ "PEK first signature", CHAIN_PEK, 0x41c, 0x5f },
	{ "PEK second signature", CHAIN_PEK, 0x624, 0x6f },
	{ "PEK y", CHAIN_PEK, 0x14 + 72, 0x0f },
	{ "PDH x", CHAIN_PDH, 0x14, 0x3f },
	{ "PDH signature", CHAIN_PDH, 0x41c + 40, 0x3f },
	{ "PDH signer", CHAIN_PDH, 0x414, 0x3f },
};

static void flipped_bits(void **state)
{
	struct files f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(flips); i++) {
		uint8_t *p;

		load(&f, "rome", CHAIN_NAMES);
		p = &f.bytes[flips[i].file][flips[i].at];
		*p ^= 1;
		print_message("%s\n", flips[i].name);
		assert_int_equal(verify(&f, NULL), flips[i].holds);
	}
}

static void wrong_lengths(void **state)
{
	struct files f;

	(void)state;
	for (size_t i = 0; i < CHAIN_NAMES; i++) {
		load(&f, "rome", CHAIN_NAMES);
		f.len[i]--;
		assert_int_not_equal(verify(&f, NULL), 0x7f);
		f.len[i] += 2;
		assert_int_not_equal(verify(&f, NULL), 0x7f);
		f.len[i] = 1;
		assert_int_not_equal(verify(&f, NULL), 0x7f);
		f.len[i] = 0;
		assert_int_not_equal(verify(&f, NULL), 0x7f);
	}
	/* An ARK of the other size: neither its own nor its keys' length. */
	load(&f, "rome", CHAIN_NAMES);
	f.len[CHAIN_ARK] = 832;
	assert_int_equal(verify(&f, NULL), 0x7c);
}

/* Files under another's name: each usage is checked. */
static void wrong_places(void **state)
{
	struct files f, g;

	(void)state;
	for (size_t i = 0; i < CHAIN_NAMES; i++)
		for (size_t k = 0; k < CHAIN_NAMES; k++) {
			if (i == k)
				continue;
			load(&f, "rome", CHAIN_NAMES);
			load(&g, "rome", CHAIN_NAMES);
			bytes_copy(f.bytes[i], sizeof(f.bytes[i]), g.bytes[k],
				   g.len[k]);
			f.len[i] = g.len[k];
			assert_int_not_equal(verify(&f, NULL), 0x7f);
		}
}

/* Another platform's certificates do not complete a chain. */
static void mixed_platforms(void **state)
{
	struct files rome, naples;

	(void)state;
	for (size_t i = 0; i < CHAIN_NAMES; i++) {
		load(&rome, "rome", CHAIN_NAMES);
		load(&naples, "naples", CHAIN_NAMES);
		bytes_copy(rome.bytes[i], sizeof(rome.bytes[i]),
			   naples.bytes[i], naples.len[i]);
		rome.len[i] = naples.len[i];
		assert_int_not_equal(verify(&rome, NULL), 0x7f);
	}
}

static void swapped_slots(void **state)
{
	enum { FIRST = 0x414, SECOND = 0x61c, SLOT = 520 };
	uint8_t slot[SLOT];
	struct files f;
	uint8_t *pek;

	(void)state;
	load(&f, "rome", CHAIN_NAMES);
	pek = f.bytes[CHAIN_PEK];
	bytes_copy(slot, SLOT, pek + FIRST, SLOT);
	bytes_copy(pek + FIRST, SLOT, pek + SECOND, SLOT);
	bytes_copy(pek + SECOND, SLOT, slot, SLOT);
	assert_int_equal(verify(&f, NULL), 0x7f);
}

static void other_root(void **state)
{
	struct files rome, milan;
	struct amd_cert root;
	const char *why;

	(void)state;
	load(&rome, "rome", CHAIN_NAMES);
	load(&milan, "milan", 2);
	assert_int_equal(
		amd_cert_parse(&root, rome.bytes[0], rome.len[0], &why), 0);
	assert_int_equal(verify(&rome, &root), 0x7f);
	assert_int_equal(verify(&milan, &root), 0x02);
	assert_int_equal(
		amd_cert_parse(&root, milan.bytes[0], milan.len[0], &why), 0);
	assert_int_equal(verify(&rome, &root), 0x7e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flipped_bits),
		cmocka_unit_test(wrong_lengths),
		cmocka_unit_test(wrong_places),
		cmocka_unit_test(mixed_platforms),
		cmocka_unit_test(other_root),
		cmocka_unit_test(swapped_slots),
		cmocka_unit_test(every_root_is_pinned),
		cmocka_unit_test(whole_chains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
