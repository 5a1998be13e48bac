/* SPDX-License-Identifier: Apache-2.0 */
/*
 * socket: a Unix socket's file. Its mode is 0600 from the first moment it
 * can be seen, a file left behind by a dead process is replaced, and neither a
 * live server's socket nor anything that is no socket is ever touched.
 */
#ifndef CARREL_VMM_SOCKET_H
#define CARREL_VMM_SOCKET_H

#include <sys/types.h>

#include "vmm/num.h"

struct socket_file {
	char *path;
	dev_t dev; /* which file it was: another one is not removed */
	ino_t ino;
};

/*
 * The listening descriptor, or -errno after one log line that begins with what
 * ("control socket") and the path.
 */
int socket_listen(struct socket_file *f, const char *what, const char *path,
		  int backlog) MUST_USE;

/*
 * Removes the file, if it is still the one that was made. Before the descriptor
 * is closed: until then no other file can have the same inode number.
 */
void socket_remove(struct socket_file *f);

#endif
