/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtc_time: the clock chip's time registers as seconds since 1970 and back, in
 * the four formats that register B chooses from. Pure: cmos is the chip's 128
 * bytes, whose registers are the guest's and may hold anything.
 */
#ifndef CARREL_DEVICES_RTC_TIME_H
#define CARREL_DEVICES_RTC_TIME_H

#include <stdint.h>

#include "vmm/num.h"

#define RTC_BYTES 128

/* MC146818A, figure 9; the century is where ACPI's FADT says. */
enum {
	RTC_SECONDS = 0x00,
	RTC_SECONDS_ALARM = 0x01,
	RTC_MINUTES = 0x02,
	RTC_MINUTES_ALARM = 0x03,
	RTC_HOURS = 0x04,
	RTC_HOURS_ALARM = 0x05,
	RTC_WEEKDAY = 0x06, /* 1 to 7, from Sunday */
	RTC_DAY = 0x07,
	RTC_MONTH = 0x08,
	RTC_YEAR = 0x09,
	RTC_REG_A = 0x0a,
	RTC_REG_B = 0x0b,
	RTC_REG_C = 0x0c,
	RTC_REG_D = 0x0d,
	RTC_CENTURY = 0x32,
};

#define RTC_B_BINARY 0x04 /* else BCD */
#define RTC_B_24H 0x02 /* else 12 hours, bit 7 for p.m. */

/* Fills the time registers in the format that register B asks for. */
void rtc_time_put(uint8_t *cmos, int64_t seconds);

/* -EINVAL: not a date, or not in register B's format. */
int rtc_time_get(const uint8_t *cmos, int64_t *seconds) MUST_USE;

#endif
