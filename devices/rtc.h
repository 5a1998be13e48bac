/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtc: the MC146818 clock (UTC) and the 128 bytes of CMOS around it, through
 * which firmware learns the memory's size. The guest may set the time (kept as
 * an offset to the host's) and every byte; it harms only itself. Interrupts
 * (alarm, periodic, once a second) come from one timer of the main thread.
 */
#ifndef CARREL_DEVICES_RTC_H
#define CARREL_DEVICES_RTC_H

#include <stdint.h>

#include "devices/rtc_time.h"
#include "vmm/bus.h"
#include "vmm/event.h"
#include "vmm/irq.h"

/* What CMOS says about the machine. */
struct rtc_board {
	uint64_t ram_low, ram_high; /* bytes below and above 4 GiB */
	unsigned cpus;
};

struct rtc {
	struct bus *pio;
	struct irq *irq;
	struct event *event; /* NULL: no interrupts (unit tests) */
	struct rtc_board board;
	uint8_t index;
	uint8_t cmos[RTC_BYTES];
	int64_t offset; /* guest's seconds minus the host's */
	int64_t second_seen; /* last second whose events are in register C */
	int timer_fd; /* -1 without event */
	int kick_fd; /* a vCPU changed what the timer must do */
};

int rtc_attach(struct rtc *r, struct bus *pio, struct irq *irq,
	       struct event *event, const struct rtc_board *board) MUST_USE;
void rtc_reset(struct rtc *r);
void rtc_close(struct rtc *r);

#endif
