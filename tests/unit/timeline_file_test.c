/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timeline_file_test: files that are refused, and what is in those that are
 * not.
 */
#include "vmm/timeline_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/timeline_file_test.XXXXXX";

static const char *path_of(const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void refused(void **state)
{
	struct timeline_file f;

	(void)state;
	assert_int_equal(mkfifo(path_of("fifo.json"), 0600), 0);
	assert_int_equal(timeline_file_open(&f, path_of("fifo.json")), -ENXIO);
	assert_int_equal(mkdir(path_of("dir.json"), 0700), 0);
	assert_int_equal(timeline_file_open(&f, path_of("dir.json")), -EISDIR);
	assert_int_equal(timeline_file_open(&f, path_of("no/x.json")), -ENOENT);
	assert_int_equal(timeline_file_open(&f, "/dev/null"), -EINVAL);
	assert_false(f.open);
	assert_int_equal(timeline_file_open(&f, NULL), 0);
	assert_false(f.open);
}

/* One that another VM is going to write is not emptied. */
static void in_use(void **state)
{
	const char *path = path_of("x.json");
	struct timeline_file f, second;
	struct stat st;

	(void)state;
	assert_int_equal(timeline_file_open(&f, path), 0);
	assert_int_equal(write(f.fd, "first", 5), 5);
	assert_int_equal(timeline_file_open(&second, path), -EAGAIN);
	assert_false(second.open);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 5);
	close(f.fd);
	assert_int_equal(timeline_file_open(&f, path), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 0);
	close(f.fd);
}

/* A run that came to nothing has a time line, too. */
static void written(void **state)
{
	static const char *const names[] = { "x.json", "x.svg" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct config c = { .timeline = path_of(names[i]) };
		static struct timeline t;
		struct timeline_file f;
		char text[16] = "";
		FILE *in;

		timeline_start(&t);
		timeline_phase(&t, "configuration");
		assert_int_equal(timeline_file_open(&f, c.timeline), 0);
		timeline_file_close(&f, &t, &c);
		assert_false(f.open);
		in = fopen(c.timeline, "r");
		assert_non_null(in);
		assert_non_null(fgets(text, sizeof(text), in));
		fclose(in);
		assert_int_equal(strncmp(text, i ? "<svg " : "{", i ? 5 : 1),
				 0);
		if (!i) {
			json_t *v = json_load_file(c.timeline, 0, NULL);

			assert_true(json_is_true(json_object_get(v, "ended")));
			json_decref(v);
		}
	}
}

/* No room: one line, and carrel ends as it would have. */
static void full(void **state)
{
	struct config c = { .timeline = "/dev/full.json" };
	static struct timeline t;
	struct timeline_file f = { .open = true };
	FILE *out = fopen("/dev/full", "we");

	(void)state;
	assert_non_null(out);
	timeline_start(&t);
	f.fd = dup(fileno(out));
	timeline_file_close(&f, &t, &c);
	assert_false(f.open);
	fclose(out);
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	static const char *const files[] = { "fifo.json", "x.json", "x.svg" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		unlink(path_of(files[i]));
	rmdir(path_of("dir.json"));
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),
		cmocka_unit_test(in_use),
		cmocka_unit_test(written),
		cmocka_unit_test(full),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
