/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vma: see the header. Reads through the stub page with a buffer of its own,
 * for the program may be sandboxed by the time it maps something new.
 */
#include "sev/emu/vma.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "sev/emu/stub.h"

static const char *hex(const char *s, uint64_t *v)
{
	*v = 0;
	for (;; s++) {
		if (*s >= '0' && *s <= '9')
			*v = *v << 4 | (uint64_t)(*s - '0');
		else if (*s >= 'a' && *s <= 'f')
			*v = *v << 4 | (uint64_t)(*s - 'a' + 10);
		else
			return s;
	}
}

static const char *decimal(const char *s, uint64_t *v)
{
	for (*v = 0; *s >= '0' && *s <= '9'; s++)
		*v = *v * 10 + (uint64_t)(*s - '0');
	return s;
}

/* "start-end rwxp offset major:minor inode path" */
bool vma_parse(const char *s, struct vma *out)
{
	struct vma v = { 0 };
	uint64_t minor;

	s = hex(s, &v.start);
	if (*s++ != '-')
		return false;
	s = hex(s, &v.end);
	if (*s++ != ' ' || strnlen(s, 5) < 5)
		return false;
	v.prot = (s[0] == 'r' ? PROT_READ : 0) |
		 (s[1] == 'w' ? PROT_WRITE : 0) | (s[2] == 'x' ? PROT_EXEC : 0);
	v.shared = s[3] == 's';
	s = hex(s + 5, &v.offset);
	if (*s++ != ' ')
		return false;
	s = hex(s, &v.device);
	if (*s++ != ':')
		return false;
	s = hex(s, &minor);
	v.device = v.device << 32 | minor;
	if (*s++ != ' ')
		return false;
	decimal(s, &v.inode);
	*out = v;
	return v.start < v.end;
}

static bool continues(const struct vma *a, const struct vma *b)
{
	return a->end == b->start && a->prot == b->prot &&
	       a->shared == b->shared && a->inode == b->inode &&
	       a->device == b->device &&
	       (!a->inode || a->offset + (a->end - a->start) == b->offset);
}

struct scan {
	struct vma run; /* neighbours joined so far */
	uint64_t at, len;
};

/* Takes one line; true: the search is over. */
static bool scan_line(struct scan *s, const char *line)
{
	struct vma v;

	if (!vma_parse(line, &v))
		return false;
	if (continues(&s->run, &v)) {
		s->run.end = v.end;
		return false;
	}
	if (s->at >= s->run.start && s->at < s->run.end)
		return true;
	s->run = v;
	return false;
}

static void scan_file(struct scan *s, int fd)
{
	char buf[1024];
	size_t have = 0, from, i;
	long n;

	while ((n = STUB(SYS_read, fd, buf + have, sizeof buf - have, 0, 0,
			 0)) > 0) {
		have += (size_t)n;
		for (from = i = 0; i < have; i++) {
			if (buf[i] != '\n')
				continue;
			buf[i] = 0;
			if (scan_line(s, buf + from))
				return;
			from = i + 1;
		}
		/* A path longer than the buffer: its head was enough. */
		if (!from && have == sizeof buf)
			have = 0;
		bytes_move(buf, sizeof buf, buf + from, have - from);
		have -= from;
	}
}

int vma_find(uint64_t at, uint64_t len, struct vma *out)
{
	struct scan s = { .at = at, .len = len };
	int fd = (int)STUB(SYS_openat, AT_FDCWD, "/proc/self/maps",
			   O_RDONLY | O_CLOEXEC, 0, 0, 0);

	if (fd < 0)
		return fd;
	scan_file(&s, fd);
	stub_close(fd);
	if (at < s.run.start ||
	    !range_ok(at - s.run.start, len, s.run.end - s.run.start))
		return -EFAULT;
	*out = s.run;
	return 0;
}
