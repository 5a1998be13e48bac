/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify: tells whoever started us, systemd for one, how far we are (the
 * protocol of sd_notify(3): datagrams to NOTIFY_SOCKET). Opened before the
 * sandbox closes; main thread only. The environment is the user's own.
 */
#ifndef CARREL_VMM_NOTIFY_H
#define CARREL_VMM_NOTIFY_H

#include <sys/socket.h>
#include <sys/un.h>

#include "vmm/num.h"

struct notify {
	int fd; /* -1: nobody wants to know */
};

/*
 * Takes NOTIFY_SOCKET out of the environment. A value that makes no sense, or
 * a socket that nobody serves, is a warning: the VM runs all the same.
 */
void notify_open(struct notify *n);

/*
 * Lines as sd_notify(3) has them, "STATUS=running". Nothing happens without a
 * socket. must: waits for a moment where the reader is slow.
 */
void notify_say(const struct notify *n, bool must, const char *lines);

void notify_close(struct notify *n);

/*
 * The address that a value of NOTIFY_SOCKET means: a path from the root, or
 * '@' and an abstract name. -EINVAL, -ENAMETOOLONG. Pure.
 */
int notify_address(const char *text, struct sockaddr_un *a,
		   socklen_t *len) MUST_USE;

#endif
