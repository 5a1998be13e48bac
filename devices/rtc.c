/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtc: see the header. Register numbers and bits are the MC146818A's; the
 * bytes about memory are the ones that PC firmware has always used.
 */
#include "devices/rtc.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "vmm/board_map.h"

#define A_UIP 0x80 /* update in progress */
#define A_DEFAULT 0x26 /* 32768 Hz crystal, 1024 Hz periodic rate */
#define A_RATE 0x0f
#define B_SET 0x80 /* the guest holds the registers */
#define INT_PERIODIC 0x40 /* the same bits in B (enable) and C (flag) */
#define INT_ALARM 0x20
#define INT_UPDATE 0x10
#define INT_ALL (INT_PERIODIC | INT_ALARM | INT_UPDATE)
#define C_IRQ 0x80
#define D_VALID 0x80
#define ALARM_ANY 0xc0 /* both top bits: matches every value */

/* CMOS bytes about the machine. */
#define CMOS_EQUIPMENT 0x14
#define CMOS_BASE_KB 0x15 /* u16, below 640 KiB */
#define CMOS_EXT_KB 0x17 /* u16, above 1 MiB; again at 0x30 */
#define CMOS_EXT_KB2 0x30
#define CMOS_ABOVE_16M 0x34 /* u16, 64 KiB units */
#define CMOS_ABOVE_4G 0x5b /* u24, 64 KiB units */
#define CMOS_CPUS 0x5f /* less one */
#define EQUIPMENT_FPU 0x02

#define NS 1000000000ll
#define NS_LATE 1000000 /* look just after a second began, not before */
#define UIP_NS 244000 /* UIP precedes the update by 244 us */
#define CATCH_UP_MAX 3 /* seconds looked at when the timer is late */

static struct timespec host_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t;
}

static int64_t guest_now(const struct rtc *r)
{
	return host_now().tv_sec + r->offset;
}

/* Takes the time registers over; what is no date changes nothing. */
static void time_take(struct rtc *r)
{
	int64_t t;

	if (rtc_time_get(r->cmos, &t))
		return;
	r->offset = t - host_now().tv_sec;
	r->second_seen = t;
}

static bool alarm_byte(uint8_t alarm, uint8_t now)
{
	return (alarm & ALARM_ANY) == ALARM_ANY || alarm == now;
}

/* The time registers hold the second in question. */
static bool alarm_matches(const struct rtc *r)
{
	const uint8_t *c = r->cmos;

	return alarm_byte(c[RTC_SECONDS_ALARM], c[RTC_SECONDS]) &&
	       alarm_byte(c[RTC_MINUTES_ALARM], c[RTC_MINUTES]) &&
	       alarm_byte(c[RTC_HOURS_ALARM], c[RTC_HOURS]);
}

static void irq_update(struct rtc *r)
{
	uint8_t *c = &r->cmos[RTC_REG_C];

	*c &= INT_ALL;
	if (*c & r->cmos[RTC_REG_B] & INT_ALL)
		*c |= C_IRQ;
	irq_line(r->irq, BOARD_IRQ_RTC, *c & C_IRQ);
}

/* Notes in register C what happened in the seconds since the last call. */
static void seconds_pass(struct rtc *r)
{
	int64_t now = guest_now(r);

	if (r->cmos[RTC_REG_B] & B_SET)
		return;
	if (now - r->second_seen > CATCH_UP_MAX || now < r->second_seen)
		r->second_seen = now - CATCH_UP_MAX;
	while (r->second_seen < now) {
		rtc_time_put(r->cmos, ++r->second_seen);
		r->cmos[RTC_REG_C] |= INT_UPDATE;
		if (alarm_matches(r))
			r->cmos[RTC_REG_C] |= INT_ALARM;
	}
}

/* MC146818A, table 5: with a 32768 Hz crystal, rates 1 and 2 repeat 8 and 9. */
static int64_t period_ns(uint8_t rate)
{
	if (rate < 3)
		rate = (uint8_t)(rate + 7);
	return (NS << (rate - 1)) / 32768;
}

