/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chardev_file_test: files that a guest writes to: full disks, limits, and
 * names that others use.
 */
#include "tests/unit/chardev_rig.h"

#include "vmm/jail.h"

static off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : st.st_size;
}

/*
 * A guest that writes without end: two files of the limit, the newest bytes in
 * order, none lost in between.
 */
static void file_limited(void **state)
{
	static uint8_t got[2 * 65536], line[64];
	struct world *w = *state;
	struct config_port p = { END_FILE, w->path, 65536 };
	size_t total = 0, have;
	char older[80];
	int fd;

	snprintf(older, sizeof older, "%s.1", w->path);
	assert_int_equal(chardev_open(&w->end, "serial", &p), 0);
	assert_int_equal(chardev_attach(&w->end, &w->rig.event, w->rig.pio.lock,
					changed, w),
			 0);
	assert_int_equal(size_of(older), 0);
	while (total < 1000000) {
		size_t n;

		for (size_t i = 0; i < sizeof line; i++)
			line[i] = (uint8_t)((total + i) / 7 % 251);
		line[63] = '\n';
		n = chardev_write(&w->end, line, sizeof line);
		if (n < sizeof line) /* waits for the loop */
			spin(&w->rig, 1);
		total += n - n % sizeof line;
		assert_int_equal(n % sizeof line, 0);
	}
	spin(&w->rig, 1);
	assert_in_range(size_of(w->path), 1, 65536);
	assert_int_equal(size_of(older), 65536);
	chardev_close(&w->end);
	fd = open(older, O_RDONLY);
	have = (size_t)read(fd, got, 65536);
	close(fd);
	fd = open(w->path, O_RDONLY);
	have += (size_t)read(fd, got + have, 65536);
	close(fd);
	for (size_t i = 0; i < have; i++) {
		size_t at = total - have + i;

		if (at % 64 != 63 && got[i] != (uint8_t)(at / 7 % 251))
			fail_msg("byte %zu is another", at);
	}
	assert_int_equal(unlink(older), 0);
}

/* PATH.1 goes if it was not needed; somebody else's stays, as it was. */
static void file_older(void **state)
{
	struct world *w = *state;
	struct config_port p = { END_FILE, w->path, 65536 };
	char older[80];
	int fd;

	snprintf(older, sizeof older, "%s.1", w->path);
	assert_int_equal(mkdir(older, 0700), 0);
	assert_int_equal(chardev_open(&w->end, "serial", &p), -EISDIR);
	rmdir(older);
	assert_int_equal(symlink("/dev/null", older), 0);
	assert_int_equal(chardev_open(&w->end, "serial", &p), -ELOOP);
	unlink(older);
	assert_int_equal(chardev_open(&w->end, "serial", &p), 0);
	assert_int_equal(size_of(older), 0);
	chardev_close(&w->end);
	assert_int_equal(size_of(older), -1);
	fd = open(older, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "keep", 4), 4);
	close(fd);
	assert_int_equal(chardev_open(&w->end, "serial", &p), 0);
	assert_int_equal(chardev_write(&w->end, "x\n", 2), 2);
	chardev_close(&w->end);
	assert_int_equal(size_of(older), 4);
	/* What never grows has no limit, and no second file. */
	p.path = "/dev/null";
	assert_int_equal(chardev_open(&w->end, "serial", &p), 0);
	assert_int_equal(w->end.log.max, 0);
	assert_int_equal(unlink(older), 0);
}

/* What is in path after it was opened in vain for another end. */
static void expect_left(struct world *w, const char *path, uint64_t max,
			const char *says, const char *holds)
{
	static struct chardev second;
	struct config_port p = { END_FILE, path, max };
	struct capture cap_err = capture_begin();
	char text[512], got[16] = "";
	int rc = chardev_open(&second, "console", &p), fd;

	capture_end(&cap_err, text, sizeof text);
	assert_int_equal(rc, -EAGAIN);
	assert_non_null(strstr(text, says));
	assert_non_null(strstr(text, "in use by another process"));
	fd = open(w->path, O_RDONLY);
	assert_true(read(fd, got, sizeof got - 1) >= 0);
	close(fd);
	assert_string_equal(got, holds);
}

/* A second VM, or a second end: it leaves alone what the first has written. */
static void file_in_use(void **state)
{
	struct world *w = *state;
	struct config_port p = { END_FILE, w->path, 65536 };
	static char text[1000];
	char older[80], before[80], says[100];

	memset(text, 'x', sizeof text);
	snprintf(older, sizeof older, "%s.1", w->path);
	snprintf(says, sizeof says, "console %s: ", w->path);
	assert_int_equal(chardev_open(&w->end, "serial", &p), 0);
	assert_int_equal(chardev_attach(&w->end, &w->rig.event, w->rig.pio.lock,
					changed, w),
			 0);
	assert_int_equal(chardev_write(&w->end, "first\n", 6), 6);
	expect_left(w, w->path, 65536, says, "first\n");
	expect_left(w, w->path, 0, says, "first\n");
	assert_int_equal(size_of(older), 0);
	/* Nor may another have what it becomes, before and after it did. */
	snprintf(says, sizeof says, "console %s: ", older);
	expect_left(w, older, 0, says, "first\n");
	for (unsigned i = 0; i < 66; i++) {
		(void)chardev_write(&w->end, text, sizeof text);
		spin(&w->rig, 1);
	}
	assert_int_equal(size_of(older), 65536);
	expect_left(w, older, 0, says, "xxxxxxxxxxxxxxx");
	assert_int_equal(size_of(older), 65536);
	snprintf(says, sizeof says, "console %s: ", w->path);
	expect_left(w, w->path, 0, says, "xxxxxxxxxxxxxxx");
	chardev_close(&w->end);
	/* Whose PATH.1 is in use has not emptied PATH. */
	snprintf(before, sizeof before, "%s", older);
	p = (struct config_port){ END_FILE, before, 0 };
	assert_int_equal(chardev_open(&w->end, "serial", &p), 0);
	snprintf(says, sizeof says, "console %s: ", older);
	expect_left(w, w->path, 65536, says, "xxxxxxxxxxxxxxx");
	chardev_close(&w->end);
	/* It ends with the VM: the next one begins anew. */
	p = (struct config_port){ END_FILE, w->path, 0 };
	assert_int_equal(chardev_open(&w->end, "serial", &p), 0);
	assert_int_equal(size_of(w->path), 0);
	assert_int_equal(unlink(older), 0);
}

