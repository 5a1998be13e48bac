/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture: what a call writes to standard error, for tests of log lines.
 */
#ifndef CARREL_TESTS_UNIT_CAPTURE_H
#define CARREL_TESTS_UNIT_CAPTURE_H

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/num.h"

struct capture {
	int saved, fd;
};

static inline struct capture capture_begin(void)
{
	struct capture c = { dup(STDERR_FILENO), memfd_create("log", 0) };

	CHECK(c.saved >= 0 && c.fd >= 0);
	CHECK(dup2(c.fd, STDERR_FILENO) == STDERR_FILENO);
	return c;
}

/* Standard error as it was; the text, cut to cap - 1 bytes, in buf. */
static inline size_t capture_end(struct capture *c, char *buf, size_t cap)
{
	ssize_t n = pread(c->fd, buf, cap - 1, 0);

	CHECK(dup2(c->saved, STDERR_FILENO) == STDERR_FILENO);
	CHECK(n >= 0);
	buf[n] = '\0';
	close(c->saved);
	close(c->fd);
	return (size_t)n;
}

#endif
