/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elf_test: files that are no PVH kernel, each by one edit of a good one, then
 * what the good one and its neighbours give. Offsets are written out as in the
 * ELF-64 format: a file header of 64 bytes, program headers of 56.
 */
#include "boot/elf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/elf_rig.h"

#define FILE_LEN 0x2000u
#define NOTES 0x1800u /* where the notes are, and how long */
#define NOTES_LEN 0x34u
#define PHDR(n) (64u + 56u * (n))
#define CODE 0u /* program headers: two to load, a stack's, the notes */
#define DATA 1u
#define NOTE 3u

/* One or two fields to change in the good kernel below. */
struct row {
	const char *name;
	size_t len;
	struct {
		size_t at, len;
		uint64_t v;
	} edit[2];
};

static const struct row refusals[] = {
	{ "empty", 0, { { 0 } } },
	{ "three bytes", 3, { { 0 } } },
	{ "the magic alone", 4, { { 0 } } },
	{ "a byte less than a header", 63, { { 0 } } },
	{ "no magic", FILE_LEN, { { 0, 1, 0x7e } } },
	{ "32 bits", FILE_LEN, { { 4, 1, 1 } } },
	{ "big-endian", FILE_LEN, { { 5, 1, 2 } } },
	{ "ARM", FILE_LEN, { { 18, 2, 183 } } },
	{ "an object file", FILE_LEN, { { 16, 2, 1 } } },
	{ "a core", FILE_LEN, { { 16, 2, 4 } } },
	{ "shared", FILE_LEN, { { 16, 2, 3 } } },
	{ "no program headers", FILE_LEN, { { 56, 2, 0 } } },
	{ "too many of them", FILE_LEN, { { 56, 2, 65 } } },
	{ "of another size", FILE_LEN, { { 54, 2, 32 } } },
	{ "past the end", FILE_LEN, { { 32, 8, FILE_LEN - 4 * 56 + 1 } } },
	{ "their offset wraps", FILE_LEN, { { 32, 8, ~0ull - 10 } } },
	{ "cut inside them", PHDR(4) - 1, { { 0 } } },
	{ "nothing to load",
	  FILE_LEN,
	  { { PHDR(CODE), 4, 0 }, { PHDR(DATA), 4, 0 } } },
	{ "two empty segments",
	  FILE_LEN,
	  { { PHDR(CODE) + 40, 8, 0 }, { PHDR(DATA) + 40, 8, 0 } } },
	{ "code beyond the file", FILE_LEN, { { PHDR(CODE) + 8, 8, 0x1801 } } },
	{ "its offset wraps", FILE_LEN, { { PHDR(CODE) + 8, 8, ~0ull } } },
	{ "its length wraps",
	  FILE_LEN,
	  { { PHDR(CODE) + 32, 8, ~0ull }, { PHDR(CODE) + 40, 8, ~0ull } } },
	{ "smaller in memory", FILE_LEN, { { PHDR(CODE) + 40, 8, 0x7ff } } },
	{ "at 4 GiB", FILE_LEN, { { PHDR(CODE) + 24, 8, 4 * GIB } } },
	{ "over 4 GiB", FILE_LEN, { { PHDR(CODE) + 24, 8, 4 * GIB - 1 } } },
	{ "its address wraps", FILE_LEN, { { PHDR(CODE) + 24, 8, ~0ull } } },
	{ "a bss of 4 GiB", FILE_LEN, { { PHDR(DATA) + 40, 8, 4 * GIB } } },
	{ "a bss without end", FILE_LEN, { { PHDR(DATA) + 40, 8, ~0ull } } },
	{ "data over code", FILE_LEN, { { PHDR(DATA) + 24, 8, 0x1007ff } } },
	{ "bss over code",
	  FILE_LEN,
	  { { PHDR(DATA) + 24, 8, 0xff000 }, { PHDR(DATA) + 40, 8, 0x1001 } } },
	{ "no notes", FILE_LEN, { { PHDR(NOTE), 4, 0 } } },
	{ "notes past the end",
	  FILE_LEN,
	  { { PHDR(NOTE) + 8, 8, FILE_LEN - NOTES_LEN + 1 } } },
	{ "notes wrap", FILE_LEN, { { PHDR(NOTE) + 32, 8, ~0ull } } },
	{ "notes end in a header",
	  FILE_LEN,
	  { { PHDR(NOTE) + 32, 8, NOTES_LEN - 17 } } },
	{ "notes end in the entry",
	  FILE_LEN,
	  { { PHDR(NOTE) + 32, 8, NOTES_LEN - 1 } } },
	{ "a name without end", FILE_LEN, { { NOTES, 4, 0xffffffff } } },
	{ "a text without end", FILE_LEN, { { NOTES + 4, 4, 0xffffffff } } },
	{ "somebody else's note", FILE_LEN, { { NOTES + 0x28, 1, 'x' } } },
	{ "another of Xen's", FILE_LEN, { { NOTES + 0x24, 4, 17 } } },
	{ "an entry of 2 bytes", FILE_LEN, { { NOTES + 0x20, 4, 2 } } },
	{ "an entry of 16 bytes", FILE_LEN, { { NOTES + 0x20, 4, 16 } } },
	{ "an entry of 0", FILE_LEN, { { NOTES + 0x2c, 8, 0 } } },
	{ "below the code", FILE_LEN, { { NOTES + 0x2c, 8, 0xfffff } } },
	{ "behind the code", FILE_LEN, { { NOTES + 0x2c, 8, 0x100800 } } },
	{ "above 4 GiB", FILE_LEN, { { NOTES + 0x2c, 8, 0x100100010ull } } },
};

