/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files: whole files in, whole sets of files out. Input is bounded by the
 * caller's buffer. Output appears complete or not at all, and never replaces
 * a file unless that was asked for: last launch's keys may still be needed.
 */
#ifndef CARREL_SEV_OWNER_FILES_H
#define CARREL_SEV_OWNER_FILES_H

#include <sys/types.h>

#include "vmm/num.h"

/* -EFBIG: longer than cap. Each failure is logged with the path. */
int files_read(const char *path, uint8_t *buf, size_t cap,
	       size_t *len) MUST_USE;

/* The same; content that is base64 text is decoded in place. */
int files_read_either(const char *path, uint8_t *buf, size_t cap,
		      size_t *len) MUST_USE;

struct file_out {
	const char *name;
	const void *bytes;
	size_t len;
	mode_t mode;
	bool base64; /* written as one line of base64 */
};

#define FILE_SET_MAX 12

/* Makes dir if it is missing. force: files of these names are replaced. */
int files_write_set(const char *dir, const struct file_out *set, size_t n,
		    bool force) MUST_USE;

#endif
