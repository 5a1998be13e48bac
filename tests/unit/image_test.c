/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_test: lists that are full, parts that do not fit memory, and what a
 * load and a second load leave there. vmm/file is tested here too: it feeds
 * images.
 */
#include "vmm/image.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "vmm/file.h"

#define RAM (4 * MIB)
#define ROM_LEN 0x10000u
#define ROM_BASE (0x100000000ull - ROM_LEN)

static void full_lists(void **state)
{
	const struct image_part part = { .name = "p" };
	const struct image_item item = { .key = 1 };
	struct image im;

	(void)state;
	image_open(&im);
	for (size_t i = 0; i < IMAGE_PARTS; i++)
		assert_int_equal(image_add_part(&im, &part), 0);
	assert_int_equal(image_add_part(&im, &part), -ENOSPC);
	for (size_t i = 0; i < IMAGE_ITEMS; i++)
		assert_int_equal(image_add_item(&im, &item), 0);
	assert_int_equal(image_add_item(&im, &item), -ENOSPC);
	for (size_t i = 0; i < ARRAY_LEN(im.owned); i++)
		assert_int_equal(image_own(&im, malloc(1)), 0);
	assert_int_equal(image_own(&im, &im), -ENOSPC);
	image_close(&im);
	assert_int_equal(im.n_parts + im.n_items + im.n_owned, 0);
}

static void parts_that_do_not_fit(void **state)
{
	static const uint8_t rom[ROM_LEN];
	const struct {
		const char *name;
		struct image_part part;
		int rc;
	} t[] = {
		{ "past RAM",
		  { "p", PART_PLAIN, { RAM - 1 }, false, rom, 2, 0 },
		  -EFAULT },
		{ "in the hole",
		  { "p", PART_MEASURED, { 3 * GIB }, false, rom, 16, 0 },
		  -EFAULT },
		{ "wraps",
		  { "p", PART_PLAIN, { ~0ull }, false, rom, 2, 0 },
		  -EFAULT },
		{ "ROM over RAM",
		  { "p", PART_MEASURED, { 0 }, true, rom, ROM_LEN, 0 },
		  -EEXIST },
		{ "ROM of odd size",
		  { "p", PART_MEASURED, { ROM_BASE }, true, rom, 100, 0 },
		  -EINVAL },
		{ "at the end of RAM",
		  { "p", PART_PLAIN, { RAM - 2 }, false, rom, 2, 0 },
		  0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct gmem m;
		struct image im;

		image_open(&im);
		assert_int_equal(gmem_open(&m, RAM), 0);
		assert_int_equal(image_add_part(&im, &t[i].part), 0);
		if (image_load(&im, &m) != t[i].rc)
			fail_msg("%s", t[i].name);
		gmem_close(&m);
	}
}

static void load_twice(void **state)
{
	static uint8_t rom[ROM_LEN] = { [0] = 0x11, [ROM_LEN - 1] = 0x22 };
	static const uint8_t table[16] = "hash table here";
	const struct image_part parts[] = {
		{ "firmware",
		  PART_MEASURED,
		  { ROM_BASE },
		  true,
		  rom,
		  ROM_LEN,
		  0 },
		{ "hashes", PART_MEASURED, { 0x2000 }, false, table, 16, 0 },
	};
	struct image im;
	struct gmem m;
	uint8_t b[16];

	(void)state;
	image_open(&im);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		assert_int_equal(image_add_part(&im, &parts[i]), 0);
	assert_int_equal(gmem_open(&m, RAM), 0);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(image_load(&im, &m), 0);
		assert_int_equal(m.n, 2);
		assert_int_equal(gmem_read(&m, parts[1].at, b, 16), 0);
		assert_memory_equal(b, table, 16);
		assert_int_equal(gmem_write(&m, parts[1].at, "x", 1), 0);
		assert_int_equal(gmem_read(&m, (gpa_t){ 0xffffffff }, b, 1), 0);
		assert_int_equal(b[0], 0x22);
	}
	/* ROM stays out of a device's reach. */
	assert_int_equal(gmem_write(&m, parts[0].at, "x", 1), -EACCES);
	gmem_close(&m);
	image_close(&im);
}

