/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree_rig: device trees in files without a name, the examples of docs/ through
 * dtc, and what is said of a tree that is refused.
 */
#ifndef CARREL_TESTS_UNIT_TREE_RIG_H
#define CARREL_TESTS_UNIT_TREE_RIG_H

#include <errno.h>
#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/capture.h"
#include "vmm/config.h"

#define TREE_MAX 65536

/* A scratch file by name, so that config can open it. */
struct scratch {
	int fd;
	char path[32];
};

static inline struct scratch scratch_open(void)
{
	struct scratch s = { .fd = memfd_create("tree", 0) };

	assert_true(s.fd >= 0);
	snprintf(s.path, sizeof(s.path), "/proc/self/fd/%d", s.fd);
	return s;
}

static inline void scratch_put(const struct scratch *s, const void *bytes,
			       size_t len)
{
	assert_int_equal(ftruncate(s->fd, 0), 0);
	assert_int_equal(pwrite(s->fd, bytes, len, 0), (ssize_t)len);
}

/* dtc's output for a source on its standard input. */
static inline void compile(const struct scratch *out, const char *source)
{
	char command[160];
	FILE *f;

	snprintf(command, sizeof(command),
		 "dtc -q -q -f -I dts -O dtb -o /proc/%d/fd/%d -", getpid(),
		 out->fd);
	assert_int_equal(ftruncate(out->fd, 0), 0);
	f = popen(command, "w");
	assert_non_null(f);
	assert_true(fputs(source, f) >= 0);
	assert_int_equal(pclose(f), 0);
}

static inline int parse(struct config *c, const char *const *more,
			const char *path, char *text, size_t cap)
{
	char *argv[32] = { (char *)"carrel", (char *)"run",
			   (char *)"--config" };
	struct capture err = capture_begin();
	int argc = 3, rc;

	argv[argc++] = (char *)(uintptr_t)path;
	while (more && *more)
		argv[argc++] = (char *)(uintptr_t)*more++;
	rc = config_parse(c, argc, argv);
	capture_end(&err, text, cap);
	return rc;
}

static inline char *slurp(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, TREE_MAX);

	if (!f || !text)
		fail_msg("%s: run tests in the root of the tree", path);
	assert_true(fread(text, 1, TREE_MAX - 1, f) > 0);
	fclose(f);
	return text;
}

/* A compiled example; its length. */
static inline size_t example(const char *path, uint8_t *tree)
{
	struct scratch s = scratch_open();
	char *source = slurp(path);
	ssize_t n;

	compile(&s, source);
	n = pread(s.fd, tree, TREE_MAX, 0);
	assert_true(n > 0);
	free(source);
	close(s.fd);
	return (size_t)n;
}

#endif
