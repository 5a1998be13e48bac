/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bzimage_test: kernels that are none, are cut short or are too old, then a
 * good one. Offsets are written out as in Documentation/arch/x86/boot.rst.
 */
#include "boot/bzimage.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define IMAGE_LEN 0x3000u

/* One or two bytes to change in the good kernel below. */
struct row {
	const char *name;
	size_t len;
	struct {
		size_t at, len;
		uint64_t v;
	} edit[2];
	int rc;
	size_t setup_bytes;
};

static const struct row rows[] = {
	{ "empty", 0, { { 0 } }, -EINVAL, 0 },
	{ "one byte", 1, { { 0 } }, -EINVAL, 0 },
	{ "ends inside the header", 0x23f, { { 0 } }, -EINVAL, 0 },
	{ "no boot flag", IMAGE_LEN, { { 0x1fe, 2, 0 } }, -EINVAL, 0 },
	{ "no magic", IMAGE_LEN, { { 0x202, 1, 'h' } }, -EINVAL, 0 },
	{ "an ELF vmlinux",
	  IMAGE_LEN,
	  { { 0, 4, 0x464c457f }, { 0x202, 4, 0 } },
	  -EINVAL,
	  0 },
	{ "protocol 2.01", IMAGE_LEN, { { 0x206, 2, 0x201 } }, -EINVAL, 0 },
	{ "loaded low", IMAGE_LEN, { { 0x211, 1, 0 } }, -EINVAL, 0 },
	{ "setup fills the file", 0x1000, { { 0 } }, -EINVAL, 0 },
	{ "setup is all of it, old protocol",
	  0x1000,
	  { { 0x206, 2, 0x203 } },
	  -EINVAL,
	  0 },
	{ "most setup sectors", IMAGE_LEN, { { 0x1f1, 1, 255 } }, -EINVAL, 0 },
	{ "a byte cut off", IMAGE_LEN - 1, { { 0 } }, -EINVAL, 0 },
	{ "promises 64 GiB",
	  IMAGE_LEN,
	  { { 0x1f4, 4, 0xffffffff } },
	  -EINVAL,
	  0 },
	{ "promises 64 GiB, protocol 2.04",
	  IMAGE_LEN,
	  { { 0x206, 2, 0x204 }, { 0x1f4, 4, 0xffffffff } },
	  -EINVAL,
	  0 },
	{ "complete", IMAGE_LEN, { { 0 } }, 0, 0x1000 },
	{ "signed: bytes follow", IMAGE_LEN + 8, { { 0 } }, 0, 0x1000 },
	{ "0 sectors mean 4", IMAGE_LEN, { { 0x1f1, 1, 0 } }, 0, 0xa00 },
	{ "16-bit syssize ignored",
	  IMAGE_LEN,
	  { { 0x206, 2, 0x202 }, { 0x1f4, 4, 0xffffffff } },
	  0,
	  0x1000 },
};

static uint8_t *kernel_new(void)
{
	uint8_t *k = calloc(1, IMAGE_LEN + 8);

	assert_non_null(k);
	k[0x1f1] = 7;
	put_le32(k + 0x1f4, 0x200);
	put_le16(k + 0x1fe, 0xaa55);
	bytes_copy(k + 0x202, 4, "HdrS", 4);
	put_le16(k + 0x206, 0x020f);
	k[0x211] = 1;
	put_le32(k + 0x238, 2047);
	return k;
}

/* An exact-size copy, so that sanitizers see a read past the end. */
static uint8_t *cut_to(uint8_t *k, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);

	assert_non_null(exact);
	bytes_copy(exact, len, k, len);
	free(k);
	return exact;
}

