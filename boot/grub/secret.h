/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * secret: where the firmware says that the owner's secret lies, and its end.
 */
#ifndef CARREL_GRUB_SECRET_H
#define CARREL_GRUB_SECRET_H

#include "boot/grub/secret_table.h"

#include <stdbool.h>

struct secret {
	volatile uint8_t *area;
	size_t area_size;
	struct secret_span pass; /* inside the area: there is no copy */
	bool line_end; /* the passphrase ends with one */
};

/*
 * The disk's passphrase of the owner; false, with a reason on the console, if
 * there is none. The area is to be wiped in either case.
 */
bool secret_take(struct secret *s);

/* Nothing of the area is left after this. */
void secret_wipe(struct secret *s);

#endif
