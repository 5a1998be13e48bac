/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gmem_test: ranges at holes, ends, zero and wrap, through every function that
 * takes one.
 */
#include "vmm/gmem.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* The board: [0, 0x4000) RAM, a hole, [0x6000, 0x8000) ROM, then RAM. */
#define RAM 0x4000ull
#define ROM 0x6000ull
#define ROM_END 0x8000ull
#define TOP 0x9000ull

static int open_board(void **state)
{
	struct gmem *m = calloc(1, sizeof(*m));

	*state = m;
	return gmem_add(m, (gpa_t){ 0 }, RAM, GMEM_RAM, "ram") ||
	       gmem_add(m, (gpa_t){ ROM }, ROM_END - ROM, GMEM_ROM, "rom") ||
	       gmem_add(m, (gpa_t){ ROM_END }, TOP - ROM_END, GMEM_RAM, "top");
}

static int close_board(void **state)
{
	gmem_close(*state);
	free(*state);
	return 0;
}

static const struct {
	uint64_t at, len;
	int read, write;
} ranges[] = {
	{ RAM - 1, 2, -EFAULT, -EFAULT }, /* leaves a region */
	{ RAM, 1, -EFAULT, -EFAULT }, /* hole */
	{ ROM - 1, 1, -EFAULT, -EFAULT }, /* below a region */
	{ ROM - 1, 2, -EFAULT, -EFAULT }, /* enters a region */
	{ ROM_END - 1, 2, -EFAULT, -EFAULT }, /* neighbours do not join */
	{ TOP, 1, -EFAULT, -EFAULT }, /* after the last */
	{ 0, RAM + 1, -EFAULT, -EFAULT },
	{ ~0ull, 1, -EFAULT, -EFAULT },
	{ ~0ull, 2, -EFAULT, -EFAULT }, /* wraps */
	{ 1, ~0ull, -EFAULT, -EFAULT },
	{ RAM - 1, ~0ull, -EFAULT, -EFAULT },
	{ ROM, 1, 0, -EACCES },
	{ ROM_END - 1, 1, 0, -EACCES },
	{ 0, 0, 0, 0 },
	{ 0, 1, 0, 0 },
	{ 0, RAM, 0, 0 },
	{ RAM - 1, 1, 0, 0 },
	{ TOP - 1, 1, 0, 0 },
};

static void every_function_checks(void **state)
{
	static uint8_t buf[RAM];
	struct gmem *m = *state;

	for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
		gpa_t at = { ranges[i].at };
		uint64_t len = ranges[i].len, uaddr;
		struct iovec v;

		/* A refused range is not looked at: buf may be too small. */
		assert_int_equal(gmem_read(m, at, buf, len), ranges[i].read);
		assert_int_equal(gmem_write(m, at, buf, len), ranges[i].write);
		assert_int_equal(gmem_load(m, at, buf, len), ranges[i].read);
		assert_int_equal(gmem_fill(m, at, 0, len), ranges[i].read);
		assert_int_equal(gmem_uaddr(m, at, len, &uaddr),
				 ranges[i].read);
		assert_int_equal(gmem_iov(m, at, len, false, &v),
				 ranges[i].read);
		assert_int_equal(gmem_iov(m, at, len, true, &v),
				 ranges[i].write);
	}
}

static void ring_indices(void **state)
{
	static const struct {
		uint64_t at;
		int load, store;
	} t[] = {
		{ RAM, -EFAULT, -EFAULT },
		{ RAM - 1, -EFAULT, -EFAULT },
		{ ~0ull, -EFAULT, -EFAULT },
		{ 1, -EINVAL, -EINVAL },
		{ ROM + 1, -EINVAL, -EINVAL },
		{ ROM, 0, -EACCES },
		{ RAM - 2, 0, 0 },
		{ 0, 0, 0 },
	};
	struct gmem *m = *state;
	uint8_t bytes[2];
	uint16_t v;

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		gpa_t at = { t[i].at };

		assert_int_equal(gmem_load16(m, at, &v), t[i].load);
		assert_int_equal(gmem_store16(m, at, 0x1234), t[i].store);
	}
	assert_int_equal(gmem_read(m, (gpa_t){ RAM - 2 }, bytes, 2), 0);
	assert_int_equal(get_le16(bytes), 0x1234);
	assert_int_equal(gmem_load16(m, (gpa_t){ RAM - 2 }, &v), 0);
	assert_int_equal(v, 0x1234);
}

