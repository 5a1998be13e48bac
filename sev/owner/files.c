/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files: bounded reads, and sets of files that are written beside their final
 * names first and moved into place only when all of them are on the disk.
 */
#include "sev/owner/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sev/base64.h"
#include "vmm/log.h"

/* Fills buf as far as the file goes; one byte more than cap is an error. */
static int read_all(int fd, uint8_t *buf, size_t cap, size_t *len)
{
	size_t n = 0;
	uint8_t extra;

	for (;;) {
		bool full = n == cap;
		ssize_t got =
			read(fd, full ? &extra : buf + n, full ? 1 : cap - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		if (full)
			return -EFBIG;
		n += (size_t)got;
	}
	*len = n;
	return 0;
}

int files_read(const char *path, uint8_t *buf, size_t cap, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int rc = fd < 0 ? -errno : read_all(fd, buf, cap, len);

	if (fd >= 0)
		close(fd);
	if (rc == -EFBIG)
		log_error("%s is too long: at most %zu bytes are expected",
			  path, cap);
	else if (rc)
		log_error("cannot read %s: %s", path, strerror(-rc));
	return rc;
}

/* No binary format here is text: each has a zero byte near its start. */
static bool looks_like_text(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != '\n' && p[i] != '\r' &&
		    (p[i] < 0x20 || p[i] > 0x7e))
			return false;
	return len > 0;
}

int files_read_either(const char *path, uint8_t *buf, size_t cap, size_t *len)
{
	int rc = files_read(path, buf, cap, len);

	if (rc || !looks_like_text(buf, *len))
		return rc;
	rc = base64_decode((const char *)buf, *len, buf, cap, len);
	if (rc)
		log_error("%s is text, but not base64", path);
	return rc;
}

static int write_all(int fd, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	while (len) {
		ssize_t put = write(fd, p, len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		p += put;
		len -= (size_t)put;
	}
	return fsync(fd) ? -errno : 0;
}

static int write_base64(int fd, const struct file_out *f)
{
	size_t cap = BASE64_SIZE(f->len) + 1, n;
	char *text = malloc(cap);
	int rc;

	if (!text)
		return -ENOMEM;
	base64_encode(f->bytes, f->len, text, cap);
	n = strlen(text);
	text[n] = '\n';
	rc = write_all(fd, text, n + 1);
	explicit_bzero(text, cap);
	free(text);
	return rc;
}

/* A file that has no name yet, or a passing one where there must be one. */
struct temp {
	int fd;
	char name[64]; /* "": none, so that nothing is left by a killed run */
};

static void name_temp(struct temp *t, const struct file_out *f)
{
	int n = snprintf(t->name, sizeof(t->name), ".%s.%ld", f->name,
			 (long)getpid());

	CHECK(n > 0 && (size_t)n < sizeof(t->name));
}

static int open_named(int dir, const struct file_out *f, struct temp *t)
{
	name_temp(t, f);
	t->fd = openat(dir, t->name,
		       O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		       f->mode);
	return t->fd < 0 ? -errno : 0;
}

static void link_of(int fd, char *path, size_t cap)
{
	snprintf(path, cap, "/proc/self/fd/%d", fd);
}

/* Not every file system has O_TMPFILE, and its name comes by way of /proc. */
static int open_temp(int dir, const struct file_out *f, struct temp *t)
{
	char path[40];

	*t = (struct temp){ .fd = openat(dir, ".",
					 O_WRONLY | O_TMPFILE | O_CLOEXEC,
					 f->mode) };
	if (t->fd < 0)
		return open_named(dir, f, t);
	link_of(t->fd, path, sizeof(path));
	if (!access(path, F_OK))
		return 0;
	close(t->fd);
	return open_named(dir, f, t);
}

static void drop_temp(int dir, struct temp *t)
{
	close(t->fd);
	if (t->name[0])
		unlinkat(dir, t->name, 0);
}

static int write_temp(int dir, const struct file_out *f, struct temp *t)
{
	int rc = open_temp(dir, f, t);

	if (rc)
		return rc;
	rc = f->base64 ? write_base64(t->fd, f)
		       : write_all(t->fd, f->bytes, f->len);
	if (rc)
		drop_temp(dir, t);
	return rc;
}

/* A name for a file without one; it must be free. */
static int give_name(int dir, int fd, const char *name)
{
	char path[40];

	link_of(fd, path, sizeof(path));
	return linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW) ? -errno
								    : 0;
}

/* NFS, 9p and others know no rename that spares what is there, but do link. */
static int rename_to_free(int dir, struct temp *t, const char *name)
{
	int rc = renameat2(dir, t->name, dir, name, RENAME_NOREPLACE) ? -errno
								      : 0;

	if (rc != -EINVAL && rc != -ENOSYS)
		return rc;
	if (linkat(dir, t->name, dir, name, 0))
		return -errno;
	(void)unlinkat(dir, t->name, 0);
	return 0;
}

static int publish(int dir, const struct file_out *f, struct temp *t,
		   bool force)
{
	int rc;

	if (!force)
		return t->name[0] ? rename_to_free(dir, t, f->name)
				  : give_name(dir, t->fd, f->name);
	if (!t->name[0]) {
		/* Replacing takes a rename, and that takes a name. */
		name_temp(t, f);
		rc = give_name(dir, t->fd, t->name);
		if (rc)
			return rc;
	}
	return renameat(dir, t->name, dir, f->name) ? -errno : 0;
}

static int open_dir(const char *path)
{
	int fd;

	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The name that is in the way, if any: asked before anything is written. */
static const char *find_existing(int dir, const struct file_out *set, size_t n)
{
	struct stat st;

	for (size_t i = 0; i < n; i++)
		if (!fstatat(dir, set[i].name, &st, AT_SYMLINK_NOFOLLOW))
			return set[i].name;
	return NULL;
}

static int write_set(int dir, const struct file_out *set, size_t n, bool force)
{
	struct temp temp[FILE_SET_MAX];
	size_t made = 0, out = 0;
	int rc = 0;

	for (; made < n && !rc; made += !rc)
		rc = write_temp(dir, &set[made], &temp[made]);
	for (; out < n && !rc; out += !rc)
		rc = publish(dir, &set[out], &temp[out], force);
	for (size_t i = 0; i < made; i++) {
		if (i < out)
			temp[i].name[0] = '\0'; /* it is in its place */
		if (i < out && rc && !force)
			unlinkat(dir, set[i].name, 0);
		drop_temp(dir, &temp[i]);
	}
	if (!rc && fsync(dir))
		rc = -errno;
	return rc;
}

int files_write_set(const char *dir, const struct file_out *set, size_t n,
		    bool force)
{
	int fd = open_dir(dir), rc;
	const char *old;

	CHECK(n <= FILE_SET_MAX);
	if (fd < 0) {
		log_error("cannot use directory %s: %s", dir, strerror(-fd));
		return fd;
	}
	old = force ? NULL : find_existing(fd, set, n);
	if (old) {
		log_error("%s/%s exists; name another directory, or give "
			  "--force to replace it",
			  dir, old);
		rc = -EEXIST;
	} else {
		rc = write_set(fd, set, n, force);
		if (rc)
			log_error("cannot write into %s: %s", dir,
				  strerror(-rc));
	}
	close(fd);
	return rc;
}
