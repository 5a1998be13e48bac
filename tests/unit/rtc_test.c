/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtc_test: dates that do not exist, every byte of CMOS, then time in all four
 * formats against the host's own clock, and the three interrupts.
 */
#include "tests/unit/board_rig.h"

#include <errno.h>
#include <time.h>

#include "devices/rtc.h"

#define INDEX 0x70
#define DATA 0x71
#define A 0x0a
#define B 0x0b
#define C 0x0c
#define D 0x0d
#define SET 0x80
#define BINARY 0x04
#define H24 0x02

struct world {
	struct board_rig rig;
	struct rtc rtc;
};

static int setup(void **state)
{
	static const struct rtc_board board = {
		.ram_low = 2 * GIB,
		.ram_high = 5 * GIB,
		.cpus = 4,
	};
	static struct world w;

	rig_open(&w.rig);
	assert_int_equal(rtc_attach(&w.rtc, &w.rig.pio, &w.rig.irq,
				    &w.rig.event, &board),
			 0);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	rtc_close(&w->rtc);
	rig_close(&w->rig);
	return 0;
}

static uint8_t get(struct world *w, uint8_t i)
{
	out(&w->rig, INDEX, 1, i);
	return (uint8_t)in(&w->rig, DATA, 1);
}

static void set(struct world *w, uint8_t i, uint8_t v)
{
	out(&w->rig, INDEX, 1, i);
	out(&w->rig, DATA, 1, v);
}

struct clock {
	uint8_t sec, min, hour, day, month, year, century;
};

/* As a driver does: not during an update, and again if one came between. */
static struct clock read_clock(struct world *w)
{
	struct clock c;

	do {
		while (get(w, A) & 0x80)
			;
		c = (struct clock){ get(w, 0),	 get(w, 2), get(w, 4),
				    get(w, 7),	 get(w, 8), get(w, 9),
				    get(w, 0x32) };
	} while (c.sec != get(w, 0));
	return c;
}

static void write_clock(struct world *w, struct clock c)
{
	set(w, B, (uint8_t)(get(w, B) | SET));
	set(w, 0, c.sec);
	set(w, 2, c.min);
	set(w, 4, c.hour);
	set(w, 7, c.day);
	set(w, 8, c.month);
	set(w, 9, c.year);
	set(w, 0x32, c.century);
	set(w, B, (uint8_t)(get(w, B) & ~SET));
}

static int bcd(int v)
{
	return v / 10 * 16 + v % 10;
}

/* Seconds since 1970 that a binary 24-hour reading means. */
static time_t seconds(struct clock c)
{
	struct tm tm = { .tm_sec = c.sec,
			 .tm_min = c.min,
			 .tm_hour = c.hour,
			 .tm_mday = c.day,
			 .tm_mon = c.month - 1,
			 .tm_year = c.century * 100 + c.year - 1900 };

	return timegm(&tm);
}

static void assert_near(time_t got, time_t want)
{
	assert_true(got >= want && got <= want + 2);
}

static void bad_dates(void **state)
{
	static const struct clock bad[] = {
		{ 0x60, 0, 0, 1, 1, 0x20, 0x20 },
		{ 0x1a, 0, 0, 1, 1, 0x20, 0x20 },
		{ 0, 0x60, 0, 1, 1, 0x20, 0x20 },
		{ 0, 0, 0x24, 1, 1, 0x20, 0x20 },
		{ 0, 0, 0x92, 1, 1, 0x20, 0x20 }, /* 12 p.m. in 24 h */
		{ 0, 0, 0, 0, 1, 0x20, 0x20 },
		{ 0, 0, 0, 0x32, 1, 0x20, 0x20 },
		{ 0, 0, 0, 0x30, 2, 0x20, 0x20 },
		{ 0, 0, 0, 0x29, 2, 0x21, 0x20 },
		{ 0, 0, 0, 1, 0, 0x20, 0x20 },
		{ 0, 0, 0, 1, 0x13, 0x20, 0x20 },
		{ 0, 0, 0, 1, 1, 0xff, 0x20 },
		{ 0, 0, 0, 1, 1, 0x20, 0xa0 },
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		write_clock(w, bad[i]);
		assert_int_equal(w->rtc.offset, 0);
	}
	set(w, B, H24 | BINARY);
	assert_near(seconds(read_clock(w)), time(NULL) - 1);
}

static void nobody_there(void **state)
{
	struct world *w = *state;

	assert_int_equal(in(&w->rig, INDEX, 1), 0xff);
	assert_int_equal(in(&w->rig, INDEX, 2), 0xffff);
	assert_int_equal(in(&w->rig, DATA, 2), 0xffff);
	/* Registers that only the clock writes. */
	set(w, D, 0);
	assert_int_equal(get(w, D), 0x80);
	set(w, C, 0xff);
	assert_int_equal(get(w, C) & 0xc0, 0);
	set(w, A, 0xff);
	assert_int_equal(get(w, A) & 0x7f, 0x7f);
	assert_false(line(&w->rig, BOARD_IRQ_RTC));
}

