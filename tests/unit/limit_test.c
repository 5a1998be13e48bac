/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limit_test: rates, bursts and debts by a clock that the test sets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "devices/limit.h"

#define S 1000000000ull
#define MS 1000000ull
#define START (1000 * S)

struct world {
	struct limit l;
	struct limit_meter m;
	uint64_t now;
};

static void begin(struct world *w, struct rates r)
{
	*w = (struct world){ .now = START };
	limit_open(&w->l);
	limit_set(&w->l, &r, w->now);
}

/* How many of so many bytes pass until it says to wait. */
static unsigned pass(struct world *w, uint64_t bytes)
{
	unsigned n = 0;

	while (n < 100000 && !limit_take(&w->l, &w->m, w->now, bytes))
		n++;
	return n;
}

/* The same over a time, asked again exactly when it said. */
static uint64_t pass_for(struct world *w, uint64_t bytes, uint64_t ns)
{
	uint64_t end = w->now + ns, n = 0;

	for (;;) {
		uint64_t wait = limit_take(&w->l, &w->m, w->now, bytes);

		if (wait && w->now + wait > end)
			return n;
		if (wait)
			w->now += wait;
		else
			n++;
	}
}

static void none(void **state)
{
	struct world w;

	(void)state;
	begin(&w, (struct rates){ 0 });
	assert_false(limit_matters(&w.l, &w.m));
	assert_int_equal(pass(&w, UINT32_MAX), 100000);
	assert_int_equal(counter_get(&w.m.waits), 0);
	limit_close(&w.l);
}

/* What passes at once, and in 10 seconds of asking. */
static void rates(void **state)
{
	static const struct {
		struct rates r;
		uint64_t bytes; /* of each */
		unsigned at_once;
		uint64_t in_ten;
	} t[] = {
		/* One operation a second: the first at once. */
		{ { .ops = 1 }, 512, 1, 11 },
		{ { .ops = 1, .ops_burst = 5 }, 512, 5, 15 },
		{ { .ops = 100 }, 0, 10, 1010 },
		{ { .ops = 100, .ops_burst = 1 }, 0, 1, 1001 },
		{ { .bytes = 5120 }, 512, 1, 101 },
		{ { .bytes = 5120, .bytes_burst = 5120 }, 512, 10, 110 },
		/* A request larger than the burst, and than a second's share */
		{ { .bytes = 1000, .bytes_burst = 1 }, 4000, 1, 3 },
		{ { .bytes = 1000 }, 100000, 1, 1 },
		/* The tighter of two. */
		{ { .bytes = 51200, .ops = 10 }, 512, 1, 101 },
		{ { .bytes = 512, .ops = 1000 }, 512, 1, 11 },
		/* Flushes cost no bytes. */
		{ { .bytes = 1 }, 0, 100000, 0 },
		/* As fast as can be said: fractions of a nanosecond. */
		{ { .bytes = RATE_MAX, .bytes_burst = 512 },
		  RATE_MAX / 10,
		  1,
		  101 },
	};
	struct world w;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		unsigned n;

		begin(&w, t[i].r);
		n = pass(&w, t[i].bytes);
		if (n != t[i].at_once)
			fail_msg("row %zu: %u at once", i, n);
		if (!t[i].in_ten)
			continue;
		begin(&w, t[i].r);
		if (pass_for(&w, t[i].bytes, 10 * S) != t[i].in_ten)
			fail_msg("row %zu: another number in ten seconds", i);
		limit_close(&w.l);
	}
}

/* It never asks to wait for nothing, and not again after the wait. */
static void waits(void **state)
{
	struct world w;

	(void)state;
	begin(&w, (struct rates){ .bytes = 3, .bytes_burst = 1 });
	for (int i = 0; i < 1000; i++) {
		uint64_t wait;

		assert_int_equal(limit_take(&w.l, &w.m, w.now, 7), 0);
		wait = limit_take(&w.l, &w.m, w.now, 7);
		assert_in_range(wait, 1, 7 * S);
		assert_true(limit_take(&w.l, &w.m, w.now + wait - 1, 7) <= 1);
		w.now += wait;
	}
	/* 7 bytes at 3 a second, but for the first, are not rounded up. */
	assert_in_range(w.now - START, 2333 * S, 2333 * S + 1 * S);
	limit_close(&w.l);
}

