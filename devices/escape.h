/* SPDX-License-Identifier: Apache-2.0 */
/*
 * escape: what is typed at a terminal and meant for carrel, not for the guest:
 * Ctrl-A and a letter, as users of QEMU know it. Pure.
 */
#ifndef CARREL_DEVICES_ESCAPE_H
#define CARREL_DEVICES_ESCAPE_H

#include <stdint.h>

#include "vmm/num.h"

struct escape {
	bool begun; /* Ctrl-A was the last key */
};

/* What was asked for: bits. */
#define ESCAPE_HELP 1u
#define ESCAPE_LEAVE 2u
#define ESCAPE_BREAK 4u

/* What ESCAPE_HELP shows: lines for a raw terminal. */
extern const char escape_help[];

/*
 * Takes the escapes out of *len keys, in place; what is left is the guest's.
 * An escape may begin in one call and end in the next. Ctrl-A twice, or
 * followed by an a, is one for the guest; with any other key it is nothing.
 */
unsigned escape_filter(struct escape *e, uint8_t *keys, size_t *len) MUST_USE;

#endif
