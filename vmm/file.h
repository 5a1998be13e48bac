/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file: reads a whole file that the user named. The name is trusted, the
 * content is not, and neither is the kind of thing behind the name: a
 * directory, a FIFO or a device is refused without waiting on it.
 */
#ifndef CARREL_VMM_FILE_H
#define CARREL_VMM_FILE_H

#include <stdint.h>

#include "vmm/num.h"

/*
 * Reads the regular file at path, of 1 to max bytes, into a buffer from
 * malloc. 0, or -errno after one log line that begins with what ("kernel",
 * "firmware") and the path: -EISDIR a directory, -EINVAL not a regular file,
 * -ENODATA empty, -EFBIG longer than max, -EAGAIN it changed meanwhile.
 */
int file_read(const char *path, const char *what, uint64_t max, uint8_t **out,
	      size_t *len) MUST_USE;

#endif