/* Main thread: the timer follows the interrupts that are enabled. */
static void timer_update(struct rtc *r)
{
	uint8_t on = r->cmos[RTC_REG_B] & INT_ALL;
	uint8_t rate = r->cmos[RTC_REG_A] & A_RATE;
	struct itimerspec when = { 0 };
	int64_t ns = NS, first = NS + NS_LATE - host_now().tv_nsec;
	bool set;

	if ((on & INT_PERIODIC) && rate) {
		ns = period_ns(rate);
		first = ns;
	}
	if (on) {
		when.it_value.tv_nsec = first % NS;
		when.it_value.tv_sec = first / NS;
		when.it_interval.tv_nsec = ns % NS;
		when.it_interval.tv_sec = ns / NS;
	}
	set = timerfd_settime(r->timer_fd, 0, &when, NULL) == 0;
	CHECK(set);
}

static void timer_fired(void *ctx, int fd, uint32_t events)
{
	struct rtc *r = ctx;

	(void)events;
	if (!event_take(fd))
		return;
	bus_lock(r->pio);
	seconds_pass(r);
	if ((r->cmos[RTC_REG_B] & INT_PERIODIC) &&
	    (r->cmos[RTC_REG_A] & A_RATE))
		r->cmos[RTC_REG_C] |= INT_PERIODIC;
	irq_update(r);
	bus_unlock(r->pio);
}

static void kicked(void *ctx, int fd, uint32_t events)
{
	struct rtc *r = ctx;

	(void)events;
	if (!event_take(fd))
		return;
	bus_lock(r->pio);
	timer_update(r);
	bus_unlock(r->pio);
}

/* A vCPU must not touch timers (its sandbox): the main thread does. */
static void timer_kick(struct rtc *r)
{
	uint64_t one = 1;

	if (r->event && write(r->kick_fd, &one, sizeof one) < 0)
		return; /* the counter is full: a kick is pending anyway */
}

static bool is_time(uint8_t i)
{
	return i == RTC_SECONDS || i == RTC_MINUTES || i == RTC_HOURS ||
	       (i >= RTC_WEEKDAY && i <= RTC_YEAR) || i == RTC_CENTURY;
}

static uint8_t reg_a(const struct rtc *r)
{
	bool uip = !(r->cmos[RTC_REG_B] & B_SET) &&
		   host_now().tv_nsec >= NS - UIP_NS;

	return (uint8_t)(r->cmos[RTC_REG_A] | (uip ? A_UIP : 0));
}

static uint8_t reg_c(struct rtc *r)
{
	uint8_t c;

	seconds_pass(r);
	irq_update(r);
	c = r->cmos[RTC_REG_C];
	r->cmos[RTC_REG_C] = 0;
	irq_update(r);
	return c;
}

static uint8_t cmos_read(struct rtc *r, uint8_t i)
{
	switch (i) {
	case RTC_REG_A: return reg_a(r);
	case RTC_REG_C: return reg_c(r);
	case RTC_REG_D: return D_VALID;
	default: break;
	}
	if (is_time(i) && !(r->cmos[RTC_REG_B] & B_SET))
		rtc_time_put(r->cmos, guest_now(r));
	return r->cmos[i];
}

static void reg_b_write(struct rtc *r, uint8_t v)
{
	uint8_t old = r->cmos[RTC_REG_B];

	if (v & ~old & B_SET) {
		rtc_time_put(r->cmos, guest_now(r));
		v &= (uint8_t)~INT_UPDATE; /* MC146818A: SET clears UIE */
	}
	r->cmos[RTC_REG_B] = v;
	if (old & ~v & B_SET)
		time_take(r);
	if ((old ^ v) & INT_ALL) {
		seconds_pass(r);
		r->cmos[RTC_REG_C] &= old; /* only what comes from now on */
		timer_kick(r);
	}
	irq_update(r);
}

static void cmos_write(struct rtc *r, uint8_t i, uint8_t v)
{
	switch (i) {
	case RTC_REG_A:
		r->cmos[RTC_REG_A] = v & (uint8_t)~A_UIP;
		timer_kick(r);
		return;
	case RTC_REG_B: reg_b_write(r, v); return;
	case RTC_REG_C:
	case RTC_REG_D: return;
	default: break;
	}
	if (!is_time(i) || (r->cmos[RTC_REG_B] & B_SET)) {
		r->cmos[i] = v;
		return;
	}
	rtc_time_put(r->cmos, guest_now(r));
	r->cmos[i] = v;
	time_take(r);
}

