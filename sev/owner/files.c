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

static void temp_name(char *out, size_t cap, const char *name)
{
	int n = snprintf(out, cap, ".%s.%ld", name, (long)getpid());

	CHECK(n > 0 && (size_t)n < cap);
}

static int write_temp(int dir, const struct file_out *f)
{
	char temp[64];
	int fd, rc;

	temp_name(temp, sizeof(temp), f->name);
	fd = openat(dir, temp,
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		    f->mode);
	if (fd < 0)
		return -errno;
	rc = f->base64 ? write_base64(fd, f) : write_all(fd, f->bytes, f->len);
	if (close(fd) && !rc)
		rc = -errno;
	if (rc)
		unlinkat(dir, temp, 0);
	return rc;
}

static int publish(int dir, const struct file_out *f, bool force)
{
	char temp[64];

	temp_name(temp, sizeof(temp), f->name);
	return renameat2(dir, temp, dir, f->name, force ? 0 : RENAME_NOREPLACE)
		       ? -errno
		       : 0;
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
	size_t made = 0, out = 0;
	int rc = 0;

	for (; made < n && !rc; made += !rc)
		rc = write_temp(dir, &set[made]);
	for (; out < n && !rc; out += !rc)
		rc = publish(dir, &set[out], force);
	if (!rc)
		return fsync(dir) ? -errno : 0;
	for (size_t i = 0; i < made; i++) {
		char temp[64];

		temp_name(temp, sizeof(temp), set[i].name);
		unlinkat(dir, temp, 0);
		if (!force && i < out)
			unlinkat(dir, set[i].name, 0);
	}
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
