/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtc_time_test: registers that are no date, then dates from date(1) in the
 * chip's four formats, there and back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "devices/rtc_time.h"

/* Seconds, minutes, hours, weekday, day, month, year, century. */
#define REGS 8
static const uint8_t reg_at[REGS] = {
	RTC_SECONDS, RTC_MINUTES, RTC_HOURS, RTC_WEEKDAY,
	RTC_DAY,     RTC_MONTH,	  RTC_YEAR,  RTC_CENTURY,
};

struct row {
	const char *name;
	int64_t seconds;
	uint8_t b; /* register B */
	uint8_t reg[REGS];
};

static void fill(uint8_t cmos[RTC_BYTES], const struct row *t)
{
	for (unsigned i = 0; i < RTC_BYTES; i++)
		cmos[i] = 0xee;
	cmos[RTC_REG_B] = t->b;
	for (unsigned i = 0; i < REGS; i++)
		cmos[reg_at[i]] = t->reg[i];
}

static void refuses(void **state)
{
	static const struct row table[] = {
		{ "second 60", 0, 6, { 60, 0, 0, 1, 1, 1, 0, 20 } },
		{ "minute 60", 0, 6, { 0, 60, 0, 1, 1, 1, 0, 20 } },
		{ "hour 24", 0, 6, { 0, 0, 24, 1, 1, 1, 0, 20 } },
		{ "hour 0 of 12", 0, 4, { 0, 0, 0, 1, 1, 1, 0, 20 } },
		{ "hour 13 of 12", 0, 4, { 0, 0, 13, 1, 1, 1, 0, 20 } },
		{ "hour 13 p.m.", 0, 0, { 0, 0, 0x93, 1, 1, 1, 0, 0x20 } },
		{ "day 0", 0, 6, { 0, 0, 0, 1, 0, 1, 0, 20 } },
		{ "day 32", 0, 6, { 0, 0, 0, 1, 32, 1, 0, 20 } },
		{ "31 April", 0, 6, { 0, 0, 0, 1, 31, 4, 0, 20 } },
		{ "29 February 1900", 0, 6, { 0, 0, 0, 1, 29, 2, 0, 19 } },
		{ "month 0", 0, 6, { 0, 0, 0, 1, 1, 0, 0, 20 } },
		{ "month 13", 0, 6, { 0, 0, 0, 1, 1, 13, 0, 20 } },
		{ "year 100", 0, 6, { 0, 0, 0, 1, 1, 1, 100, 20 } },
		{ "century 100", 0, 6, { 0, 0, 0, 1, 1, 1, 0, 100 } },
		{ "not BCD", 0, 2, { 0x0a, 0, 0, 1, 1, 1, 0, 0x20 } },
		{ "not BCD either", 0, 2, { 0, 0xa0, 0, 1, 1, 1, 0, 0x20 } },
		{ "all ones",
		  0,
		  2,
		  { 255, 255, 255, 255, 255, 255, 255, 255 } },
	};
	uint8_t cmos[RTC_BYTES];
	int64_t t = 77;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		print_message("%s\n", table[i].name);
		fill(cmos, &table[i]);
		assert_int_equal(rtc_time_get(cmos, &t), -EINVAL);
		assert_int_equal(t, 77);
	}
}

/* `date -u -d @SECONDS`; the weekday counts from Sunday, 1. */
static void known(void **state)
{
	static const struct row table[] = {
		{ "epoch", 0, 6, { 0, 0, 0, 5, 1, 1, 70, 19 } },
		{ "epoch in BCD, 12 a.m.",
		  0,
		  0,
		  { 0, 0, 0x12, 5, 1, 1, 0x70, 0x19 } },
		{ "a leap day of 2000",
		  951868799,
		  2,
		  { 0x59, 0x59, 0x23, 3, 0x29, 2, 0, 0x20 } },
		{ "a leap day, 12 p.m.",
		  1709210096,
		  4,
		  { 56, 34, 0x80 | 12, 5, 29, 2, 24, 20 } },
		{ "the last second of 2099, 11 p.m.",
		  4102444799,
		  0,
		  { 0x59, 0x59, 0x91, 5, 0x31, 0x12, 0x99, 0x20 } },
		{ "the last second of all",
		  253402300799,
		  6,
		  { 59, 59, 23, 6, 31, 12, 99, 99 } },
	};
	uint8_t want[RTC_BYTES], got[RTC_BYTES];
	int64_t t;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		print_message("%s\n", table[i].name);
		fill(want, &table[i]);
		assert_int_equal(rtc_time_get(want, &t), 0);
		assert_int_equal(t, table[i].seconds);
		fill(got, &(struct row){ .b = table[i].b });
		rtc_time_put(got, t);
		assert_memory_equal(got, want, sizeof got);
	}
}

/* Every hour of a day comes back, whatever the format. */
static void round_trip(void **state)
{
	uint8_t cmos[RTC_BYTES] = { 0 };
	int64_t t;

	(void)state;
	for (uint8_t b = 0; b < 8; b = (uint8_t)(b + 2))
		for (int64_t s = 1700000000; s < 1700100000; s += 499) {
			cmos[RTC_REG_B] = b;
			rtc_time_put(cmos, s);
			assert_int_equal(rtc_time_get(cmos, &t), 0);
			assert_int_equal(t, s);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses),
		cmocka_unit_test(known),
		cmocka_unit_test(round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