/* A rest earns a burst and no more; a clock that stands earns nothing. */
static void rest(void **state)
{
	struct world w;

	(void)state;
	begin(&w, (struct rates){ .ops = 10, .ops_burst = 3 });
	assert_int_equal(pass(&w, 0), 3);
	w.now += 1000000 * S;
	assert_int_equal(pass(&w, 0), 3);
	w.now -= 500 * S;
	assert_int_equal(pass(&w, 0), 0);
	w.now += 500 * S + 100 * MS;
	assert_int_equal(pass(&w, 0), 1);
	limit_close(&w.l);
}

/* Asked first, told afterwards. */
static void ask_then_tell(void **state)
{
	struct world w;

	(void)state;
	begin(&w, (struct rates){ .bytes = 1000, .bytes_burst = 100 });
	assert_int_equal(limit_ask(&w.l, &w.m, w.now), 0);
	assert_int_equal(limit_ask(&w.l, &w.m, w.now), 0);
	limit_passed(&w.l, w.now, 1100);
	assert_int_equal(limit_ask(&w.l, &w.m, w.now), S + 1 * MS);
	limit_close(&w.l);
}

/* What is set anew is so at once, for whoever waits as well. */
static void set_anew(void **state)
{
	struct world w;
	struct rates r = { .bytes = 1 }, got;

	(void)state;
	begin(&w, r);
	assert_int_equal(limit_take(&w.l, &w.m, w.now, GIB), 0);
	assert_true(limit_take(&w.l, &w.m, w.now, 1) > 1000000 * S);
	r = (struct rates){ .bytes = MIB, .ops = 5, .ops_burst = 2 };
	limit_set(&w.l, &r, w.now + S);
	w.now += S;
	assert_int_equal(pass(&w, 1), 2);
	limit_get(&w.l, &got);
	assert_memory_equal(&got, &r, sizeof(r));
	r = (struct rates){ 0 };
	limit_set(&w.l, &r, w.now);
	assert_true(limit_matters(&w.l, &w.m)); /* a wait is to be counted */
	assert_int_equal(limit_take(&w.l, &w.m, w.now, GIB), 0);
	assert_false(limit_matters(&w.l, &w.m));
	limit_close(&w.l);
}

/* An operation that waits is counted once, and a pause is no wait. */
static void metered(void **state)
{
	struct world w;

	(void)state;
	begin(&w, (struct rates){ .ops = 1 });
	assert_int_equal(limit_take(&w.l, &w.m, w.now, 0), 0);
	assert_int_equal(limit_take(&w.l, &w.m, w.now, 0), S);
	/* Kicked in between. */
	w.now += 200 * MS;
	assert_int_equal(limit_take(&w.l, &w.m, w.now, 0), 800 * MS);
	assert_int_equal(counter_get(&w.m.waits), 1);
	assert_int_equal(counter_get(&w.m.ns), 200 * MS);
	w.now += 3600 * S;
	assert_int_equal(limit_take(&w.l, &w.m, w.now, 0), 0);
	assert_int_equal(counter_get(&w.m.waits), 1);
	assert_int_equal(counter_get(&w.m.ns), S);
	assert_int_equal(limit_take(&w.l, &w.m, w.now, 0), S);
	assert_int_equal(counter_get(&w.m.waits), 2);
	limit_close(&w.l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none),	    cmocka_unit_test(rates),
		cmocka_unit_test(waits),    cmocka_unit_test(rest),
		cmocka_unit_test(set_anew), cmocka_unit_test(ask_then_tell),
		cmocka_unit_test(metered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
