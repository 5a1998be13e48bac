/* SPDX-License-Identifier: Apache-2.0 */
/*
 * show: any SEV file, in words. The kind is told from length and content; the
 * file is hostile. Keys are never shown, nor the contents of secrets.
 */
#ifndef CARREL_SEV_OWNER_SHOW_H
#define CARREL_SEV_OWNER_SHOW_H

#include <jansson.h>

#include "vmm/num.h"

/*
 * What these bytes are, as an object with "kind"; NULL: no known format.
 * fields: also the bytes of a file that only its length tells from a secret.
 */
json_t *show_describe(const uint8_t *p, size_t len, bool fields);

/* On standard output; -errno after a log line. */
int show_file(const char *path, bool json, bool fields) MUST_USE;

#endif
