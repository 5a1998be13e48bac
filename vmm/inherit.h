/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inherit: a listening socket that whoever started us has opened already
 * (socket activation, sd_listen_fds(3)): descriptors from 3 on, described by
 * LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES. The environment is the user's
 * own, but may be left over from another program: everything is checked.
 */
#ifndef CARREL_VMM_INHERIT_H
#define CARREL_VMM_INHERIT_H

#include <sys/types.h>

#include "vmm/num.h"

#define INHERIT_MAX 64 /* descriptors that are looked at */

struct inherit_env {
	const char *pid, *fds, *names; /* NULL: not set */
};

/*
 * The descriptor called name, or the only one, whatever its name. -ENOENT:
 * none was passed; -ESRCH: to another process; -EINVAL: not a number; -EBADSLT:
 * several, none of that name. Pure.
 */
int inherit_find(const struct inherit_env *e, pid_t self,
		 const char *name) MUST_USE;

/*
 * Takes that socket out of the environment: listening, Unix, stream, now
 * close-on-exec and non-blocking. Before anything of ours is opened, or an
 * environment that lies could name that. -errno after one log line.
 */
int inherit_socket(const char *name) MUST_USE;

/*
 * Standard descriptors that are closed become /dev/null: they would become the
 * next files of ours, a disk for one, and log lines would go into that.
 */
int inherit_standard(void) MUST_USE;

#endif
