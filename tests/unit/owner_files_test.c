/* SPDX-License-Identifier: Apache-2.0 */
/*
 * owner_files_test: input that is too long or missing, sets of files that must
 * not half replace old ones, and keys' memory.
 */
#include "sev/owner/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <seccomp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sev/owner/keys.h"
#include "tests/unit/owner_rig.h"

static char dir[] = "/tmp/owner_files_XXXXXX";

static const char *in_dir(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void put(const char *name, const void *p, size_t len)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, len), len);
	close(fd);
}

static void bad_reads(void **state)
{
	uint8_t buf[8];
	size_t len;

	(void)state;
	put("nine", "123456789", 9);
	assert_int_equal(files_read(in_dir("nine"), buf, 8, &len), -EFBIG);
	assert_int_equal(files_read(in_dir("none"), buf, 8, &len), -ENOENT);
	assert_int_equal(files_read(dir, buf, 8, &len), -EISDIR);
	assert_int_equal(files_read("/dev/zero", buf, 8, &len), -EFBIG);
	put("text", "?!\n", 3);
	assert_int_equal(files_read_either(in_dir("text"), buf, 8, &len),
			 -EINVAL);
}

static void good_reads(void **state)
{
	uint8_t buf[16];
	size_t len;

	(void)state;
	put("exact", "12345678", 8);
	assert_int_equal(files_read(in_dir("exact"), buf, 8, &len), 0);
	assert_int_equal(len, 8);
	put("empty", "", 0);
	assert_int_equal(files_read(in_dir("empty"), buf, 8, &len), 0);
	assert_int_equal(len, 0);
	put("b64", "AAEC\nAw==\n", 10);
	assert_int_equal(files_read_either(in_dir("b64"), buf, 16, &len), 0);
	assert_int_equal(len, 4);
	assert_memory_equal(buf, "\0\1\2\3", 4);
	put("raw", "\1\0AA", 4);
	assert_int_equal(files_read_either(in_dir("raw"), buf, 16, &len), 0);
	assert_int_equal(len, 4);
	assert_memory_equal(buf, "\1\0AA", 4);
}

static void has(const char *name, const char *want, mode_t mode)
{
	uint8_t buf[64] = { 0 };
	struct stat st;
	size_t len;

	assert_int_equal(files_read(in_dir(name), buf, sizeof(buf), &len), 0);
	assert_int_equal(len, strlen(want));
	assert_memory_equal(buf, want, len);
	assert_int_equal(stat(in_dir(name), &st), 0);
	assert_int_equal(st.st_mode & 0777, mode);
}

/* No temporary file is left behind. */
static void count_is(const char *sub, int want)
{
	DIR *d = opendir(in_dir(sub));
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	assert_int_equal(n - 2, want);
}

static void sets(void **state)
{
	struct file_out set[] = {
		{ "key", "secret", 6, 0600, false },
		{ "pub", "abcd", 4, 0644, true },
	};
	char out[128];

	(void)state;
	umask(022);
	snprintf(out, sizeof(out), "%s/out", dir);
	assert_int_equal(files_write_set(out, set, 2, false), 0);
	has("out/key", "secret", 0600);
	has("out/pub", "YWJjZA==\n", 0644);
	count_is("out", 2);
	/* One of them is there: none is replaced. */
	assert_int_equal(unlink(in_dir("out/key")), 0);
	set[1].bytes = "efgh";
	assert_int_equal(files_write_set(out, set, 2, false), -EEXIST);
	count_is("out", 1);
	has("out/pub", "YWJjZA==\n", 0644);
	assert_int_equal(files_write_set(out, set, 2, true), 0);
	has("out/pub", "ZWZnaA==\n", 0644);
	count_is("out", 2);
	/* A directory is in the way of the second: the first does not stay. */
	assert_int_equal(unlink(in_dir("out/key")), 0);
	assert_int_equal(unlink(in_dir("out/pub")), 0);
	assert_int_equal(mkdir(in_dir("out/pub"), 0700), 0);
	assert_int_equal(files_write_set(out, set, 2, false), -EEXIST);
	count_is("out", 1);
	assert_int_equal(files_write_set(in_dir("none/out"), set, 2, false),
			 -ENOENT);
	assert_int_equal(files_write_set(in_dir("exact"), set, 2, false),
			 -ENOTDIR);
}

