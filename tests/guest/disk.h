/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disk: a driver that behaves, for one queue of a virtio disk. Registers are
 * at BAR (virtio 1.2, 4.1.4, in the order of devices/virtio_pci.c).
 */
#ifndef CARREL_TESTS_GUEST_DISK_H
#define CARREL_TESTS_GUEST_DISK_H

#include "tests/guest/pci.h"

#define BAR 0xc0000000u
#define NOTIFY 0x3000u

/* Guest memory; the ROM's stack is below. */
#define DESC 0x100000u
#define AVAIL 0x101000u
#define USED 0x102000u
#define HEADER 0x104000u
#define STATUS 0x105000u
#define DATA 0x106000u
#define SIZE 16u

#define NEXT 1u
#define WRITE 2u

static inline void features(uint32_t low, uint32_t high)
{
	put8(BAR + 20, 0);
	put8(BAR + 20, 3);
	put32(BAR + 8, 0);
	put32(BAR + 12, low);
	put32(BAR + 8, 1);
	put32(BAR + 12, high);
	put8(BAR + 20, 11);
}

static inline void queue(uint16_t size, uint32_t desc, uint32_t avail,
			 uint32_t used)
{
	put16(BAR + 22, 0);
	put16(BAR + 24, size);
	put32(BAR + 32, desc);
	put32(BAR + 36, 0);
	put32(BAR + 40, avail);
	put32(BAR + 44, 0);
	put32(BAR + 48, used);
	put32(BAR + 52, 0);
	put16(BAR + 28, 1);
	put8(BAR + 20, 15);
}

static inline void start(void)
{
	for (uint32_t at = DESC; at < DATA + 0x1000; at += 4)
		put32(at, 0);
	features(1u << 28, 1);
	queue(SIZE, DESC, AVAIL, USED);
}

static inline void desc(uint32_t table, unsigned i, uint32_t at, uint32_t len,
			uint16_t flags, uint16_t next)
{
	put32(table + 16 * i, at);
	put32(table + 16 * i + 4, 0);
	put32(table + 16 * i + 8, len);
	put16(table + 16 * i + 12, flags);
	put16(table + 16 * i + 14, next);
}

static inline void offer(uint16_t head, uint16_t idx)
{
	put16(AVAIL + 4, head);
	put16(AVAIL + 2, idx);
	put16(BAR + NOTIFY, 0);
}

/* A read of sector 0, offered from descriptor 0. */
static inline void read_sector(void)
{
	desc(DESC, 0, HEADER, 16, NEXT, 1);
	desc(DESC, 1, DATA, 512, NEXT | WRITE, 2);
	desc(DESC, 2, STATUS, 1, WRITE, 0);
	put8(STATUS, 0xee);
}

#endif
