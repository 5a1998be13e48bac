/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_rig: files for plans to read, in a directory that a test's set-up makes
 * and its tear-down removes.
 */
#ifndef CARREL_TESTS_UNIT_PLAN_RIG_H
#define CARREL_TESTS_UNIT_PLAN_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "vmm/num.h"

static char dir[] = "/tmp/carrel-plan-XXXXXX";

/* Each call has a path of its own, until the test ends. */
static const char *path_of(const char *name)
{
	static char paths[64][64];
	static size_t n;
	char *p = paths[n++ % ARRAY_LEN(paths)];

	snprintf(p, sizeof(paths[0]), "%s/%s", dir, name);
	return p;
}

static void write_file(const char *name, const void *bytes, size_t len)
{
	FILE *f = fopen(path_of(name), "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

#endif
