/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file: see the header. The size is taken once, from the open descriptor, and
 * the file must then hold exactly that many bytes.
 */
#include "vmm/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/log.h"

static int check_kind(const struct stat *st, const char *path, const char *what,
		      uint64_t max)
{
	if (S_ISDIR(st->st_mode)) {
		log_error("%s %s: is a directory; a regular file is needed",
			  what, path);
		return -EISDIR;
	}
	if (!S_ISREG(st->st_mode)) {
		log_error("%s %s: not a regular file", what, path);
		return -EINVAL;
	}
	if (st->st_size == 0) {
		log_error("%s %s: the file is empty", what, path);
		return -ENODATA;
	}
	if ((uint64_t)st->st_size > max) {
		log_error("%s %s: %jd bytes; at most %" PRIu64 " are accepted",
			  what, path, (intmax_t)st->st_size, max);
		return -EFBIG;
	}
	return 0;
}

/* Fills buf; 0, -EAGAIN when the file ends early, or -errno of read. */
static int read_all(int fd, uint8_t *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = read(fd, buf + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EAGAIN;
		done += (size_t)n;
	}
	return 0;
}

/* After the last byte: a file that grew would be cut off without a word. */
static int read_end(int fd)
{
	uint8_t extra;
	ssize_t n;

	do
		n = read(fd, &extra, 1);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == 0 ? 0 : -EAGAIN;
}

/* Says why in words and hands the code back. */
static int refuse(const char *what, const char *path, int rc)
{
	log_error("%s %s: %s", what, path,
		  rc == -EAGAIN ? "changed while it was read" : strerror(-rc));
	return rc;
}

static int read_open(int fd, const char *path, const char *what, uint64_t max,
		     uint8_t **out, size_t *len)
{
	struct stat st;
	uint8_t *buf;
	int rc;

	if (fstat(fd, &st))
		return refuse(what, path, -errno);
	rc = check_kind(&st, path, what, max);
	if (rc)
		return rc;
	buf = malloc((size_t)st.st_size);
	if (!buf)
		return refuse(what, path, -ENOMEM);
	rc = read_all(fd, buf, (size_t)st.st_size);
	if (!rc)
		rc = read_end(fd);
	if (rc) {
		free(buf);
		return refuse(what, path, rc);
	}
	*out = buf;
	*len = (size_t)st.st_size;
	return 0;
}

int file_read(const char *path, const char *what, uint64_t max, uint8_t **out,
	      size_t *len)
{
	/* O_NONBLOCK: opening a FIFO must not wait for its other end. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int rc;

	if (fd < 0)
		return refuse(what, path, -errno);
	rc = read_open(fd, path, what, max, out, len);
	close(fd);
	return rc;
}

int file_lock(int fd, bool shared)
{
	struct flock l = {
		.l_type = shared ? F_RDLCK : F_WRLCK,
		.l_whence = SEEK_SET,
	};

	return fcntl(fd, F_OFD_SETLK, &l) ? -errno : 0;
}

int file_claim(int fd, const char *path, const char *what)
{
	struct stat st;
	int rc = fstat(fd, &st) ? -errno : 0;

	if (!rc && S_ISREG(st.st_mode))
		rc = file_lock(fd, false);
	if (!rc)
		return 0;
	if (rc == -EAGAIN || rc == -EACCES) {
		log_error("%s %s: in use by another process, or by this one "
			  "for something else; it is left as it is",
			  what, path);
		return -EAGAIN;
	}
	log_warn("%s %s: cannot be locked (%s): nothing keeps another process "
		 "from writing to it",
		 what, path, strerror(-rc));
	return 0;
}
