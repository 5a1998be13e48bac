/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal: see the header.
 */
#include "sev/emu/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>

#include "sev/emu/stub.h"

/* High enough to leave the numbers that programs expect alone. */
#define LOWEST_FD 200

static uint64_t now_ns(void)
{
	struct timespec t = { 0 };

	(void)STUB(SYS_clock_gettime, CLOCK_MONOTONIC, &t, 0, 0, 0, 0);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int journal_open(struct journal *j, const char *path)
{
	int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
	long fd, high;

	*j = (struct journal){ .fd = -1, .start_ns = now_ns() };
	if (!*path)
		return 0;
	fd = STUB(SYS_openat, AT_FDCWD, path, flags, 0600, 0, 0);
	if (fd < 0)
		return (int)fd;
	high = STUB(SYS_fcntl, fd, F_DUPFD_CLOEXEC, LOWEST_FD, 0, 0, 0);
	stub_close((int)fd);
	if (high < 0)
		return (int)high;
	j->fd = (int)high;
	return 0;
}

void journal_line(const struct journal *j, const char *fmt, ...)
{
	char line[512];
	uint64_t us = (now_ns() - j->start_ns) / 1000;
	va_list ap;
	int n, m;

	if (j->fd < 0)
		return;
	n = snprintf(line, sizeof line, "%llu.%03llu ",
		     (unsigned long long)(us / 1000),
		     (unsigned long long)(us % 1000));
	va_start(ap, fmt);
	m = vsnprintf(line + n, sizeof line - (size_t)n, fmt, ap);
	va_end(ap);
	n = (int)min_u64((uint64_t)n + (uint64_t)(m > 0 ? m : 0),
			 sizeof line - 2);
	line[n++] = '\n';
	(void)STUB(SYS_write, j->fd, line, n, 0, 0, 0);
}
