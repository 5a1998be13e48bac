/* SPDX-License-Identifier: Apache-2.0 */
/*
 * power: how a device or a vCPU tells the main thread that the machine is to
 * end or start over. Any thread may ask; the first request wins until the main
 * thread has taken it, unless a graver one (crash, quit) comes.
 */
#ifndef CARREL_VMM_POWER_H
#define CARREL_VMM_POWER_H

#include <stdatomic.h>

#include "vmm/num.h"

enum power_request {
	POWER_NONE,
	POWER_OFF, /* the guest powered off (ACPI S5) */
	POWER_RESET, /* the guest asked for a reset */
	POWER_CRASH, /* triple fault, KVM internal error */
	POWER_QUIT, /* the host wants an end now */
	POWER_LEAVE, /* whoever sits at the terminal does */
};

struct power {
	int fd; /* eventfd, readable when a request waits */
	_Atomic(int) request; /* enum power_request */
	_Atomic(const char *) why; /* static text for the log */
};

int power_open(struct power *p) MUST_USE;
void power_close(struct power *p);

/* why: static text, "port 0xcf9", "sleep state 5", ... */
void power_ask(struct power *p, enum power_request what, const char *why);

/* Any thread: is there one that the main thread has not taken yet? */
bool power_waits(const struct power *p);

/* Main thread, while it resets anyway: forgets a reset that waits. */
void power_forget_reset(struct power *p);

/* Main thread: takes the request, clearing it and the eventfd. */
enum power_request power_take(struct power *p, const char **why);

#endif
