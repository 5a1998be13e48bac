/* SPDX-License-Identifier: Apache-2.0 */
/*
 * num_test: sums that do not fit, ranges that wrap, bytes in order.
 */
#include "vmm/num.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "tests/unit/capture.h"

static void sums(void **state)
{
	static const struct {
		uint64_t a, b, sum, product;
		bool sum_ok, product_ok;
	} t[] = {
		{ UINT64_MAX, 1, 0, UINT64_MAX, false, true },
		{ 1, UINT64_MAX, 0, UINT64_MAX, false, true },
		{ UINT64_MAX, 2, 0, 0, false, false },
		{ 1ull << 32, 1ull << 32, 1ull << 33, 0, true, false },
		{ UINT64_MAX, 0, UINT64_MAX, 0, true, true },
		{ 1ull << 31, 1ull << 32, 0x180000000, 1ull << 63, true, true },
		{ 0, 0, 0, 0, true, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		uint64_t s = 7, p = 7;

		assert_int_equal(add_u64(t[i].a, t[i].b, &s), t[i].sum_ok);
		assert_int_equal(s, t[i].sum_ok ? t[i].sum : 7);
		assert_int_equal(mul_u64(t[i].a, t[i].b, &p), t[i].product_ok);
		assert_int_equal(p, t[i].product_ok ? t[i].product : 7);
	}
}

static void ranges(void **state)
{
	static const struct {
		uint64_t off, len, size;
		bool ok;
	} t[] = {
		{ 1, 0, 0, false },
		{ 0, 1, 0, false },
		{ UINT64_MAX, 2, 16, false },
		{ 2, UINT64_MAX, 16, false },
		{ 16, 1, 16, false },
		{ 15, 2, 16, false },
		{ UINT64_MAX, UINT64_MAX, UINT64_MAX, false },
		{ 0, 0, 0, true },
		{ 16, 0, 16, true },
		{ 15, 1, 16, true },
		{ 0, UINT64_MAX, UINT64_MAX, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_int_equal(range_ok(t[i].off, t[i].len, t[i].size),
				 t[i].ok);
}

static void alignment(void **state)
{
	uint64_t out = 7;

	(void)state;
	assert_false(align_up(UINT64_MAX, 4096, &out));
	assert_false(align_up(UINT64_MAX - 4094, 4096, &out));
	assert_int_equal(out, 7);
	assert_true(align_up(UINT64_MAX - 4095, 4096, &out));
	assert_int_equal(out, UINT64_MAX - 4095);
	assert_true(align_up(0, 4096, &out));
	assert_int_equal(out, 0);
	assert_true(align_up(1, 4096, &out));
	assert_int_equal(out, 4096);
	assert_true(align_up(4096, 4096, &out));
	assert_int_equal(out, 4096);
}

static void bytes_in_order(void **state)
{
	static const uint8_t b[8] = { 0xf1, 0xe2, 0xd3, 0xc4,
				      0xb5, 0xa6, 0x97, 0x88 };
	static const struct {
		size_t len;
		uint64_t v;
	} t[] = {
		{ 1, 0xf1 },
		{ 2, 0xe2f1 },
		{ 4, 0xc4d3e2f1 },
		{ 8, 0x8897a6b5c4d3e2f1 },
	};

	(void)state;
	assert_int_equal(get_le(b, 3), 0);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		uint8_t out[9] = { 0 };

		assert_int_equal(get_le(b, t[i].len), t[i].v);
		put_le(out, 3, t[i].v);
		assert_int_equal(out[0], 0);
		put_le(out, t[i].len, t[i].v);
		assert_memory_equal(out, b, t[i].len);
		assert_int_equal(out[t[i].len], 0);
	}
	assert_int_equal(get_le16(b + 1), 0xd3e2);
	assert_int_equal(get_le32(b + 1), 0xb5c4d3e2);
}

/* How a child that runs fn ends, with its standard error in text. */
static int child_status(void (*fn)(void), char *text, size_t cap)
{
	struct capture c = capture_begin();
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGABRT, SIG_DFL); /* cmocka has a handler of its own */
		fn();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	capture_end(&c, text, cap);
	return status;
}

static void copy_too_much(void)
{
	char dst[8], src[9] = { 0 };

	bytes_copy(dst, sizeof(dst), src, sizeof(src));
}

static void move_too_much(void)
{
	char buf[9] = { 0 };

	bytes_move(buf, 8, buf, sizeof(buf));
}

static void copies_are_checked(void **state)
{
	char text[512], dst[8] = "1234567", expected[] = "1212347";
	int status;

	(void)state;
	status = child_status(copy_too_much, text, sizeof(text));
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_non_null(strstr(text, "\"len <= cap\" does not hold"));
	status = child_status(move_too_much, text, sizeof(text));
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);

	bytes_move(dst + 2, 6, dst, 4);
	assert_string_equal(dst, expected);
	bytes_copy(NULL, 0, NULL, 0); /* nothing: no pointer is used */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums),
		cmocka_unit_test(ranges),
		cmocka_unit_test(alignment),
		cmocka_unit_test(bytes_in_order),
		cmocka_unit_test(copies_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
