/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * unlock: a passphrase, a LUKS header that luks.h found fine, and the disk
 * that it is on make a decrypting disk. GRUB has the ciphers and the key
 * derivation; its own readers of LUKS headers are not used, for they believe
 * the lengths in them.
 */
#ifndef CARREL_GRUB_UNLOCK_H
#define CARREL_GRUB_UNLOCK_H

#include "boot/grub/luks.h"
#include "boot/grub/secret_table.h"

struct grub_disk;

enum unlock_result {
	UNLOCK_OPEN, /* *id is the number in the new disk's name, crypto0 */
	UNLOCK_NO_FIT,
	UNLOCK_FAILED, /* the disk or memory; GRUB has said what */
};

enum unlock_result unlock(struct grub_disk *disk, const char *name,
			  const struct luks *l, const struct secret_span *pass,
			  unsigned long *id);

#endif
