/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blob: a file of one fixed size that an owner handed over, as it is or as
 * base64 text (sev-tool and QEMU use both). Its content is hostile; here only
 * its size is judged, the firmware judges the rest.
 */
#ifndef CARREL_SEV_BLOB_H
#define CARREL_SEV_BLOB_H

#include <stdint.h>

#include "vmm/num.h"

/* Exactly len bytes into out; -errno after one log line that names what. */
int blob_read(const char *path, const char *what, uint8_t *out,
	      size_t len) MUST_USE;

#endif