static bool rtc_read(void *dev, uint64_t off, uint8_t *buf, size_t len)
{
	struct rtc *r = dev;

	if (off != 1 || len != 1)
		return false;
	buf[0] = cmos_read(r, r->index);
	return true;
}

static bool rtc_write(void *dev, uint64_t off, const uint8_t *buf, size_t len)
{
	struct rtc *r = dev;

	if (off == 0) /* bit 7 masks NMI; a word write sets both ports */
		r->index = buf[0] & (RTC_BYTES - 1);
	if (off + len == 2)
		cmos_write(r, r->index, buf[1 - off]);
	return true;
}

static const struct bus_ops rtc_ops = {
	.name = "rtc",
	.read = rtc_read,
	.write = rtc_write,
};

static void put_units(uint8_t *p, size_t len, uint64_t bytes, uint64_t unit)
{
	uint64_t v = min_u64(bytes / unit, (1ull << 8 * len) - 1);

	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static uint64_t above(uint64_t bytes, uint64_t start)
{
	return bytes > start ? bytes - start : 0;
}

static void board_put(struct rtc *r)
{
	const struct rtc_board *b = &r->board;
	uint8_t *c = r->cmos;

	c[CMOS_EQUIPMENT] = EQUIPMENT_FPU;
	put_units(c + CMOS_BASE_KB, 2, min_u64(b->ram_low, 640 * KIB), KIB);
	put_units(c + CMOS_EXT_KB, 2, above(b->ram_low, MIB), KIB);
	put_units(c + CMOS_EXT_KB2, 2, above(b->ram_low, MIB), KIB);
	put_units(c + CMOS_ABOVE_16M, 2, above(b->ram_low, 16 * MIB), 64 * KIB);
	put_units(c + CMOS_ABOVE_4G, 3, b->ram_high, 64 * KIB);
	c[CMOS_CPUS] = (uint8_t)(b->cpus ? b->cpus - 1 : 0);
}

/* The clock runs on a battery: time, alarm and foreign bytes survive. */
void rtc_reset(struct rtc *r)
{
	r->index = 0;
	r->cmos[RTC_REG_A] = A_DEFAULT;
	r->cmos[RTC_REG_B] = RTC_B_24H;
	r->cmos[RTC_REG_C] = 0;
	r->second_seen = guest_now(r);
	/* libc's first gmtime_r opens /etc/localtime: not in the sandbox. */
	rtc_time_put(r->cmos, r->second_seen);
	board_put(r);
	irq_update(r);
	timer_kick(r);
}

/* Both descriptors in the loop, or neither. */
static int timer_open(struct rtc *r, struct event *event)
{
	int rc;

	r->timer_fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (r->timer_fd < 0)
		return -errno;
	r->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->kick_fd < 0) {
		rc = -errno;
		goto fail;
	}
	rc = event_add(event, r->timer_fd, EPOLLIN, timer_fired, r);
	if (rc)
		goto fail;
	rc = event_add(event, r->kick_fd, EPOLLIN, kicked, r);
	if (rc) {
		event_remove(event, r->timer_fd);
		goto fail;
	}
	r->event = event;
	return 0;
fail:
	close(r->timer_fd);
	if (r->kick_fd >= 0)
		close(r->kick_fd);
	return rc;
}

int rtc_attach(struct rtc *r, struct bus *pio, struct irq *irq,
	       struct event *event, const struct rtc_board *board)
{
	int rc;

	*r = (struct rtc){ .pio = pio,
			   .irq = irq,
			   .board = *board,
			   .timer_fd = -1,
			   .kick_fd = -1 };
	rc = bus_claim(pio, BOARD_PORT_RTC, 2, &rtc_ops, r);
	if (rc)
		return rc;
	if (event)
		rc = timer_open(r, event);
	if (rc)
		bus_release(pio, BOARD_PORT_RTC, r);
	else
		rtc_reset(r);
	return rc;
}

void rtc_close(struct rtc *r)
{
	bus_release(r->pio, BOARD_PORT_RTC, r);
	if (!r->event)
		return;
	event_remove(r->event, r->timer_fd);
	event_remove(r->event, r->kick_fd);
	close(r->timer_fd);
	close(r->kick_fd);
}
