/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chardev_open: the ends of character devices: how each is opened and what is
 * put back at the end.
 */
#include "devices/chardev_open.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/log.h"

#define BACKLOG 4

static int keyboard_open(struct chardev *c)
{
	int rc = terminal_raw(&c->terminal);

	if (!rc && c->terminal.raw)
		log_info("%s: Ctrl-A h tells what else can be typed; Ctrl-] "
			 "presses the power button, twice ends the VM",
			 c->name);
	return rc;
}

/*
 * Reads and writes must not block, but O_NONBLOCK belongs to the open file,
 * which a shell and our own standard error share: so a terminal or pipe is
 * opened once more for ourselves. -1: it is something else, or not allowed.
 */
static int reopen(int fd, const char *path, int mode)
{
	struct stat st;

	if (fstat(fd, &st) || !(S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode)))
		return -1;
	return open(path, mode | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* What cannot be opened again gets the flag until chardev_close. */
static int stdout_open(struct chardev *c)
{
	int fd = reopen(STDOUT_FILENO, "/proc/self/fd/1", O_WRONLY);
	int flags = fcntl(STDOUT_FILENO, F_GETFL);

	if (fd >= 0)
		return fd;
	if (flags < 0)
		return -errno;
	if (!(flags & O_NONBLOCK)) {
		if (fcntl(STDOUT_FILENO, F_SETFL, flags | O_NONBLOCK))
			return -errno;
		c->nonblock_set = true;
	}
	fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? -errno : fd;
}

/* Read only when the loop says that there is something: it may block. */
static int stdin_open(void)
{
	int fd = reopen(STDIN_FILENO, "/proc/self/fd/0", O_RDONLY);

	return fd < 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : fd;
}

static int stdio_open(struct chardev *c)
{
	int rc = stdout_open(c);

	if (rc < 0)
		return rc;
	c->out_fd = rc;
	c->in_fd = stdin_open();
	if (c->in_fd < 0) /* closed: a console without input */
		return errno == EBADF ? 0 : -errno;
	return keyboard_open(c);
}

static int socket_open(struct chardev *c)
{
	int fd = socket_listen(&c->file, c->name, c->path, BACKLOG);

	if (fd < 0)
		return fd;
	c->listen_fd = fd;
	return 0;
}

int chardev_open(struct chardev *c, const char *name,
		 const struct config_port *p)
{
	int rc = 0;

	*c = (struct chardev){ .name = name,
			       .end = p->end,
			       .path = p->path,
			       .in_fd = -1,
			       .out_fd = -1,
			       .listen_fd = -1,
			       .kick_fd = -1,
			       .timer_fd = -1,
			       .cont_fd = -1,
			       .patience.timer_fd = -1,
			       .log.older_fd = -1 };
	switch (p->end) {
	case END_NONE:
	case END_UNSET: break;
	case END_STDIO: rc = stdio_open(c); break;
	case END_FILE: rc = chardev_file_open(c, p->max); break;
	case END_SOCKET: rc = socket_open(c); break;
	}
	if (rc && p->end == END_STDIO) /* the others have said it */
		log_error("%s standard output: %s", name, strerror(-rc));
	if (rc)
		chardev_close(c);
	return rc;
}

void chardev_close(struct chardev *c)
{
	if (c->listen_fd >= 0)
		socket_remove(&c->file);
	chardev_detach(c);
	chardev_file_close(c);
	terminal_restore(&c->terminal);
	if (c->nonblock_set)
		(void)fcntl(STDOUT_FILENO, F_SETFL,
			    fcntl(STDOUT_FILENO, F_GETFL) & ~O_NONBLOCK);
	c->nonblock_set = false;
	c->end = END_NONE;
}
