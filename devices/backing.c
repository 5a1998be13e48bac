/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backing: see the header.
 */
#include "devices/backing.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/file.h"
#include "vmm/log.h"

/* One step of writing zeroes where the file system knows no better way. */
#define ZERO_STEP (64 * KIB)

static int refuse_size(const char *path, off_t end)
{
	log_error("disk '%s': %lld bytes: a disk is a positive multiple of "
		  "%u bytes",
		  path, (long long)end, BACKING_SECTOR);
	return -EINVAL;
}

static int refuse_lock(const char *path, int rc, bool readonly)
{
	if (rc == -EAGAIN || rc == -EACCES)
		log_error("disk '%s' is in use by another process%s", path,
			  readonly ? " that writes to it"
				   : " (readonly=on can be shared)");
	else
		log_error("disk '%s': cannot be locked: %s", path,
			  strerror(-rc));
	return rc;
}

int backing_open(struct backing *b, const char *path, bool readonly)
{
	/* Not blocking: a FIFO must be refused below, not waited for. */
	int fd = open(path,
		      (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	off_t end;
	int rc;

	if (fd < 0) {
		rc = -errno;
		log_error("disk '%s': %s", path, strerror(-rc));
		return rc;
	}
	if (fstat(fd, &st) || !(S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))) {
		log_error("disk '%s': neither a file nor a block device", path);
		rc = -EINVAL;
		goto fail;
	}
	rc = file_lock(fd, readonly);
	if (rc) {
		rc = refuse_lock(path, rc, readonly);
		goto fail;
	}
	/* After the lock: nobody who honours it can change the size now. */
	end = lseek(fd, 0, SEEK_END);
	if (end <= 0 || end % BACKING_SECTOR) {
		rc = refuse_size(path, end);
		goto fail;
	}
	*b = (struct backing){ .path = path,
			       .fd = fd,
			       .bytes = (uint64_t)end,
			       .readonly = readonly,
			       .device = S_ISBLK(st.st_mode) };
	return 0;
fail:
	close(fd);
	return rc;
}

int backing_resize(struct backing *b, uint64_t bytes, uint64_t *found)
{
	off_t end = lseek(b->fd, 0, SEEK_END);

	if (end < 0)
		return -errno;
	*found = (uint64_t)end;
	if (!bytes)
		bytes = *found;
	if (bytes % BACKING_SECTOR)
		return -EINVAL;
	if (bytes < b->bytes)
		return -ERANGE;
	/* Others may have written behind its old end: nothing is cut off. */
	if (bytes < *found)
		return -EPERM;
	if (bytes > *found) {
		if (b->readonly || b->device)
			return -EPERM;
		if (bytes > INT64_MAX || ftruncate(b->fd, (off_t)bytes))
			return bytes > INT64_MAX ? -EFBIG : -errno;
	}
	atomic_store(&b->bytes, bytes);
	return 0;
}

void backing_close(struct backing *b)
{
	close(b->fd);
	b->fd = -1;
}

/* Steps over done bytes. */
static void span_advance(struct backing_span *s, size_t done)
{
	s->off += done;
	while (s->n && done >= s->iov->iov_len) {
		done -= s->iov->iov_len;
		s->iov++;
		s->n--;
	}
	if (s->n) {
		s->iov->iov_base = (uint8_t *)s->iov->iov_base + done;
		s->iov->iov_len -= done;
	}
}

typedef ssize_t vector_fn(int fd, const struct iovec *iov, int n, off_t off,
			  int flags);

static int transfer(vector_fn *fn, int fd, struct backing_span *s, int flags)
{
	while (s->n) {
		ssize_t done = fn(fd, s->iov, s->n, (off_t)s->off, flags);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		if (done == 0)
			return -EIO;
		span_advance(s, (size_t)done);
	}
	return 0;
}

int backing_read(const struct backing *b, struct backing_span *s)
{
	return transfer(preadv2, b->fd, s, 0);
}

int backing_write(const struct backing *b, struct backing_span *s)
{
	return transfer(pwritev2, b->fd, s, 0);
}

/* Not every file system can tell (ext4, when it writes, cannot). */
static int try_transfer(vector_fn *fn, int fd, struct backing_span *s)
{
	int rc = transfer(fn, fd, s, RWF_NOWAIT);

	return rc == -EOPNOTSUPP ? -EAGAIN : rc;
}

int backing_try_read(const struct backing *b, struct backing_span *s)
{
	return try_transfer(preadv2, b->fd, s);
}

int backing_try_write(const struct backing *b, struct backing_span *s)
{
	return try_transfer(pwritev2, b->fd, s);
}

int backing_flush(const struct backing *b)
{
	return fdatasync(b->fd) ? -errno : 0;
}

static int allocate(const struct backing *b, int mode, uint64_t off,
		    uint64_t len)
{
	int rc;

	do
		rc = fallocate(b->fd, mode | FALLOC_FL_KEEP_SIZE, (off_t)off,
			       (off_t)len);
	while (rc && errno == EINTR);
	return rc ? -errno : 0;
}

/*
 * Can it not be done here? EINVAL is a block device's word for a range that is
 * not in whole sectors of its own, which may be larger than a guest's.
 */
static bool unable(int rc)
{
	return rc == -EOPNOTSUPP || rc == -EINVAL;
}

int backing_discard(const struct backing *b, uint64_t off, uint64_t len)
{
	int rc = allocate(b, FALLOC_FL_PUNCH_HOLE, off, len);

	return unable(rc) ? 0 : rc;
}

static int write_zeroes(const struct backing *b, uint64_t off, uint64_t len)
{
	static const uint8_t zero[ZERO_STEP];
	int rc = 0;

	while (!rc && len) {
		size_t step = (size_t)min_u64(len, sizeof(zero));
		struct iovec v = { (void *)(uintptr_t)zero, step };
		struct backing_span s = { &v, 1, off };

		rc = backing_write(b, &s);
		off += step;
		len -= step;
	}
	return rc;
}

int backing_zero(const struct backing *b, uint64_t off, uint64_t len,
		 bool unmap)
{
	int rc = -EOPNOTSUPP;

	if (unmap)
		rc = allocate(b, FALLOC_FL_PUNCH_HOLE, off, len);
	if (unable(rc))
		rc = allocate(b, FALLOC_FL_ZERO_RANGE, off, len);
	/* tmpfs, for one, can punch holes but not zero a range. */
	return unable(rc) ? write_zeroes(b, off, len) : rc;
}
