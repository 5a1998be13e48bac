/* SPDX-License-Identifier: Apache-2.0 */
/*
 * board_rig: buses, interrupts and power requests without KVM, and a guest
 * that reads and writes ports: what the tests of board devices share.
 */
#ifndef CARREL_TESTS_UNIT_BOARD_RIG_H
#define CARREL_TESTS_UNIT_BOARD_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "vmm/board_map.h"
#include "vmm/bus.h"
#include "vmm/event.h"
#include "vmm/irq.h"
#include "vmm/power.h"

struct board_rig {
	pthread_mutex_t lock;
	struct bus pio, mmio;
	struct irq irq;
	struct power power;
	struct event event;
};

static inline void rig_open(struct board_rig *r)
{
	*r = (struct board_rig){ 0 };
	pthread_mutex_init(&r->lock, NULL);
	bus_open(&r->pio, &r->lock);
	bus_open(&r->mmio, &r->lock);
	assert_int_equal(irq_open(&r->irq, -1), 0);
	assert_int_equal(power_open(&r->power), 0);
	assert_int_equal(event_open(&r->event), 0);
}

static inline void rig_close(struct board_rig *r)
{
	event_close(&r->event);
	power_close(&r->power);
	irq_close(&r->irq);
	pthread_mutex_destroy(&r->lock);
}

static inline uint64_t in(struct board_rig *r, uint16_t port, size_t len)
{
	uint8_t b[8] = { 0 };

	bus_read(&r->pio, port, b, len);
	return get_le(b, len);
}

static inline void out(struct board_rig *r, uint16_t port, size_t len,
		       uint64_t v)
{
	uint8_t b[8];

	put_le(b, len, v);
	bus_write(&r->pio, port, b, len);
}

static inline uint64_t mmio_in(struct board_rig *r, uint64_t at, size_t len)
{
	uint8_t b[8] = { 0 };

	bus_read(&r->mmio, at, b, len);
	return get_le(b, len);
}

static inline void mmio_out(struct board_rig *r, uint64_t at, size_t len,
			    uint64_t v)
{
	uint8_t b[8];

	put_le(b, len, v);
	bus_write(&r->mmio, at, b, len);
}

/* A register of a function on bus 0, by the two ports. */
static inline uint32_t cfg_in(struct board_rig *r, uint32_t devfn, unsigned off,
			      size_t len)
{
	out(r, BOARD_PORT_PCI_ADDR, 4, 1u << 31 | devfn << 8 | (off & 0xfc));
	return (uint32_t)in(r, (uint16_t)(BOARD_PORT_PCI_DATA + (off & 3)),
			    len);
}

static inline void cfg_out(struct board_rig *r, uint32_t devfn, unsigned off,
			   size_t len, uint32_t v)
{
	out(r, BOARD_PORT_PCI_ADDR, 4, 1u << 31 | devfn << 8 | (off & 0xfc));
	out(r, (uint16_t)(BOARD_PORT_PCI_DATA + (off & 3)), len, v);
}

static inline bool line(const struct board_rig *r, unsigned n)
{
	return r->irq.level >> n & 1;
}

/* The request that waits, which is then taken. */
static inline enum power_request asked(struct board_rig *r)
{
	const char *why;

	return power_take(&r->power, &why);
}

/* Every width at every offset of the ports, reading and writing ones. */
static inline void hammer(struct board_rig *r, uint16_t base, unsigned size)
{
	static const uint64_t value[] = { 0, ~0ull, 0x5aa5c33c1e2d4b87ull };

	for (unsigned i = 0; i < ARRAY_LEN(value); i++)
		for (unsigned off = 0; off < size + 3; off++)
			for (size_t len = 1; len <= 4; len *= 2) {
				uint16_t port = (uint16_t)(base + off);

				(void)in(r, port, len);
				out(r, port, len, value[i]);
				(void)in(r, port, len);
			}
}

static inline void spin_over(void *ctx, int fd, uint32_t events)
{
	(void)fd;
	(void)events;
	event_stop(ctx);
}

/*
 * Runs the loop's handlers for ms milliseconds. On a busy machine the time may
 * be over before the first of them ran: so there are some rounds more, in each
 * of which what was ready before the round is handled.
 */
static inline void spin(struct board_rig *r, unsigned ms)
{
	struct itimerspec when = { .it_value = { ms / 1000,
						 ms % 1000 * 1000000 } };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	assert_true(fd >= 0);
	for (unsigned round = 0; round < 5; round++) {
		assert_int_equal(timerfd_settime(fd, 0, &when, NULL), 0);
		assert_int_equal(
			event_add(&r->event, fd, EPOLLIN, spin_over, &r->event),
			0);
		assert_int_equal(event_run(&r->event), 0);
		event_remove(&r->event, fd);
		when.it_value = (struct timespec){ 0, 1 };
	}
	close(fd);
}

#endif
