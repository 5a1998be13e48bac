/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See the header. Two processes that start on the same stale file at the same
 * moment can still both replace it; the later one then has the name and the
 * earlier one, whose file is gone, no clients. Each VM has a path of its own.
 */
#include "vmm/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmm/log.h"

/* 0: somebody answers; -ECONNREFUSED: nobody does. */
static int try_connect(const struct sockaddr_un *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)a, sizeof(*a)))
		rc = -errno;
	close(fd);
	return rc;
}

/*
 * Removes a.sun_path if it is a socket that nobody serves. A full backlog
 * (-EAGAIN) is a sign of life.
 */
static int remove_stale(const char *what, const struct sockaddr_un *a)
{
	struct stat st;
	int rc;

	if (lstat(a->sun_path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode)) {
		log_error("%s %s: there is a file that is no socket; name "
			  "another path or remove it",
			  what, a->sun_path);
		return -EADDRINUSE;
	}
	rc = try_connect(a);
	if (rc == -EACCES || rc == -EPERM) {
		log_error("%s %s: a socket of another user's (%s); name "
			  "another path or remove it",
			  what, a->sun_path, strerror(-rc));
		return -EADDRINUSE;
	}
	if (rc != -ECONNREFUSED) {
		log_error("%s %s: a running process serves it; name another "
			  "path",
			  what, a->sun_path);
		return -EADDRINUSE;
	}
	return unlink(a->sun_path) && errno != ENOENT ? -errno : 0;
}

/*
 * Linux gives the file the mode of the socket's inode, less the umask: with
 * the mode set before bind there is no moment at which others could connect.
 */
static int bind_private(int fd, const struct sockaddr_un *a)
{
	if (fchmod(fd, S_IRUSR | S_IWUSR) ||
	    bind(fd, (const struct sockaddr *)a, sizeof(*a)))
		return -errno;
	return 0;
}

static int open_at(const struct sockaddr_un *a, int backlog, struct stat *st)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc;

	if (fd < 0)
		return -errno;
	rc = bind_private(fd, a);
	if (rc)
		goto fail;
	if (listen(fd, backlog) || lstat(a->sun_path, st)) {
		rc = -errno;
		unlink(a->sun_path);
		goto fail;
	}
	return fd;
fail:
	close(fd);
	return rc;
}

int socket_listen(struct socket_file *f, const char *what, const char *path,
		  int backlog)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	struct stat st;
	int fd, rc;

	if (!len || len >= sizeof(a.sun_path)) {
		log_error("%s %s: the path has %zu bytes; 1 to %zu fit into a "
			  "socket's address",
			  what, path, len, sizeof(a.sun_path) - 1);
		return -ENAMETOOLONG;
	}
	bytes_copy(a.sun_path, sizeof(a.sun_path), path, len);
	rc = remove_stale(what, &a);
	if (rc == -EADDRINUSE)
		return rc;
	fd = rc ? rc : open_at(&a, backlog, &st);
	if (fd < 0) {
		log_error("%s %s: %s", what, path, strerror(-fd));
		return fd;
	}
	*f = (struct socket_file){ strdup(path), st.st_dev, st.st_ino };
	if (f->path)
		return fd;
	close(fd);
	unlink(path);
	return -ENOMEM;
}

void socket_remove(struct socket_file *f)
{
	struct stat st;

	if (f->path && !lstat(f->path, &st) && st.st_dev == f->dev &&
	    st.st_ino == f->ino)
		unlink(f->path);
	free(f->path);
	*f = (struct socket_file){ 0 };
}
