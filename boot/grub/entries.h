/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * entries: starts the newest entry of the Boot Loader Specification that an
 * unlocked volume has.
 */
#ifndef CARREL_GRUB_ENTRIES_H
#define CARREL_GRUB_ENTRIES_H

#include <stdbool.h>

/* Returns only if nothing was started: true if there was an entry. */
bool entries_start(const char *volume);

#endif