static void memory_size(void **state)
{
	static const struct {
		uint8_t at, value;
	} want[] = {
		{ 0x15, 0x80 }, { 0x16, 0x02 }, /* 640 KiB */
		{ 0x17, 0xff }, { 0x18, 0xff }, /* capped */
		{ 0x30, 0xff }, { 0x31, 0xff }, { 0x34, 0x00 },
		{ 0x35, 0x7f }, /* 2 GiB - 16 MiB */
		{ 0x5b, 0x00 }, { 0x5c, 0x40 }, { 0x5d, 0x01 }, /* 5 GiB */
		{ 0x5f, 3 },	{ 0x0f, 0 },	{ 0x7f, 0 },
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		assert_int_equal(get(w, want[i].at), want[i].value);
	/* A guest may scribble; a reset brings the truth back. */
	set(w, 0x35, 1);
	set(w, 0x0f, 0x0a);
	set(w, 0x80 | 0x40, 0x77); /* bit 7 masks NMI */
	assert_int_equal(get(w, 0x35), 1);
	rtc_reset(&w->rtc);
	assert_int_equal(get(w, 0x35), 0x7f);
	assert_int_equal(get(w, 0x0f), 0x0a);
	assert_int_equal(get(w, 0x40), 0x77);
}

static void formats(void **state)
{
	struct world *w = *state;
	struct clock b, c;
	uint8_t h12;

	do { /* until no second passes in between */
		set(w, B, H24 | BINARY);
		b = read_clock(w);
		set(w, B, H24);
		c = read_clock(w);
		set(w, B, BINARY);
		h12 = get(w, 4);
		set(w, B, H24 | BINARY);
	} while (seconds(read_clock(w)) != seconds(b));
	assert_near(seconds(b), time(NULL) - 2);
	assert_int_equal(c.sec, bcd(b.sec));
	assert_int_equal(c.min, bcd(b.min));
	assert_int_equal(c.hour, bcd(b.hour));
	assert_int_equal(c.day, bcd(b.day));
	assert_int_equal(c.month, bcd(b.month));
	assert_int_equal(c.year, bcd(b.year));
	assert_int_equal(c.century, bcd(b.century));
	assert_int_equal(h12 >> 7, b.hour >= 12);
	assert_int_equal((h12 & 0x7f) % 12, b.hour % 12);
}

static void setting(void **state)
{
	struct world *w = *state;
	struct clock c;

	/* 2000-02-29 23:59:59 in BCD, which a leap-year rule must take over. */
	write_clock(w, (struct clock){ 0x59, 0x59, 0x23, 0x29, 2, 0, 0x20 });
	set(w, B, H24 | BINARY);
	c = read_clock(w);
	assert_near(seconds(c), 951868799);
	assert_true(get(w, 6) == 3 || get(w, 6) == 4); /* Tuesday, 1..7 */
	/* One register at a time, as it runs, and in 12 hours: 11 p.m. */
	set(w, B, BINARY);
	set(w, 9, 36);
	set(w, 4, 0x80 | 11);
	set(w, B, H24 | BINARY);
	c = read_clock(w);
	assert_int_equal(c.year, 36);
	assert_int_equal(c.hour, 23);
	/* Held: registers are memory. */
	set(w, B, SET | H24 | BINARY);
	set(w, 0, 77);
	assert_int_equal(get(w, 0), 77);
	assert_int_equal(get(w, A) & 0x80, 0);
	/* A reset does not stop the clock. */
	write_clock(w, (struct clock){ 10, 0, 0, 1, 1, 30, 20 });
	rtc_reset(&w->rtc);
	set(w, B, H24 | BINARY);
	assert_near(seconds(read_clock(w)), 1893456010);
}

static void periodic_interrupt(void **state)
{
	struct world *w = *state;

	spin(&w->rig, 5);
	assert_false(line(&w->rig, BOARD_IRQ_RTC));
	set(w, B, H24 | 0x40); /* 1024 Hz at power-on */
	spin(&w->rig, 50);
	assert_true(line(&w->rig, BOARD_IRQ_RTC));
	assert_int_equal(get(w, C) & 0xc0, 0xc0);
	assert_false(line(&w->rig, BOARD_IRQ_RTC));
	spin(&w->rig, 50);
	assert_true(line(&w->rig, BOARD_IRQ_RTC));
	set(w, B, H24);
	assert_false(line(&w->rig, BOARD_IRQ_RTC));
	(void)get(w, C);
	spin(&w->rig, 20);
	assert_int_equal(get(w, C) & 0x40, 0);
}

static void update_and_alarm(void **state)
{
	struct world *w = *state;

	/* Every second matches "don't care"; the hour that is not, never. */
	set(w, 1, 0xff);
	set(w, 3, 0xc0);
	set(w, 5, 0x88);
	set(w, B, H24 | 0x30);
	spin(&w->rig, 1150);
	assert_true(line(&w->rig, BOARD_IRQ_RTC));
	assert_int_equal(get(w, C), 0x90);
	assert_false(line(&w->rig, BOARD_IRQ_RTC));
	set(w, 5, 0xff);
	spin(&w->rig, 1150);
	assert_int_equal(get(w, C), 0xb0);
}

static void hostile(void **state)
{
	struct world *w = *state;

	hammer(&w->rig, INDEX - 3, 6);
	for (unsigned v = 0; v <= 0xff; v++)
		for (uint8_t i = 0; i < 128; i++) {
			set(w, i, (uint8_t)v);
			(void)get(w, i);
		}
	for (unsigned i = 0; i < 4; i++) {
		set(w, A, (uint8_t)(0x20 | i));
		set(w, B, 0x70);
		spin(&w->rig, 3);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(bad_dates),	     T(nobody_there), T(memory_size),
		T(formats),	     T(setting),      T(periodic_interrupt),
		T(update_and_alarm), T(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