static void bytes_go_where_they_should(void **state)
{
	struct gmem *m = *state;
	uint8_t in[100], out[100], edge[3];
	struct iovec v;
	uint64_t uaddr;

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i + 1);
	assert_int_equal(gmem_write(m, (gpa_t){ 0x101 }, in, 100), 0);
	assert_int_equal(gmem_read(m, (gpa_t){ 0x101 }, out, 100), 0);
	assert_memory_equal(in, out, 100);
	assert_int_equal(gmem_read(m, (gpa_t){ 0x101 }, out, 64), 0);
	assert_memory_equal(in, out, 64);
	assert_int_equal(gmem_read(m, (gpa_t){ 0x100 }, edge, 3), 0);
	assert_memory_equal(edge, "\0\1\2", 3);

	assert_int_equal(gmem_iov(m, (gpa_t){ 0x101 }, 100, true, &v), 0);
	assert_int_equal(v.iov_len, 100);
	assert_memory_equal(v.iov_base, in, 100);
	assert_int_equal(gmem_uaddr(m, (gpa_t){ 0x101 }, 100, &uaddr), 0);
	assert_int_equal(uaddr, (uintptr_t)v.iov_base);

	assert_int_equal(gmem_fill(m, (gpa_t){ 0x102 }, 0xee, 1), 0);
	assert_int_equal(gmem_read(m, (gpa_t){ 0x101 }, edge, 3), 0);
	assert_memory_equal(edge, "\1\xee\3", 3);

	assert_int_equal(gmem_load(m, (gpa_t){ ROM_END - 1 }, in, 1), 0);
	assert_int_equal(gmem_read(m, (gpa_t){ ROM_END - 1 }, out, 1), 0);
	assert_int_equal(out[0], 1);
}

static void regions(void **state)
{
	static const struct {
		uint64_t base, size;
		int rc;
	} t[] = {
		{ 0x10000, 0, -EINVAL },
		{ 0x10001, 0x1000, -EINVAL },
		{ 0x10000, 0x1001, -EINVAL },
		{ ~0xfffull, 0x1000, -EINVAL }, /* ends at 2^64 */
		{ ~0xfffull, 0x2000, -EINVAL },
		{ 0x10000, ~0xfffull, -EINVAL },
		{ 0, 0x1000, -EEXIST },
		{ RAM - 0x1000, 0x2000, -EEXIST },
		{ RAM, ROM_END - RAM, -EEXIST }, /* around the ROM */
		{ TOP - 0x1000, 0x1000, -EEXIST },
		{ RAM, ROM - RAM, 0 }, /* fills the hole */
		{ TOP, 0x1000, 0 },
	};
	struct gmem *m = *state;
	uint64_t at = 0x100000;

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_int_equal(gmem_add(m, (gpa_t){ t[i].base }, t[i].size,
					  GMEM_RAM, "t"),
				 t[i].rc);
	for (; m->n < GMEM_REGIONS; at += 0x1000)
		assert_int_equal(
			gmem_add(m, (gpa_t){ at }, 0x1000, GMEM_RAM, "t"), 0);
	assert_int_equal(gmem_add(m, (gpa_t){ at }, 0x1000, GMEM_RAM, "t"),
			 -ENOSPC);
}

/* RAM below and above the hole of 32-bit devices. */
static void split(void **state)
{
	static const struct {
		uint64_t ram, low, high;
	} t[] = {
		{ 64 * MIB, 64 * MIB, 0 },
		{ GMEM_LOW_MAX - 4096, GMEM_LOW_MAX - 4096, 0 },
		{ GMEM_LOW_MAX, GMEM_LOW_MAX, 0 },
		{ GMEM_LOW_MAX + 4096, GMEM_LOW_MAX, 4096 },
		{ 5 * GIB, GMEM_LOW_MAX, 3 * GIB },
	};
	struct gmem m;
	uint8_t b;

	(void)state;
	assert_int_equal(gmem_open(&m, 0), -EINVAL);
	assert_int_equal(gmem_open(&m, 4097), -EINVAL);
	assert_int_equal(gmem_open(&m, GMEM_LOW_MAX + 1), -EINVAL);
	assert_int_equal(m.n, 0);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		gpa_t end_low = { t[i].low }, end_high = { GMEM_HIGH_BASE };

		assert_int_equal(gmem_open(&m, t[i].ram), 0);
		assert_int_equal(gmem_ram_low(&m), t[i].low);
		assert_int_equal(gmem_ram_high(&m), t[i].high);
		end_high.v += t[i].high;
		assert_int_equal(gmem_read(&m, end_low, &b, 1), -EFAULT);
		assert_int_equal(gmem_read(&m, end_high, &b, 1), -EFAULT);
		end_low.v--;
		assert_int_equal(gmem_read(&m, end_low, &b, 1), 0);
		end_high.v--;
		assert_int_equal(gmem_read(&m, end_high, &b, 1),
				 t[i].high ? 0 : -EFAULT);
		/* ROM is no RAM. */
		assert_int_equal(gmem_add(&m, (gpa_t){ 0xffc00000 }, 4 * MIB,
					  GMEM_ROM, "rom"),
				 0);
		assert_int_equal(gmem_ram_low(&m), t[i].low);
		gmem_close(&m);
		assert_int_equal(gmem_read(&m, end_low, &b, 1), -EFAULT);
	}
}

