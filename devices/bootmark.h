/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bootmark: port 0xF4, where a guest may say how far it is: a byte is put on
 * the time line the first time that it comes. The numbers are those that
 * qemu-boot-time and qboot have made usual there, and one of ours.
 */
#ifndef CARREL_DEVICES_BOOTMARK_H
#define CARREL_DEVICES_BOOTMARK_H

#include "vmm/bus.h"

#define BOOTMARK_KERNEL 6 /* a kernel's first code */
#define BOOTMARK_USER 7 /* user space begins */
#define BOOTMARK_READY 8 /* ours: it does what it is there for */
#define BOOTMARK_MARKS 24 /* other numbers that are taken down */

struct bootmark {
	struct bus *pio;
	uint64_t seen[4]; /* a bit a number */
	unsigned n;
};

int bootmark_attach(struct bootmark *b, struct bus *pio) MUST_USE;
void bootmark_close(struct bootmark *b);

#endif