/* GNU's build-id first, whose odd length wants padding; then the entry. */
static void put_notes(uint8_t *n)
{
	put_le32(n, 4);
	put_le32(n + 4, 9);
	put_le32(n + 8, 3);
	bytes_copy(n + 12, 4, "GNU", 4);
	n += 12 + 4 + 12;
	put_le32(n, 4);
	put_le32(n + 4, 8);
	put_le32(n + 8, 18);
	bytes_copy(n + 12, 4, "Xen", 4);
	put_le64(n + 16, 0x100010);
}

static uint8_t *kernel_new(void)
{
	uint8_t *k = calloc(1, FILE_LEN);

	assert_non_null(k);
	put_ehdr(k, 4);
	put_phdr(k + PHDR(CODE), 1, 0x800, 0x100000, 0x800, 0x800);
	put_phdr(k + PHDR(DATA), 1, 0x1000, 0x200000, 0x100, 0x5000);
	put_phdr(k + PHDR(2), 0x6474e551, 0, 0, 0, 0);
	put_phdr(k + PHDR(NOTE), 4, NOTES, 0, NOTES_LEN, NOTES_LEN);
	put_notes(k + NOTES);
	return k;
}

static int parse(struct elf *e, const struct row *r, const char **why)
{
	uint8_t *k = kernel_new(), *exact = malloc(r->len ? r->len : 1);
	int rc;

	/* An exact-size copy, so that sanitizers see a read past the end. */
	assert_non_null(exact);
	for (size_t j = 0; j < ARRAY_LEN(r->edit); j++)
		put_le(k + r->edit[j].at, r->edit[j].len, r->edit[j].v);
	bytes_copy(exact, r->len, k, r->len);
	free(k);
	rc = elf_parse(e, exact, r->len, why);
	free(exact);
	return rc;
}

static void refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		struct elf e = { .n = 77 };
		const char *why = NULL;
		int rc = parse(&e, &refusals[i], &why);

		if (rc != -EINVAL || !why || e.n != 77)
			fail_msg("%s: %d (%s)", refusals[i].name, rc,
				 why ? why : "no reason");
	}
}

static void accepted(void **state)
{
	static const struct row good = { "good", FILE_LEN, { { 0 } } };
	struct elf e;
	const char *why;

	(void)state;
	assert_int_equal(parse(&e, &good, &why), 0);
	assert_int_equal(e.entry, 0x100010);
	assert_int_equal(e.n, 2);
	assert_int_equal(e.begin, 0x100000);
	assert_int_equal(e.end, 0x205000);
	assert_int_equal(e.segment[0].at, 0x100000);
	assert_int_equal(e.segment[0].off, 0x800);
	assert_int_equal(e.segment[0].len, 0x800);
	assert_int_equal(e.segment[0].zeros, 0);
	assert_int_equal(e.segment[1].at, 0x200000);
	assert_int_equal(e.segment[1].len, 0x100);
	assert_int_equal(e.segment[1].zeros, 0x4f00);
}

/* The refusals' limits from their other side; what the entry is then. */
static void just_accepted(void **state)
{
	static const struct {
		struct row row;
		uint32_t entry;
	} t[] = {
		{ { "at the file's end",
		    FILE_LEN,
		    { { PHDR(CODE) + 8, 8, 0x1800 } } },
		  0x100010 },
		{ { "up to 4 GiB",
		    FILE_LEN,
		    { { PHDR(DATA) + 24, 8, 4 * GIB - 0x5000 } } },
		  0x100010 },
		{ { "data right behind code",
		    FILE_LEN,
		    { { PHDR(DATA) + 24, 8, 0x100800 } } },
		  0x100010 },
		{ { "code's first byte",
		    FILE_LEN,
		    { { NOTES + 0x2c, 8, 0x100000 } } },
		  0x100000 },
		{ { "code's last byte",
		    FILE_LEN,
		    { { NOTES + 0x2c, 8, 0x1007ff } } },
		  0x1007ff },
		{ { "an entry of 4 bytes",
		    FILE_LEN,
		    { { NOTES + 0x20, 4, 4 } } },
		  0x100010 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct elf e = { .n = 0 };
		const char *why = NULL;
		int rc = parse(&e, &t[i].row, &why);

		if (rc || e.entry != t[i].entry)
			fail_msg("%s: %d (%s)", t[i].row.name, rc,
				 why ? why : "no reason");
	}
}

/* As many segments as there may be, and one more. */
static void many_segments(void **state)
{
	uint8_t *k = kernel_new();
	struct elf e;
	const char *why;

	(void)state;
	put_phdr(k + PHDR(0), 4, NOTES, 0, NOTES_LEN, NOTES_LEN);
	for (unsigned i = 1; i < 10; i++) {
		put_le16(k + 56, (uint16_t)(i + 1));
		put_phdr(k + PHDR(i), 1, 0x800, 0x100000 * i, 0x800, 0x800);
		assert_int_equal(elf_parse(&e, k, FILE_LEN, &why),
				 i <= ELF_SEGMENTS ? 0 : -EINVAL);
	}
	free(k);
}

static void kinds(void **state)
{
	(void)state;
	assert_false(elf_is((const uint8_t *)"\177EL", 3));
	assert_false(elf_is((const uint8_t *)"MZ\0\0", 4));
	assert_true(elf_is((const uint8_t *)"\177ELF", 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),
		cmocka_unit_test(accepted),
		cmocka_unit_test(just_accepted),
		cmocka_unit_test(many_segments),
		cmocka_unit_test(kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