/* Two may write to one pipe. */
static void file_shared(void **state)
{
	static struct chardev second;
	struct world *w = *state;
	struct config_port p = { END_FILE, w->path, 65536 };
	char got[16] = "";
	int fd;

	assert_int_equal(mkfifo(w->path, 0600), 0);
	fd = open(w->path, O_RDONLY | O_NONBLOCK);
	assert_int_equal(chardev_open(&w->end, "serial", &p), 0);
	assert_int_equal(chardev_open(&second, "console", &p), 0);
	assert_int_equal(chardev_write(&w->end, "one\n", 4), 4);
	assert_int_equal(chardev_write(&second, "two\n", 4), 4);
	assert_int_equal(read(fd, got, sizeof got), 8);
	assert_string_equal(got, "one\ntwo\n");
	chardev_close(&second);
	close(fd);
}

/* The name is gone: the file that we have begins anew, and is no longer. */
static void file_moved(void **state)
{
	static const char text[1000] = "text";
	struct world *w = *state;
	struct config_port p = { END_FILE, w->path, 65536 };
	char older[80], moved[80];

	snprintf(older, sizeof older, "%s.1", w->path);
	snprintf(moved, sizeof moved, "%s.moved", w->path);
	assert_int_equal(chardev_open(&w->end, "serial", &p), 0);
	assert_int_equal(chardev_attach(&w->end, &w->rig.event, w->rig.pio.lock,
					changed, w),
			 0);
	assert_int_equal(rename(w->path, moved), 0);
	for (unsigned i = 0; i < 200; i++) {
		assert_int_equal(chardev_write(&w->end, text, sizeof text),
				 sizeof text);
		spin(&w->rig, 1);
	}
	chardev_close(&w->end);
	assert_int_equal(size_of(moved), 200000 % 65536);
	assert_int_equal(unlink(moved), 0);
	assert_int_equal(unlink(older), 0);
}

/* A full disk ends the output, not the machine. */
static void file_full(void **state)
{
	struct world *w = *state;
	struct config_port p = { .end = END_FILE, .path = "/dev/full" };

	assert_int_equal(chardev_open(&w->end, "serial", &p), 0);
	assert_int_equal(chardev_attach(&w->end, &w->rig.event, w->rig.pio.lock,
					changed, w),
			 0);
	assert_int_equal(chardev_write(&w->end, "abc", 3), 3);
	spin(&w->rig, 15);
	assert_int_equal(w->end.out_fd, -1);
	for (unsigned i = 0; i < 100000; i++)
		assert_int_equal(chardev_write(&w->end, "abc", 3), 3);
}

static void file(void **state)
{
	struct world *w = *state;
	char got[16] = "";
	int fd;

	open_end(w, END_FILE);
	assert_int_equal(chardev_write(&w->end, "one\n", 4), 4);
	assert_int_equal(chardev_write(&w->end, "two\n", 4), 4);
	fd = open(w->path, O_RDONLY);
	assert_int_equal(read(fd, got, sizeof got), 8);
	assert_string_equal(got, "one\ntwo\n");
	/* A line that never ends; a file cannot be waited for. */
	assert_int_equal(chardev_write(&w->end, "thr", 3), 3);
	spin(&w->rig, 15);
	assert_int_equal(chardev_write(&w->end, "ee", 2), 2);
	spin(&w->rig, 15);
	assert_int_equal(read(fd, got, sizeof got), 5);
	assert_memory_equal(got, "three", 5);
	assert_int_equal(chardev_write(&w->end, "end", 3), 3);
	chardev_close(&w->end);
	assert_int_equal(read(fd, got, sizeof got), 3);
	close(fd);
}

/* Sanitizers make calls of their own, which no table has. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

/* In a child: what the main thread may do is enough for all of it. */
static int confined(struct world *w)
{
	struct config_port p = { END_FILE, w->path, 65536 };
	const struct jail_options o = { .removable = { w->path } };
	static const char text[1000] = "text";
	int rc = chardev_open(&w->end, "serial", &p);

	if (!rc)
		rc = chardev_attach(&w->end, &w->rig.event, w->rig.pio.lock,
				    NULL, NULL);
	if (!rc)
		rc = jail_process(&o);
	if (!rc)
		rc = jail_thread(JAIL_MAIN);
	for (unsigned i = 0; !rc && i < 100; i++)
		(void)chardev_write(&w->end, text, sizeof text);
	chardev_close(&w->end);
	return rc;
}

static void inside_the_sandbox(void **state)
{
	struct world *w = *state;
	char older[80];
	int status;
	pid_t pid = fork();

	snprintf(older, sizeof older, "%s.1", w->path);
	if (!pid)
		_exit(confined(w) ? 1 : 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(size_of(w->path), 100000 - 65536);
	assert_int_equal(size_of(older), 65536);
	assert_int_equal(unlink(older), 0);
}

#endif

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(file_older),
		T(file_in_use),
		T(file_shared),
		T(file_moved),
		T(file_full),
		T(file_limited),
		T(file),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
		T(inside_the_sandbox),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
