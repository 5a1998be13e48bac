/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * say: what the guest's owner is told on the console, and how it all ends if
 * there is nothing to start.
 */
#ifndef CARREL_GRUB_SAY_H
#define CARREL_GRUB_SAY_H

/* One line, headed "carrel-grub: ". */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Powers the machine off; where the firmware cannot, stands still. */
void power_off(void) __attribute__((noreturn));

#endif
