/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * volumes: the LUKS volumes among the disks, and those of them that a
 * passphrase opens. Disks are the host's: it adds what it likes.
 */
#ifndef CARREL_GRUB_VOLUMES_H
#define CARREL_GRUB_VOLUMES_H

#include "boot/grub/secret_table.h"

enum { VOLUMES_MAX = 16 };

struct volumes {
	char *open[VOLUMES_MAX]; /* names of unlocked disks, "crypto0" */
	int opened;
	int luks; /* LUKS volumes seen in the last round */
};

/*
 * Tries the passphrase on every LUKS volume, and says of each that it does not
 * open why not.
 */
void volumes_unlock(struct volumes *v, const struct secret_span *pass);

/*
 * Takes every disk away from GRUB but the opened ones, for good: from here on
 * no name, no UUID and no search leads to bytes that the host can choose.
 */
void volumes_seal(struct volumes *v);

#endif
