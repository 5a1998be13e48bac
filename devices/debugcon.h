/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debugcon: the port that firmware writes its log to, a byte at a time; it
 * reads 0xE9 so that firmware knows of it. Lines are sent whole. A log is not
 * worth a stalled guest: what the host's end does not take is lost.
 */
#ifndef CARREL_DEVICES_DEBUGCON_H
#define CARREL_DEVICES_DEBUGCON_H

#include <stdint.h>

#include "devices/chardev.h"
#include "vmm/bus.h"

#define DEBUGCON_LINE 256

struct debugcon {
	struct bus *pio;
	struct chardev *end;
	uint8_t line[DEBUGCON_LINE];
	size_t len;
	bool warned; /* one log line about lost output */
};

/* As serial_attach: end was opened, and stays the caller's to close. */
int debugcon_attach(struct debugcon *d, struct bus *pio, struct event *event,
		    struct chardev *end) MUST_USE;
void debugcon_reset(struct debugcon *d);
void debugcon_close(struct debugcon *d); /* before chardev_close */

#endif