static void headers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct bzimage bz = { .setup_bytes = 0 };
		uint8_t *k = kernel_new();
		const char *why = NULL;
		int rc;

		for (size_t j = 0; j < ARRAY_LEN(r->edit); j++)
			put_le(k + r->edit[j].at, r->edit[j].len, r->edit[j].v);
		k = cut_to(k, r->len);
		rc = bzimage_parse(&bz, k, r->len, &why);
		if (rc != r->rc || bz.setup_bytes != r->setup_bytes ||
		    (rc && !why))
			fail_msg("%s: %d, setup %zu (%s)", r->name, rc,
				 bz.setup_bytes, why ? why : "no reason");
		free(k);
	}
}

static void fields(void **state)
{
	uint8_t *k = kernel_new();
	struct bzimage bz;
	const char *why;

	(void)state;
	assert_int_equal(bzimage_parse(&bz, k, IMAGE_LEN, &why), 0);
	assert_int_equal(bz.protocol, 0x20f);
	assert_int_equal(bz.cmdline_max, 2047);
	assert_false(bz.efi_stub);

	put_le16(k + 0x206, 0x206);
	assert_int_equal(bzimage_parse(&bz, k, IMAGE_LEN, &why), 0);
	assert_int_equal(bz.cmdline_max, 2047);

	put_le16(k + 0x206, 0x205);
	assert_int_equal(bzimage_parse(&bz, k, IMAGE_LEN, &why), 0);
	assert_int_equal(bz.cmdline_max, 255);
	free(k);
}

/* What says that there is a 64-bit entry point, and each reason against it. */
static void entry64(void **state)
{
	static const struct {
		size_t at, len;
		uint64_t v;
		bool entry64;
		size_t header_end;
	} t[] = {
		{ 0x206, 2, 0x20b, false, 0 }, /* before the flag was there */
		{ 0x236, 2, 0x7e, false, 0 }, /* a 32-bit kernel */
		{ 0x201, 1, 0x61, false, 0 }, /* ends before init_size does */
		{ 0x206, 2, 0x20c, true, 0x26c },
		{ 0x236, 2, 0x01, true, 0x26c },
		{ 0x201, 1, 0x62, true, 0x264 },
		{ 0x201, 1, 0xff, true, 0x290 }, /* what a zero page takes */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		uint8_t *k = kernel_new();
		struct bzimage bz;
		const char *why;

		put_le16(k + 0x200, 0x6aeb);
		put_le32(k + 0x22c, 0x7fffffff);
		put_le16(k + 0x236, 0x7f);
		put_le64(k + 0x258, 0x1000000);
		put_le32(k + 0x260, 0x37ee000);
		put_le(k + t[i].at, t[i].len, t[i].v);
		assert_int_equal(bzimage_parse(&bz, k, IMAGE_LEN, &why), 0);
		assert_int_equal(bz.entry64, t[i].entry64);
		assert_int_equal(bz.header_end, t[i].header_end);
		assert_int_equal(bz.load_at, t[i].entry64 ? 0x1000000 : 0);
		assert_int_equal(bz.init_size, t[i].entry64 ? 0x37ee000 : 0);
		assert_int_equal(bz.initrd_max, t[i].entry64 ? 0x7fffffff : 0);
		free(k);
	}
}

static void efi_stub(void **state)
{
	static const struct {
		uint32_t at;
		bool stub;
	} t[] = {
		{ 0x40, true },
		{ IMAGE_LEN - 4, false }, /* nothing there */
		{ IMAGE_LEN - 3, false },
		{ 0xffffffff, false },
	};
	uint8_t *k = kernel_new();
	struct bzimage bz;
	const char *why;

	(void)state;
	k[0] = 'M';
	k[1] = 'Z';
	bytes_copy(k + 0x40, 4, "PE\0", 4);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		put_le32(k + 0x3c, t[i].at);
		assert_int_equal(bzimage_parse(&bz, k, IMAGE_LEN, &why), 0);
		assert_int_equal(bz.efi_stub, t[i].stub);
	}
	free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers),
		cmocka_unit_test(fields),
		cmocka_unit_test(entry64),
		cmocka_unit_test(efi_stub),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
