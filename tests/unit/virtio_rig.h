/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio_rig: a board of nothing but memory, PCI and interrupts, and a driver
 * for one virtio device on it: everything goes through the same ports and
 * addresses that a guest uses. The driver does what a test tells it to.
 */
#ifndef CARREL_TESTS_UNIT_VIRTIO_RIG_H
#define CARREL_TESTS_UNIT_VIRTIO_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "devices/virtio_pci.h"
#include "vmm/board_map.h"
#include "vmm/event.h"
#include "vmm/jail.h"

#define RIG_RAM (4 * MIB)
#define RIG_BAR (BOARD_MMIO_LOW_BASE + 0x100000u)
#define RIG_DEVFN 0x10
#define RIG_QUEUE 16
/* Where queue q's parts are; buffers are the tests', from RIG_DATA up. */
#define RIG_DESC(q) (0x10000ull + 0x4000ull * (q))
#define RIG_AVAIL(q) (RIG_DESC(q) + 0x1000)
#define RIG_USED(q) (RIG_DESC(q) + 0x2000)
#define RIG_DATA 0x100000ull

#define VERSION_1_WORD 1u /* feature bits 32 to 63 */

struct rig {
	struct gmem mem;
	pthread_mutex_t lock;
	struct bus pio, mmio;
	struct pci_bus pci;
	struct irq irq;
	uint16_t offered[VDEV_QUEUES], used[VDEV_QUEUES];
};

/*
 * A device's workers have the sandbox of their role here, too: a call that no
 * line of the table names ends the test. Sanitizers make calls of their own.
 */
static inline void rig_enter(void *ctx, int role)
{
	(void)ctx;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	CHECK(!jail_thread((enum jail_role)role));
#else
	(void)role;
#endif
}

static inline gpa_t at(uint64_t v)
{
	return (gpa_t){ v };
}

static inline void rig_open(struct rig *r)
{
	*r = (struct rig){ 0 };
	assert_int_equal(gmem_open(&r->mem, RIG_RAM), 0);
	pthread_mutex_init(&r->lock, NULL);
	bus_open(&r->pio, &r->lock);
	bus_open(&r->mmio, &r->lock);
	assert_int_equal(pci_open(&r->pci, &r->pio, &r->mmio), 0);
	assert_int_equal(irq_open(&r->irq, -1), 0);
}

static inline void rig_close(struct rig *r)
{
	irq_close(&r->irq);
	gmem_close(&r->mem);
	pthread_mutex_destroy(&r->lock);
}

static inline uint32_t cfg_get(struct rig *r, unsigned off, size_t len)
{
	uint8_t b[8];

	put_le32(b, 1u << 31 | RIG_DEVFN << 8 | (off & 0xfc));
	bus_write(&r->pio, BOARD_PORT_PCI_ADDR, b, 4);
	bus_read(&r->pio, BOARD_PORT_PCI_DATA + (off & 3), b, len);
	return (uint32_t)get_le(b, len);
}

static inline void cfg_set(struct rig *r, unsigned off, size_t len, uint32_t v)
{
	uint8_t b[8];

	put_le32(b, 1u << 31 | RIG_DEVFN << 8 | (off & 0xfc));
	bus_write(&r->pio, BOARD_PORT_PCI_ADDR, b, 4);
	put_le(b, len, v);
	bus_write(&r->pio, BOARD_PORT_PCI_DATA + (off & 3), b, len);
}

/* BAR 0 is placed and decodes. */
static inline void rig_place(struct rig *r)
{
	cfg_set(r, 0x10, 4, RIG_BAR);
	cfg_set(r, PCI_COMMAND, 2, PCI_CMD_MEM | PCI_CMD_MASTER);
}

static inline uint64_t reg_get(struct rig *r, uint64_t off, size_t len)
{
	uint8_t b[8];

	bus_read(&r->mmio, RIG_BAR + off, b, len);
	return get_le(b, len);
}

static inline void reg_set(struct rig *r, uint64_t off, size_t len, uint64_t v)
{
	uint8_t b[8];

	put_le(b, len, v);
	bus_write(&r->mmio, RIG_BAR + off, b, len);
}

static inline uint8_t rig_status(struct rig *r)
{
	return (uint8_t)reg_get(r, 20, 1);
}

static inline uint64_t rig_features(struct rig *r)
{
	uint64_t f;

	reg_set(r, 0, 4, 0);
	f = reg_get(r, 4, 4);
	reg_set(r, 0, 4, 1);
	return f | reg_get(r, 4, 4) << 32;
}

/* Up to FEATURES_OK; says whether the device accepted. */
static inline bool rig_negotiate(struct rig *r, uint64_t features)
{
	reg_set(r, 20, 1, 0);
	reg_set(r, 20, 1, VIRTIO_S_ACKNOWLEDGE);
	reg_set(r, 20, 1, 3);
	for (unsigned w = 0; w < 2; w++) {
		reg_set(r, 8, 4, w);
		reg_set(r, 12, 4, (uint32_t)(features >> 32 * w));
	}
	reg_set(r, 20, 1, 3 | VIRTIO_S_FEATURES_OK);
	return rig_status(r) & VIRTIO_S_FEATURES_OK;
}