/* What a process may do that lives under one more rule of seccomp. */
static int write_under(uint32_t action, int nr, const struct scmp_arg_cmp *arg,
		       bool no_rename, bool force)
{
	const struct file_out set[] = {
		{ "key", "secret", 6, 0600, false },
		{ "pub", "abcd", 4, 0644, true },
	};
	int status;
	pid_t child = fork();

	if (!child) {
		scmp_filter_ctx c = seccomp_init(SCMP_ACT_ALLOW);

		seccomp_rule_add_array(c, action, nr, arg ? 1 : 0, arg);
		if (no_rename)
			seccomp_rule_add(c, SCMP_ACT_ERRNO(EINVAL),
					 SCMP_SYS(renameat2), 0);
		_exit(seccomp_load(c) ? 99
				      : -files_write_set(in_dir("other"), set,
							 2, force));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

/* File systems without O_TMPFILE, or without a rename that spares, too. */
static void other_file_systems(void **state)
{
	const struct scmp_arg_cmp nameless = SCMP_A2(SCMP_CMP_MASKED_EQ,
						     O_TMPFILE & ~O_DIRECTORY,
						     O_TMPFILE & ~O_DIRECTORY);
	const uint32_t no = SCMP_ACT_ERRNO(EOPNOTSUPP);

	(void)state;
	umask(022);
	for (int i = 0; i < 4; i++) {
		bool no_rename = i & 1, force = i & 2;

		assert_int_equal(write_under(no, SCMP_SYS(openat), &nameless,
					     no_rename, force),
				 0);
		count_is("other", 2);
		has("other/key", "secret", 0600);
		has("other/pub", "YWJjZA==\n", 0644);
		if (!force) /* what is there is spared */
			assert_int_equal(write_under(no, SCMP_SYS(openat),
						     &nameless, no_rename,
						     false),
					 EEXIST << 8);
		if (i == 1)
			continue; /* the next one replaces them */
		assert_int_equal(unlink(in_dir("other/key")), 0);
		assert_int_equal(unlink(in_dir("other/pub")), 0);
	}
	/* Killed when all is written but nothing has a name yet. */
	assert_int_not_equal(write_under(SCMP_ACT_KILL_PROCESS,
					 SCMP_SYS(linkat), NULL, false, false),
			     0);
	count_is("other", 0);
}

/* The address sanitizer turns mlock into nothing. */
#if defined(__SANITIZE_ADDRESS__)
#define LOCKS false
#elif defined(__has_feature)
#define LOCKS !__has_feature(address_sanitizer)
#else
#define LOCKS true
#endif

/* The kernel's own words about a mapping: its line of flags. */
static void flags_of(const void *p, char *flags, size_t cap)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	char line[512];
	bool in = false;

	flags[0] = '\0';
	while (fgets(line, sizeof(line), f)) {
		unsigned long from, to;

		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			in = from <= (uintptr_t)p && (uintptr_t)p < to;
		if (in && !strncmp(line, "VmFlags:", 8))
			snprintf(flags, cap, "%s", line);
	}
	fclose(f);
}

static void key_memory(void **state)
{
	uint8_t *p = keys_alloc(5000);
	char flags[512];

	(void)state;
	assert_non_null(p);
	for (size_t i = 0; i < 5000; i++)
		assert_int_equal(p[i], 0);
	flags_of(p, flags, sizeof(flags));
	if (LOCKS)
		assert_non_null(strstr(flags, " lo")); /* locked */
	assert_non_null(strstr(flags, " dd")); /* not in a core dump */
	assert_non_null(strstr(flags, " wf")); /* not in a child */
	keys_free(p, 5000);
	keys_free(NULL, 1);
}

static void key_files(void **state)
{
	uint8_t bytes[33];
	struct tk *tk;

	(void)state;
	rig_count(bytes, sizeof(bytes), 1);
	put("tk", bytes, 31);
	assert_int_equal(keys_load_tk(&tk, in_dir("tk")), -EINVAL);
	put("tk", bytes, 33);
	assert_int_equal(keys_load_tk(&tk, in_dir("tk")), -EFBIG);
	put("tk", bytes, 32);
	assert_int_equal(keys_load_tk(&tk, in_dir("tk")), 0);
	assert_memory_equal(tk->tek, bytes, 16);
	assert_memory_equal(tk->tik, bytes + 16, 16);
	keys_free(tk, sizeof(*tk));
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	static const char *const names[] = { "nine", "text", "exact", "empty",
					     "b64",  "raw",  "tk" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unlink(in_dir(names[i]));
	rmdir(in_dir("out/pub"));
	rmdir(in_dir("out"));
	rmdir(in_dir("other"));
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_reads),
		cmocka_unit_test(good_reads),
		cmocka_unit_test(sets),
		cmocka_unit_test(other_file_systems),
		cmocka_unit_test(key_memory),
		cmocka_unit_test(key_files),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