/* Zeros behind a part's bytes, at every load; outside of RAM they are none. */
static void zeros(void **state)
{
	static const uint8_t bytes[2] = { 1, 2 };
	const struct image_part part = { .name = "p",
					 .at = { RAM - 6 },
					 .bytes = bytes,
					 .len = 2,
					 .zeros = 3 };
	struct image im;
	struct gmem m;
	uint8_t b[8];

	(void)state;
	image_open(&im);
	assert_int_equal(gmem_open(&m, RAM), 0);
	assert_int_equal(image_add_part(&im, &part), 0);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(gmem_fill(&m, (gpa_t){ RAM - 8 }, 9, 8), 0);
		assert_int_equal(image_load(&im, &m), 0);
		assert_int_equal(gmem_read(&m, (gpa_t){ RAM - 8 }, b, 8), 0);
		assert_memory_equal(b, "\11\11\1\2\0\0\0\11", 8);
	}
	im.part[0].zeros = 5;
	assert_int_equal(image_load(&im, &m), -EFAULT);
	im.part[0].zeros = ~0ull;
	assert_int_equal(image_load(&im, &m), -EFAULT);
	gmem_close(&m);
}

/* Another ROM where one is already: not taken for a second load. */
static void another_rom(void **state)
{
	static const uint8_t rom[2 * ROM_LEN];
	const struct image_part first = { "a",	PART_PLAIN, { ROM_BASE },
					  true, rom,	    ROM_LEN,
					  0 };
	const struct image_part second = {
		"b",	     PART_PLAIN, { ROM_BASE - ROM_LEN }, true, rom,
		2 * ROM_LEN, 0
	};
	struct image im;
	struct gmem m;

	(void)state;
	image_open(&im);
	assert_int_equal(gmem_open(&m, RAM), 0);
	assert_int_equal(image_add_part(&im, &first), 0);
	assert_int_equal(image_load(&im, &m), 0);
	im.part[0] = second;
	assert_int_equal(image_load(&im, &m), -EEXIST);
	im.part[0] = first;
	im.part[0].len = ROM_LEN / 2;
	assert_int_equal(image_load(&im, &m), -EEXIST);
	gmem_close(&m);
}

/* A scratch directory with one file of each kind. */
static char dir[] = "/tmp/carrel-image-XXXXXX";

static const char *in_dir(const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int make_files(void **state)
{
	int fd;

	(void)state;
	if (!mkdtemp(dir) || mkfifo(in_dir("fifo"), 0600) ||
	    mkdir(in_dir("dir"), 0700))
		return -1;
	fd = open(in_dir("empty"), O_CREAT | O_WRONLY, 0600);
	close(fd);
	fd = open(in_dir("five"), O_CREAT | O_WRONLY, 0600);
	if (write(fd, "12345", 5) != 5)
		return -1;
	close(fd);
	return 0;
}

static int remove_files(void **state)
{
	(void)state;
	unlink(in_dir("fifo"));
	unlink(in_dir("empty"));
	unlink(in_dir("five"));
	rmdir(in_dir("dir"));
	return rmdir(dir);
}

static void files(void **state)
{
	static const struct {
		const char *name;
		uint64_t max;
		int rc;
	} t[] = {
		{ "missing", 5, -ENOENT }, { "dir", 5, -EISDIR },
		{ "fifo", 5, -EINVAL },	   { "empty", 5, -ENODATA },
		{ "five", 4, -EFBIG },	   { "five/x", 4, -ENOTDIR },
		{ "five", 5, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		uint8_t *out = NULL;
		size_t len = 0;
		int rc = file_read(in_dir(t[i].name), "test", t[i].max, &out,
				   &len);

		if (rc != t[i].rc)
			fail_msg("%s: %d", t[i].name, rc);
		if (!rc) {
			assert_int_equal(len, 5);
			assert_memory_equal(out, "12345", 5);
		}
		free(out);
	}
	assert_int_equal(file_read("/dev/zero", "test", 5, &(uint8_t *){ 0 },
				   &(size_t){ 0 }),
			 -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_lists),
		cmocka_unit_test(parts_that_do_not_fit),
		cmocka_unit_test(load_twice),
		cmocka_unit_test(zeros),
		cmocka_unit_test(another_rom),
		cmocka_unit_test_setup_teardown(files, make_files,
						remove_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
