/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * text: is this text, or is there noise in it? Pure. A host that changes the
 * ciphertext of a volume turns 16 bytes at a time into noise: in a command line
 * that is how it would take words out of it.
 */
#ifndef CARREL_GRUB_TEXT_H
#define CARREL_GRUB_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * UTF-8 without control characters but those that part words and lines. Of
 * 16 bytes of noise, fewer than one in 100 000 pass.
 */
bool text_is_whole(const uint8_t *p, size_t len);

#endif
