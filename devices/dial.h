/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dial: a process that connects to Unix sockets while the guest runs: to
 * PATH_1, PATH_2, ... on a vsock guest's behalf, or to PATH itself, a
 * vhost-user peer that was started again. Connecting needs a new socket and a
 * name, and neither seccomp nor Landlock can tell one name of a Unix socket
 * from another: a thread of ours that a guest has taken over and that may
 * connect at all could reach every socket of the user's. So no thread of ours
 * may. This process is forked before there is a guest, has no memory and no
 * descriptor of it, reads nothing but numbers, and puts them behind a path that
 * it knows from the start: whoever sends it numbers can reach PATH_N, or PATH,
 * and nothing else.
 */
#ifndef CARREL_DEVICES_DIAL_H
#define CARREL_DEVICES_DIAL_H

#include <stdint.h>

#include "vmm/num.h"

/* Bytes behind the path, at most: "_4294967295". */
#define DIAL_SUFFIX 11

enum dial_how {
	DIAL_NUMBERED, /* PATH_N */
	DIAL_EXACT, /* PATH; the number says nothing */
};

/*
 * Forks it, before anything of a guest's is opened; *fd is our end. confine
 * runs in it before it reads anything: not 0 ends it. It ends, too, when our
 * end is closed. -errno without a log line.
 */
int dial_fork(int *fd, const char *path, enum dial_how how,
	      int (*confine)(void *ctx), void *ctx) MUST_USE;

/* For whoever may connect by themselves: a socket, non-blocking, or -errno. */
int dial_path(const char *path) MUST_USE;

/*
 * Asks for PATH_port, or PATH; tag comes back with the answer. -EAGAIN: too
 * many are asked for already.
 */
int dial_ask(int fd, uint64_t tag, uint32_t port) MUST_USE;

/*
 * The next answer: 1, with *err 0 and a non-blocking socket in *sock, or with
 * *err a -errno and *sock -1; 0: none yet; -EPIPE: the process is gone.
 */
int dial_answer(int fd, uint64_t *tag, int *sock, int *err) MUST_USE;

#endif
