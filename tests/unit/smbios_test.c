/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smbios_test: walks the structures as a guest's tools do, with a reader of
 * its own. Lengths and offsets are those of SMBIOS 3.0 (DSP0134).
 */
#include "boot/smbios.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define STRUCTS 16
#define SIXTEEN "0123456789abcdef"

struct walk {
	const uint8_t *at[STRUCTS];
	size_t n;
};

/* Every structure ends within the table, and the last one is type 127. */
static struct walk walk(const struct smbios *s)
{
	struct walk w = { .n = 0 };
	size_t off = 0;

	while (off < s->tables_len) {
		const uint8_t *t = s->tables + off;

		assert_true(range_ok(off, 4, s->tables_len));
		assert_true(w.n < STRUCTS);
		w.at[w.n++] = t;
		off += t[1];
		do {
			assert_true(range_ok(off, 2, s->tables_len));
			off++;
		} while (s->tables[off - 1] || s->tables[off]);
		off++;
	}
	assert_int_equal(off, s->tables_len);
	assert_int_equal(w.at[w.n - 1][0], 127);
	return w;
}

static const uint8_t *find(const struct walk *w, uint8_t type, size_t nth)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->at[i][0] == type && nth-- == 0)
			return w->at[i];
	return NULL;
}

/* String number n (from 1) of a structure. */
static const char *string_of(const uint8_t *t, unsigned n)
{
	const char *s = (const char *)t + t[1];

	while (--n)
		s += strlen(s) + 1;
	return s;
}

static struct smbios build(const char *name, unsigned cpus, uint64_t low,
			   uint64_t high)
{
	const struct smbios_source src = { name, cpus, low, high, true };
	struct smbios s;

	smbios_build(&s, &src);
	return s;
}

static void structures(void **state)
{
	static const uint8_t want[][2] = { { 0, 0x18 },	 { 1, 0x1b },
					   { 3, 0x16 },	 { 4, 0x30 },
					   { 16, 0x17 }, { 17, 0x28 },
					   { 19, 0x1f }, { 19, 0x1f },
					   { 32, 0x0b }, { 127, 4 } };
	const struct smbios s = build("vm", 4, 2 * GIB, 2 * GIB);
	const struct walk w = walk(&s);

	(void)state;
	assert_int_equal(w.n, ARRAY_LEN(want));
	for (size_t i = 0; i < w.n; i++) {
		assert_memory_equal(w.at[i], want[i], 2);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(get_le16(w.at[i] + 2),
					     get_le16(w.at[j] + 2));
	}
}

static void anchor(void **state)
{
	const struct smbios s = build("vm", 1, GIB, 0);
	uint8_t sum = 0;

	(void)state;
	assert_memory_equal(s.anchor, "_SM3_", 5);
	assert_memory_equal(s.anchor + 6, "\x18\3\0\0\1\0", 6);
	assert_int_equal(get_le32(s.anchor + 12), s.tables_len);
	for (size_t i = 0; i < sizeof(s.anchor); i++)
		sum = (uint8_t)(sum + s.anchor[i]);
	assert_int_equal(sum, 0);
}

static void names(void **state)
{
	static const struct {
		const char *name, *want;
	} t[] = {
		{ NULL, "none" },
		{ "", "none" },
		{ "web-1", "web-1" },
		{ "!~\x7f", "!~?" },
		{ "a b\n\x1b\xff", "a b???" },
		/* cut at 64 */
		{ SIXTEEN SIXTEEN SIXTEEN SIXTEEN "X",
		  SIXTEEN SIXTEEN SIXTEEN SIXTEEN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		const struct smbios s = build(t[i].name, 1, GIB, 0);
		const struct walk w = walk(&s);
		const uint8_t *system = find(&w, 1, 0);

		assert_string_equal(string_of(system, system[7]), t[i].want);
		assert_string_equal(string_of(system, system[4]), "carrel");
	}
}

static void memory(void **state)
{
	static const struct {
		uint64_t low, high;
		uint32_t array_kib;
		uint64_t array_bytes;
		uint16_t device_mib;
		uint32_t device_ext_mib;
	} t[] = {
		{ 64 * MIB, 0, 65536, 0, 64, 0 },
		{ 2 * GIB, 2 * GIB, 4194304, 0, 4096, 0 },
		{ 2 * GIB, 30 * GIB - MIB, 33553408, 0, 0x7fff, 32767 },
		{ 2 * GIB, 30 * GIB, 33554432, 0, 0x7fff, 32768 },
		{ 2 * GIB, 2046 * GIB, 0x80000000, 2048 * GIB, 0x7fff,
		  2097152 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		const struct smbios s = build("vm", 1, t[i].low, t[i].high);
		const struct walk w = walk(&s);
		const uint8_t *array = find(&w, 16, 0);
		const uint8_t *device = find(&w, 17, 0);
		const uint8_t *range = find(&w, 19, 0);
		const uint8_t *above = find(&w, 19, 1);

		assert_int_equal(get_le32(array + 7), t[i].array_kib);
		assert_int_equal(get_le64(array + 15), t[i].array_bytes);
		assert_int_equal(get_le16(device + 4), get_le16(array + 2));
		assert_int_equal(get_le16(device + 12), t[i].device_mib);
		assert_int_equal(get_le32(device + 28), t[i].device_ext_mib);
		assert_int_equal(get_le32(range + 4), 0);
		assert_int_equal(get_le32(range + 8), t[i].low / KIB - 1);
		assert_int_equal(above != NULL, t[i].high != 0);
		if (!above)
			continue;
		assert_int_equal(get_le32(above + 4), 4 * MIB);
		assert_int_equal(get_le32(above + 8),
				 4 * MIB + t[i].high / KIB - 1);
	}
}

/* A range that ends at or above 4 TiB needs the 64-bit fields. */
static void far_memory(void **state)
{
	const struct smbios s = build("vm", 1, 2 * GIB, 4096 * GIB);
	const struct walk w = walk(&s);
	const uint8_t *above = find(&w, 19, 1);

	(void)state;
	assert_int_equal(get_le32(above + 4), 0xffffffff);
	assert_int_equal(get_le64(above + 15), 4 * GIB);
	assert_int_equal(get_le64(above + 23), 4100 * GIB - 1);
}

/* The last KiB below 4 TiB: its number is the mark of the 64-bit fields. */
static void just_far_memory(void **state)
{
	const struct smbios s = build("vm", 1, 2 * GIB, 4092 * GIB);
	const struct smbios t = build("vm", 1, 2 * GIB, 4092 * GIB - 4096);
	const struct walk w = walk(&s), x = walk(&t);

	(void)state;
	assert_int_equal(get_le64(find(&w, 19, 1) + 23), 4096 * GIB - 1);
	assert_int_equal(get_le64(find(&x, 19, 1) + 23), 0);
}

static void processors(void **state)
{
	static const unsigned cpus[] = { 1, 2, 64, 255 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cpus); i++) {
		const struct smbios s = build("vm", cpus[i], GIB, 0);
		const struct walk w = walk(&s);
		const uint8_t *p = find(&w, 4, 0);

		for (size_t at = 0x23; at <= 0x25; at++)
			assert_int_equal(p[at], cpus[i]);
		for (size_t at = 0x2a; at <= 0x2e; at += 2)
			assert_int_equal(get_le16(p + at), cpus[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(structures), cmocka_unit_test(anchor),
		cmocka_unit_test(names),      cmocka_unit_test(memory),
		cmocka_unit_test(far_memory), cmocka_unit_test(just_far_memory),
		cmocka_unit_test(processors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
