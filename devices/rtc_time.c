/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtc_time: see the header. Days and leap years are libc's (gmtime_r, timegm).
 */
#include "devices/rtc_time.h"

#include <errno.h>
#include <time.h>

#define HOURS_PM 0x80

static uint8_t encode(const uint8_t *cmos, int v)
{
	if (cmos[RTC_REG_B] & RTC_B_BINARY)
		return (uint8_t)v;
	return (uint8_t)(v / 10 << 4 | v % 10);
}

/* -1: not a number in the present format. */
static int decode(const uint8_t *cmos, uint8_t v)
{
	if (cmos[RTC_REG_B] & RTC_B_BINARY)
		return v;
	if ((v & 0xf) > 9 || v >> 4 > 9)
		return -1;
	return (v >> 4) * 10 + (v & 0xf);
}

static uint8_t encode_hour(const uint8_t *cmos, int h)
{
	uint8_t pm = h >= 12 ? HOURS_PM : 0;

	if (cmos[RTC_REG_B] & RTC_B_24H)
		return encode(cmos, h);
	return (uint8_t)(encode(cmos, h % 12 ? h % 12 : 12) | pm);
}

static int decode_hour(const uint8_t *cmos, uint8_t v)
{
	int h;

	if (cmos[RTC_REG_B] & RTC_B_24H)
		return decode(cmos, v);
	h = decode(cmos, v & (uint8_t)~HOURS_PM);
	if (h < 1 || h > 12)
		return -1;
	return h % 12 + (v & HOURS_PM ? 12 : 0);
}

void rtc_time_put(uint8_t *cmos, int64_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm;
	int year;

	if (!gmtime_r(&t, &tm))
		return;
	year = tm.tm_year + 1900;
	cmos[RTC_SECONDS] = encode(cmos, tm.tm_sec);
	cmos[RTC_MINUTES] = encode(cmos, tm.tm_min);
	cmos[RTC_HOURS] = encode_hour(cmos, tm.tm_hour);
	cmos[RTC_WEEKDAY] = encode(cmos, tm.tm_wday + 1);
	cmos[RTC_DAY] = encode(cmos, tm.tm_mday);
	cmos[RTC_MONTH] = encode(cmos, tm.tm_mon + 1);
	cmos[RTC_YEAR] = encode(cmos, year % 100);
	cmos[RTC_CENTURY] = encode(cmos, year / 100);
}

static bool within(int v, int least, int most)
{
	return v >= least && v <= most;
}

int rtc_time_get(const uint8_t *cmos, int64_t *seconds)
{
	int century = decode(cmos, cmos[RTC_CENTURY]);
	int year = decode(cmos, cmos[RTC_YEAR]);
	int month = decode(cmos, cmos[RTC_MONTH]);
	int day = decode(cmos, cmos[RTC_DAY]);
	int hour = decode_hour(cmos, cmos[RTC_HOURS]);
	int min = decode(cmos, cmos[RTC_MINUTES]);
	int sec = decode(cmos, cmos[RTC_SECONDS]);
	struct tm tm = {
		.tm_year = century * 100 + year - 1900,
		.tm_mon = month - 1,
		.tm_mday = day,
		.tm_hour = hour,
		.tm_min = min,
		.tm_sec = sec,
	};
	time_t t;

	if (!within(century, 0, 99) || !within(year, 0, 99) ||
	    !within(month, 1, 12) || !within(day, 1, 31) ||
	    !within(hour, 0, 23) || !within(min, 0, 59) || !within(sec, 0, 59))
		return -EINVAL;
	t = timegm(&tm);
	if (tm.tm_mday != day) /* 30 February became a day in March */
		return -EINVAL;
	*seconds = t;
	return 0;
}
