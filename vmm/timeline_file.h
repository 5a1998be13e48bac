/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timeline_file: the file of --timeline. It is opened before the guest runs,
 * as the sandbox opens nothing, and written once, at the end, whatever that
 * was.
 */
#ifndef CARREL_VMM_TIMELINE_FILE_H
#define CARREL_VMM_TIMELINE_FILE_H

#include "vmm/config.h"
#include "vmm/timeline.h"

struct timeline_file {
	bool open; /* not if all is zero */
	int fd;
};

/*
 * Opens and empties a regular file; path NULL: none is wanted. -errno after a
 * log line.
 */
int timeline_file_open(struct timeline_file *f, const char *path) MUST_USE;

/*
 * The VM has ended; if nobody has said why, it was never run. Writes the
 * report that the name of c's file asks for; a failure is one log line.
 */
void timeline_file_close(struct timeline_file *f, struct timeline *t,
			 const struct config *c);

#endif
