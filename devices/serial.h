/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serial: a 16550A UART (National PC16550D) at COM1. It has no line speed:
 * bytes go out as fast as the host's end takes them, and while it takes none
 * the transmitter is simply not empty, so a guest that looks loses nothing.
 */
#ifndef CARREL_DEVICES_SERIAL_H
#define CARREL_DEVICES_SERIAL_H

#include <stdint.h>

#include "devices/chardev.h"
#include "vmm/bus.h"
#include "vmm/irq.h"

#define SERIAL_FIFO 16

struct serial_fifo {
	uint8_t byte[SERIAL_FIFO];
	unsigned len; /* byte[0] is the oldest */
};

struct serial {
	struct bus *pio;
	struct irq *irq;
	struct chardev *end;
	struct serial_fifo rx, tx;
	uint8_t ier, fcr, lcr, mcr, scr, dll, dlm;
	uint8_t lsr_errors; /* overrun and break, until LSR is read */
	uint8_t msr_deltas; /* until MSR is read */
	bool thre_irq; /* the transmitter went empty, not yet told */
	bool warned; /* one log line about lost output */
};

/*
 * end was opened, and is put into the loop here; it stays the caller's to
 * close, after serial_close.
 */
int serial_attach(struct serial *s, struct bus *pio, struct irq *irq,
		  struct event *event, struct chardev *end) MUST_USE;
void serial_reset(struct serial *s);
void serial_close(struct serial *s);

#endif
