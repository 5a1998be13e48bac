/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inherit: see the header.
 */
#include "vmm/inherit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmm/log.h"

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */

/* Where name stands in a list with colons; -1: nowhere. */
static long place_of(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (long i = 0; list; i++) {
		const char *end = strchrnul(list, ':');

		if ((size_t)(end - list) == len && !memcmp(list, name, len))
			return i;
		list = *end ? end + 1 : NULL;
	}
	return -1;
}

int inherit_find(const struct inherit_env *e, pid_t self, const char *name)
{
	uint64_t pid, n;
	long at;

	if (!e->pid || !e->fds)
		return -ENOENT;
	if (!decimal_u64(e->pid, INT32_MAX, &pid) ||
	    !decimal_u64(e->fds, INHERIT_MAX, &n))
		return -EINVAL;
	if (pid != (uint64_t)self)
		return -ESRCH;
	if (!n)
		return -ENOENT;
	at = n == 1 ? 0 : place_of(e->names, name);
	return at < 0 || at >= (long)n ? -EBADSLT : FIRST_FD + (int)at;
}

static bool is(int fd, int option, int value)
{
	int got = -1;
	socklen_t len = sizeof(got);

	return !getsockopt(fd, SOL_SOCKET, option, &got, &len) && got == value;
}

static int take(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	if (!is(fd, SO_DOMAIN, AF_UNIX) || !is(fd, SO_TYPE, SOCK_STREAM) ||
	    !is(fd, SO_ACCEPTCONN, 1))
		return -ENOTSOCK;
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC))
		return -errno;
	return 0;
}

static const char *reason(int rc)
{
	switch (rc) {
	case -ENOENT: return "LISTEN_PID and LISTEN_FDS name no descriptor";
	case -ESRCH: return "LISTEN_PID is another process";
	case -EINVAL:
		return "LISTEN_PID or LISTEN_FDS is no number, or too "
		       "large";
	case -EBADSLT:
		return "of several descriptors LISTEN_FDNAMES calls "
		       "none so";
	case -ENOTSOCK: return "it is not a listening Unix stream socket";
	default: return strerror(-rc);
	}
}

int inherit_socket(const char *name)
{
	const struct inherit_env e = {
		.pid = getenv("LISTEN_PID"),
		.fds = getenv("LISTEN_FDS"),
		.names = getenv("LISTEN_FDNAMES"),
	};
	int fd = inherit_find(&e, getpid(), name);
	int rc = fd < 0 ? fd : take(fd);

	if (rc)
		log_error("no socket \"%s\" was handed over: %s", name,
			  reason(rc));
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return rc ? rc : fd;
}

int inherit_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0) {
		log_error("/dev/null: %s", strerror(errno));
		return -EIO;
	}
	close(fd);
	return 0;
}
