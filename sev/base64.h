/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64: RFC 4648, section 4. Input is untrusted and taken strictly: the
 * standard alphabet, padding where it belongs, no stray bits; only white space
 * between characters is skipped, since files are wrapped and end in a newline.
 */
#ifndef CARREL_SEV_BASE64_H
#define CARREL_SEV_BASE64_H

#include <stdint.h>

#include "vmm/num.h"

/* Characters, with the terminating zero, for n bytes. */
#define BASE64_SIZE(n) (((n) + 2) / 3 * 4 + 1)

/* -EINVAL: not base64; -E2BIG: more than cap bytes. */
int base64_decode(const char *text, size_t text_len, uint8_t *out, size_t cap,
		  size_t *len) MUST_USE;

/* text has room for BASE64_SIZE(len). */
void base64_encode(const uint8_t *bytes, size_t len, char *text, size_t cap);

#endif
