/* SPDX-License-Identifier: Apache-2.0 */
/*
 * owner_secret_test: tables of secrets: what cannot be added, what a hostile
 * table may claim, and what a good one looks like.
 */
#include "sev/owner/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/owner_rig.h"

static char dir[] = "/tmp/owner_secret_XXXXXX";

static const char *file(const char *name, size_t len, char fill)
{
	static char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	for (size_t i = 0; i < len; i++)
		fputc(fill, f);
	fclose(f);
	return path;
}

static const uint8_t guid_a[GUID_LEN] = { 1 }, guid_b[GUID_LEN] = { 2 };

static void refused_entries(void **state)
{
	struct secret_table *t = keys_alloc(sizeof(*t));
	size_t len;

	(void)state;
	secret_table_init(t);
	assert_int_equal(secret_table_add(t, guid_a, "/nonexistent", false),
			 -ENOENT);
	assert_int_equal(secret_table_add(t, guid_a, dir, false), -EISDIR);
	assert_int_equal(secret_table_add(t, guid_a, file("e", 0, 0), true),
			 -EINVAL);
	/* One byte more than a packet can carry. */
	assert_int_equal(secret_table_add(t, guid_a,
					  file("big", SEV_SECRET_MAX - 39, 1),
					  false),
			 -EFBIG);
	assert_int_equal(t->len, 20);
	for (size_t i = 20; i < sizeof(t->bytes); i++)
		assert_int_equal(t->bytes[i], 0);
	assert_int_equal(secret_table_add(t, guid_a,
					  file("fits", SEV_SECRET_MAX - 40, 1),
					  false),
			 0);
	len = t->len;
	assert_int_equal(len, SEV_SECRET_MAX);
	assert_int_equal(secret_table_add(t, guid_b, file("e", 0, 0), false),
			 -ENOSPC);
	assert_int_equal(secret_table_add(t, guid_a, file("e", 0, 0), false),
			 -EEXIST);
	assert_int_equal(t->len, len);
	keys_free(t, sizeof(*t));
}

static void good_table(void **state)
{
	struct secret_entry entry[SECRET_ENTRIES_MAX];
	struct secret_table *t = keys_alloc(sizeof(*t));

	(void)state;
	secret_table_init(t);
	assert_int_equal(secret_table_parse(t->bytes, t->len, entry), 0);
	assert_int_equal(secret_table_add(t, guid_a, file("p", 7, 'p'), true),
			 0);
	assert_int_equal(secret_table_add(t, guid_b, file("e", 0, 0), false),
			 0);
	assert_int_equal(t->len, 20 + 27 + 20);
	assert_int_equal(secret_table_parse(t->bytes, t->len, entry), 2);
	assert_int_equal(secret_table_parse(t->bytes, sizeof(t->bytes), entry),
			 2);
	assert_memory_equal(entry[0].guid, guid_a, GUID_LEN);
	assert_int_equal(entry[0].len, 7);
	assert_memory_equal(entry[0].data, "ppppppp", 7);
	assert_memory_equal(entry[1].guid, guid_b, GUID_LEN);
	assert_int_equal(entry[1].len, 0);
	keys_free(t, sizeof(*t));
}

/* A valid table of one entry of 4 bytes, with one length overwritten. */
static void lying_lengths(void **state)
{
	static const struct {
		const char *name;
		size_t at;
		uint32_t value;
		int rc;
	} t[] = {
		{ "total 0", 16, 0, -EINVAL },
		{ "total below its own head", 16, 19, -EINVAL },
		{ "total beyond the buffer", 16, 45, -EINVAL },
		{ "total wraps", 16, UINT32_MAX, -EINVAL },
		{ "total cuts an entry", 16, 43, -EINVAL },
		{ "total cuts an entry's head", 16, 30, -EINVAL },
		{ "entry 0, for ever", 36, 0, -EINVAL },
		{ "entry below its head", 36, 19, -EINVAL },
		{ "entry beyond the table", 36, 25, -EINVAL },
		{ "entry wraps", 36, UINT32_MAX, -EINVAL },
		{ "entry leaves a rest", 36, 23, -EINVAL },
		{ "no entry", 16, 20, 0 },
		{ "untouched", 16, 44, 1 },
	};
	struct secret_entry entry[SECRET_ENTRIES_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct secret_table *s = calloc(1, sizeof(*s));
		uint8_t exact[44];

		secret_table_init(s);
		assert_int_equal(
			secret_table_add(s, guid_a, file("f", 4, 'f'), false),
			0);
		put_le32(s->bytes + t[i].at, t[i].value);
		bytes_copy(exact, sizeof(exact), s->bytes, s->len);
		print_message("%s\n", t[i].name);
		assert_int_equal(
			secret_table_parse(exact, sizeof(exact), entry),
			t[i].rc);
		free(s);
	}
}

static void too_many_entries(void **state)
{
	struct secret_entry entry[SECRET_ENTRIES_MAX];
	struct secret_table *t = calloc(1, sizeof(*t));

	(void)state;
	secret_table_init(t);
	for (unsigned i = 0; i <= SECRET_ENTRIES_MAX; i++) {
		uint8_t guid[GUID_LEN] = { (uint8_t)i, 9 };
		int n = secret_table_parse(t->bytes, t->len, entry);

		assert_int_equal(n, i);
		assert_int_equal(
			secret_table_add(t, guid, file("e", 0, 0), false), 0);
	}
	assert_int_equal(secret_table_parse(t->bytes, t->len, entry), -EINVAL);
	free(t);
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	static const char *const names[] = { "e", "big", "fits", "p", "f" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_entries),
		cmocka_unit_test(lying_lengths),
		cmocka_unit_test(too_many_entries),
		cmocka_unit_test(good_table),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
