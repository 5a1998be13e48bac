/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chardev_file: a file that a guest fills. At its limit it changes names with
 * PATH.1, which was opened at the start and is emptied first: the sandbox opens
 * nothing, and who reads PATH finds one at every moment. Both are locked from
 * the start to the end, whatever they are called meanwhile.
 */
#include "devices/chardev_open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/file.h"
#include "vmm/log.h"

#define FLAGS (O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
#define MODE 0600

/* Whatever is in it stays until it is needed. */
static int open_older(struct chardev_file *f)
{
	int fd = open(f->older, FLAGS | O_CREAT | O_EXCL, MODE);
	struct stat st;

	f->ours = fd >= 0;
	if (fd < 0 && errno == EEXIST)
		fd = open(f->older, FLAGS | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	f->older_fd = fd;
	return fstat(fd, &st) || !S_ISREG(st.st_mode) ? -EINVAL : 0;
}

static int limit(struct chardev *c, uint64_t max)
{
	int rc;

	if (asprintf(&c->log.older, "%s.1", c->path) < 0) {
		c->log.older = NULL;
		return -ENOMEM;
	}
	c->log.max = max;
	rc = open_older(&c->log);
	if (!rc)
		return file_claim(c->log.older_fd, c->log.older, c->name);
	log_error("%s %s: %s; it takes what does not fit into %s, unless that "
		  "has max=0",
		  c->name, c->log.older, strerror(-rc), c->path);
	return rc;
}

/* Emptied last: only once all that it needs is ours. */
static int begin(struct chardev *c, uint64_t max)
{
	int rc = file_claim(c->out_fd, c->path, c->name);
	struct stat st;

	/* A pipe, a terminal or /dev/null does not grow. */
	if (rc || fstat(c->out_fd, &st) || !S_ISREG(st.st_mode))
		return rc;
	if (max)
		rc = limit(c, max);
	if (!rc && ftruncate(c->out_fd, 0)) {
		rc = -errno;
		log_error("%s %s: cannot be emptied: %s", c->name, c->path,
			  strerror(-rc));
	}
	return rc;
}

int chardev_file_open(struct chardev *c, uint64_t max)
{
	int rc;

	c->out_fd = open(c->path, FLAGS | O_CREAT, MODE);
	if (c->out_fd >= 0)
		return begin(c, max);
	rc = -errno;
	log_error("%s %s: %s", c->name, c->path, strerror(-rc));
	return rc;
}

void chardev_file_rotate(struct chardev *c)
{
	struct chardev_file *f = &c->log;
	int fd = f->older_fd;

	/* One that cannot be emptied, or is not there any more, begins anew. */
	if (ftruncate(fd, 0) ||
	    renameat2(AT_FDCWD, c->path, AT_FDCWD, f->older, RENAME_EXCHANGE)) {
		fd = c->out_fd;
		c->out_broken = ftruncate(fd, 0) != 0;
	} else {
		f->older_fd = c->out_fd;
		c->out_fd = fd;
	}
	f->ours = false;
	f->len = 0;
	c->out_full = false;
}

void chardev_file_close(struct chardev *c)
{
	struct chardev_file *f = &c->log;

	if (f->ours)
		unlink(f->older);
	if (f->older_fd >= 0)
		close(f->older_fd);
	free(f->older);
	*f = (struct chardev_file){ .older_fd = -1 };
}