/* Holes and ends ask for nothing; a range has memory before it is used. */
static void populated(void **state)
{
	const uint64_t used = 3 * GMEM_PAGE;
	struct gmem m;

	(void)state;
	assert_int_equal(gmem_open(&m, 16 * MIB), 0);
	gmem_populate(&m, (gpa_t){ 16 * MIB }, 1);
	gmem_populate(&m, (gpa_t){ 16 * MIB - 1 }, 2);
	gmem_populate(&m, (gpa_t){ UINT64_MAX }, 2);
	gmem_populate(&m, (gpa_t){ 0 }, 0);
	assert_int_equal(gmem_resident(&m), 0);
	gmem_populate(&m, (gpa_t){ MIB + 5 }, 2 * GMEM_PAGE);
	/* All of it, or nothing where Linux is too old. */
	assert_true(!gmem_resident(&m) || gmem_resident(&m) >= used);
	gmem_close(&m);
}

/* Whole pages of RAM, which read as zeroes then and can be used again. */
static void discard(void **state)
{
	static const struct {
		const char *name;
		uint64_t at, len;
		int rc;
	} t[] = {
		{ "half a page", 0, 2048, -EINVAL },
		{ "askew", 2048, 4096, -EINVAL },
		{ "ROM", 0xffc00000, 4096, -EACCES },
		{ "a hole", 2 * MIB, 4096, -EFAULT },
		{ "over the end", 2 * MIB - 4096, 8192, -EFAULT },
		{ "wraps", ~0xfffull, 8192, -EFAULT },
		{ "nothing", 0, 0, 0 },
	};
	uint64_t page = GMEM_PAGE;
	struct gmem m;
	uint8_t b[3];

	(void)state;
	assert_int_equal(gmem_open(&m, 2 * MIB), 0);
	assert_int_equal(
		gmem_add(&m, (gpa_t){ 0xffc00000 }, 4 * MIB, GMEM_ROM, "rom"),
		0);
	gmem_small_pages(&m);
	assert_int_equal(gmem_fill(&m, (gpa_t){ 0 }, 7, 2 * MIB), 0);
	assert_int_equal(gmem_resident(&m), 2 * MIB);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		if (gmem_discard(&m, (gpa_t){ t[i].at }, t[i].len) != t[i].rc)
			fail_msg("%s", t[i].name);
	assert_int_equal(gmem_resident(&m), 2 * MIB);
	assert_int_equal(gmem_discard(&m, (gpa_t){ page }, 2 * page), 0);
	assert_int_equal(gmem_resident(&m), 2 * MIB - 2 * page);
	assert_int_equal(gmem_read(&m, (gpa_t){ page - 1 }, b, 2), 0);
	assert_int_equal(b[0], 7);
	assert_int_equal(b[1], 0);
	assert_int_equal(gmem_read(&m, (gpa_t){ 3 * page - 1 }, b, 2), 0);
	assert_int_equal(b[0], 0);
	assert_int_equal(b[1], 7);
	assert_int_equal(gmem_fill(&m, (gpa_t){ page }, 1, 2 * page), 0);
	assert_int_equal(gmem_resident(&m), 2 * MIB);
	gmem_close(&m);
}

int main(void)
{
#define BOARD(f) cmocka_unit_test_setup_teardown(f, open_board, close_board)
	const struct CMUnitTest tests[] = {
		BOARD(every_function_checks),	   BOARD(ring_indices),
		BOARD(bytes_go_where_they_should), BOARD(regions),
		cmocka_unit_test(split),	   cmocka_unit_test(populated),
		cmocka_unit_test(discard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
