/* SPDX-License-Identifier: Apache-2.0 */
/*
 * i6300esb: the watchdog of Intel's 6300ESB (300641, chapter 16), which Linux
 * and others have a driver for: two stages that are counted down one after the
 * other, fed by writing RELOAD after an unlock sequence. When the second ends
 * unfed, a note goes to the main thread (vmm/mishap.c), and nothing counts
 * until it is fed again, or at once in free-running mode. Between stop and cont
 * no time passes for it. It has no interrupt: the board has no INTx.
 */
#ifndef CARREL_DEVICES_I6300ESB_H
#define CARREL_DEVICES_I6300ESB_H

#include "devices/pci.h"
#include "vmm/event.h"
#include "vmm/power.h"

#define I6300ESB_DEVICE 0x25ab /* of Intel's */

/* Configuration space. */
#define I6300ESB_CONFIG 0x60 /* 16 bits */
#define I6300ESB_CONFIG_FAST 0x04u /* ticks of 1 us, not 1 ms */
#define I6300ESB_CONFIG_NO_OUTPUT 0x20u
#define I6300ESB_LOCK 0x68 /* 8 bits */
#define I6300ESB_LOCK_LOCKED 0x01u
#define I6300ESB_LOCK_ENABLE 0x02u
#define I6300ESB_LOCK_FREE_RUN 0x04u

/* The BAR. */
#define I6300ESB_TIMER1 0x00 /* 32 bits, 20 of them used */
#define I6300ESB_TIMER2 0x04
#define I6300ESB_RELOAD 0x0c /* 16 bits */
#define I6300ESB_RELOAD_FEED 0x100u
#define I6300ESB_RELOAD_TIMEOUT 0x200u /* it fired; writing 1 clears */
#define I6300ESB_REGISTERS 0x10

/* However short the guest sets a stage, the host sleeps that long. */
#define I6300ESB_SHORTEST_NS 1000000u

struct i6300esb {
	struct pci_dev pci; /* first: handlers cast back */
	struct event *event;
	struct power *power;
	int timer_fd, kick_fd;
	/* Under the bus lock. */
	uint32_t preload[2];
	unsigned unlock; /* how much of the sequence has come */
	unsigned stage; /* 0 or 1 */
	bool counting, paused;
	bool timed_out; /* survives a reset, so that the guest learns of it */
	uint64_t deadline_ns; /* of the stage, while counting */
	uint64_t left_ns; /* of the stage, while paused */
	uint64_t armed_ns; /* what the timer waits for; 0: nothing */
};

/* 0, or -errno after a log line. *w must stay where it is. */
int i6300esb_attach(struct i6300esb *w, struct pci_bus *pci, uint8_t devfn,
		    struct event *event, struct power *power) MUST_USE;
void i6300esb_close(struct i6300esb *w);

/* Main thread; in pairs. */
void i6300esb_pause(struct i6300esb *w);
void i6300esb_resume(struct i6300esb *w);

#endif
