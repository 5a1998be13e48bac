/* SPDX-License-Identifier: Apache-2.0 */
/*
 * terminal: standard input as a guest's keyboard. carrel may end at any
 * instruction, by its own sandbox, by a signal that nobody can catch, and the
 * user's shell is to find its terminal as it was: so a process of its own
 * guards it. Only if that one is killed as well does a terminal stay raw.
 */
#ifndef CARREL_DEVICES_TERMINAL_H
#define CARREL_DEVICES_TERMINAL_H

#include <termios.h>

#include "vmm/num.h"

struct terminal {
	struct termios before;
	bool raw; /* to be restored */
};

/*
 * Starts the guard, if standard input is a terminal; it ends with us. Call it
 * before there are secrets, locks or threads that a fork would copy. confine
 * runs first in the guard, which ends at once unless that returns 0.
 */
int terminal_guard(int (*confine)(void *ctx), void *ctx) MUST_USE;

/* What is not a terminal is left alone. */
int terminal_raw(struct terminal *t) MUST_USE;

/* Raw again: a shell takes its terminal back while we are stopped. */
void terminal_again(const struct terminal *t);
void terminal_restore(struct terminal *t);

#endif