static inline void rig_queue(struct rig *r, uint16_t q, uint16_t size)
{
	uint8_t zero[0x3000] = { 0 };

	assert_int_equal(
		gmem_write(&r->mem, at(RIG_DESC(q)), zero, sizeof(zero)), 0);
	r->offered[q] = r->used[q] = 0;
	reg_set(r, 22, 2, q);
	reg_set(r, 24, 2, size);
	reg_set(r, 26, 2, q + 1u);
	reg_set(r, 32, 8, RIG_DESC(q));
	reg_set(r, 40, 8, RIG_AVAIL(q));
	reg_set(r, 48, 8, RIG_USED(q));
	reg_set(r, 28, 2, 1);
}

/* MSI-X on, every vector open; vector i sends data 0x40 + i. */
static inline void rig_msix(struct rig *r, const struct msix *m)
{
	for (unsigned i = 0; i < m->n; i++) {
		uint64_t e = VIRTIO_PCI_TABLE + 16ull * i;

		reg_set(r, e, 4, 0xfee00000);
		reg_set(r, e + 4, 4, 0);
		reg_set(r, e + 8, 4, 0x40 + i);
		reg_set(r, e + 12, 4, 0);
	}
	cfg_set(r, m->cap + 2, 2, 0x8000);
}

/* A driver as it should be, for queues 0 to n - 1. */
static inline void rig_start(struct rig *r, uint64_t features, uint16_t n)
{
	assert_true(rig_negotiate(r, features));
	for (uint16_t q = 0; q < n; q++)
		rig_queue(r, q, RIG_QUEUE);
	reg_set(r, 16, 2, 0);
	reg_set(r, 20, 1, 15);
	assert_int_equal(rig_status(r), 15);
}

static inline void rig_desc(struct rig *r, uint64_t table, unsigned i,
			    uint64_t addr, uint32_t len, unsigned flags,
			    unsigned next)
{
	struct vring_desc d = { addr, len, (uint16_t)flags, (uint16_t)next };

	assert_int_equal(
		gmem_write(&r->mem, at(table + 16ull * i), &d, sizeof(d)), 0);
}

/* Puts head into the available ring; the index is published by ring(). */
static inline void rig_offer(struct rig *r, uint16_t q, uint16_t head)
{
	uint64_t e = RIG_AVAIL(q) + 4 + 2ull * (r->offered[q] % RIG_QUEUE);

	assert_int_equal(gmem_store16(&r->mem, at(e), head), 0);
	r->offered[q]++;
	assert_int_equal(
		gmem_store16(&r->mem, at(RIG_AVAIL(q) + 2), r->offered[q]), 0);
}

static inline void rig_kick(struct rig *r, uint16_t q)
{
	reg_set(r, VIRTIO_PCI_NOTIFY + 4ull * q, 2, q);
}

static inline void rig_nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
}

/* Waits up to 5 s for the next used entry; false: the device broke, or none. */
static inline bool rig_wait(struct rig *r, uint16_t q, uint32_t *len)
{
	struct vring_used_elem e;
	uint16_t idx;

	for (int i = 0; i < 25000; i++) {
		uint64_t slot = r->used[q] % RIG_QUEUE;

		assert_int_equal(
			gmem_load16(&r->mem, at(RIG_USED(q) + 2), &idx), 0);
		if (idx != r->used[q]) {
			slot = RIG_USED(q) + 4 + 8 * slot;
			assert_int_equal(
				gmem_read(&r->mem, at(slot), &e, sizeof(e)), 0);
			*len = e.len;
			r->used[q]++;
			return true;
		}
		if (rig_status(r) & VIRTIO_S_NEEDS_RESET)
			return false;
		rig_nap();
	}
	return false;
}

/* How often vector i fired since last asked. */
static inline uint64_t rig_fired(struct rig *r, const struct msix *m,
				 unsigned i)
{
	uint64_t n = 0;

	if (read(irq_msi_fd(&r->irq, m->v[i].msi), &n, sizeof(n)) < 0)
		return 0;
	return n;
}

static inline bool rig_waits_irq(struct rig *r, const struct msix *m,
				 unsigned i)
{
	for (int t = 0; t < 25000; t++) {
		if (rig_fired(r, m, i))
			return true;
		rig_nap();
	}
	return false;
}

static inline void rig_loop_end(void *ctx, int fd, uint32_t events)
{
	(void)fd;
	(void)events;
	event_stop(ctx);
}

/* Lets the main thread's loop run for a while. */
static inline void rig_loop(struct event *ev, unsigned ms)
{
	const struct itimerspec t = { .it_value.tv_nsec = ms * 1000000l };
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);

	assert_int_equal(timerfd_settime(fd, 0, &t, NULL), 0);
	assert_int_equal(event_add(ev, fd, EPOLLIN, rig_loop_end, ev), 0);
	ev->stop = false;
	assert_int_equal(event_run(ev), 0);
	event_remove(ev, fd);
	close(fd);
}

#endif
