/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file: reads a whole file that the user named, and sees to it that one that is
 * written has no other writer. The name is trusted, the content is not, and
 * neither is the kind of thing behind the name: a directory, a FIFO or a device
 * is not read, and refused without waiting on it.
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

/*
 * A lock of the open file description (F_OFD_SETLK) over the whole file: it
 * ends with the descriptor whatever other descriptors the process closes, two
 * of one process exclude each other, and QEMU's locks collide with it, too.
 * -EAGAIN or -EACCES: somebody else has one.
 */
int file_lock(int fd, bool shared) MUST_USE;

/*
 * Locks a file that is going to be written from its beginning; the caller
 * empties it then, and not before. What is no regular file needs no lock, and a
 * file system that has none costs a warning. -EAGAIN: another has it, after one
 * log line that begins with what and path.
 */
int file_claim(int fd, const char *path, const char *what) MUST_USE;

#endif
