/* SPDX-License-Identifier: Apache-2.0 */
/*
 * power: how a device or a vCPU tells the main thread that the machine is to
 * end or start over. Any thread may ask; the first request wins until the main
 * thread has taken it, unless a graver one (panic, crash, quit) comes. A vCPU
 * that has asked rests until the main thread has decided. Notes are news after
 * which the guest goes on; each kind waits at most once.
 */
#ifndef CARREL_VMM_POWER_H
#define CARREL_VMM_POWER_H

#include <stdatomic.h>

#include "vmm/num.h"

enum power_request {
	POWER_NONE,
	POWER_OFF, /* the guest powered off (ACPI S5) */
	POWER_RESET, /* the guest asked for a reset */
	POWER_PANIC, /* the guest says that it panicked */
	POWER_CRASH, /* triple fault, KVM internal error */
	POWER_QUIT, /* the host wants an end now */
	POWER_LEAVE, /* whoever sits at the terminal does */
};

enum power_note {
	POWER_NOTE_PANIC = 1, /* where a panic changes nothing */
	POWER_NOTE_CRASHLOADED = 2, /* a panic that the guest itself handles */
	POWER_NOTE_WATCHDOG = 4, /* nobody fed it */
};

struct power {
	int fd; /* eventfd, readable when a request or a note waits */
	bool panic_passes; /* set before the guest runs: power_panic */
	_Atomic(unsigned) notes; /* enum power_note */
	_Atomic(int) request; /* enum power_request */
	_Atomic(bool) deciding; /* one was taken, and vCPUs may still run */
	_Atomic(const char *) why; /* static text for the log */
};

int power_open(struct power *p) MUST_USE;
void power_close(struct power *p);

/* why: static text, "port 0xcf9", "sleep state 5", ... */
void power_ask(struct power *p, enum power_request what, const char *why);

/* The guest panicked: a note where panic_passes, or else a request. */
void power_panic(struct power *p);

void power_note(struct power *p, enum power_note what);

/* Any thread: is there one that the main thread has not settled yet? */
bool power_waits(const struct power *p);

/* Main thread, while it resets anyway: forgets a reset that waits. */
void power_forget_reset(struct power *p);

/*
 * Main thread: takes the request, clearing it and the eventfd. It still waits,
 * in power_waits's words, until power_settle: no vCPU that asked runs on
 * meanwhile. To be called as soon as vCPUs are parked, at the latest when all
 * is done.
 */
enum power_request power_take(struct power *p, const char **why);
void power_settle(struct power *p);

/* Main thread, after that: takes the notes. */
unsigned power_take_notes(struct power *p);

#endif
