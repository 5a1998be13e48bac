/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backing_test: files that are no disks, disks that somebody else has, then
 * the bytes. Each refusal is one line on standard error that names the path.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "devices/backing.h"

/*
 * In libc's place: as a block device of 4096-byte sectors answers to a range
 * that is not in whole ones.
 */
static bool big_sectors;

int fallocate(int fd, int mode, off_t off, off_t len)
{
	if (big_sectors) {
		errno = EINVAL;
		return -1;
	}
	return (int)syscall(SYS_fallocate, fd, mode, off, len);
}

static int read_all(const struct backing *b, struct iovec *iov, int n,
		    uint64_t off)
{
	return backing_read(b, &(struct backing_span){ iov, n, off });
}

static int write_all(const struct backing *b, struct iovec *iov, int n,
		     uint64_t off)
{
	return backing_write(b, &(struct backing_span){ iov, n, off });
}

struct world {
	char dir[32], disk[64];
};

static int setup(void **state)
{
	static struct world w;
	int fd;

	(void)snprintf(w.dir, sizeof(w.dir), "/tmp/backing_test.XXXXXX");
	assert_non_null(mkdtemp(w.dir));
	(void)snprintf(w.disk, sizeof(w.disk), "%s/disk", w.dir);
	fd = open(w.disk, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, 1 * (off_t)MIB), 0);
	close(fd);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	unlink(w->disk);
	rmdir(w->dir);
	return 0;
}

/* Opens path and gives back what it said on standard error. */
static int open_and_listen(const char *path, bool readonly, char *said,
			   size_t size)
{
	struct backing b;
	int pipe_fds[2], saved = dup(STDERR_FILENO), rc;
	ssize_t n;

	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK), 0);
	dup2(pipe_fds[1], STDERR_FILENO);
	rc = backing_open(&b, path, readonly);
	dup2(saved, STDERR_FILENO);
	n = read(pipe_fds[0], said, size - 1);
	said[n > 0 ? n : 0] = '\0';
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	close(saved);
	if (!rc)
		backing_close(&b);
	return rc;
}

static void refuses(void **state)
{
	static const struct {
		const char *name;
		off_t size; /* of a file; -1: a directory, -2: a FIFO */
		bool readonly;
		int rc;
		const char *says;
	} table[] = {
		{ "empty", 0, false, -EINVAL, "0 bytes" },
		{ "one byte", 1, true, -EINVAL, "1 bytes" },
		{ "half a sector over", 1024 + 256, false, -EINVAL,
		  "1280 bytes" },
		{ "directory", -1, false, -EISDIR, "Is a directory" },
		{ "directory to read", -1, true, -EINVAL, "neither" },
		{ "FIFO", -2, false, -EINVAL, "neither" },
		{ "FIFO to read", -2, true, -EINVAL, "neither" },
		{ "missing", -3, false, -ENOENT, "No such file" },
	};
	struct world *w = *state;
	char path[64], said[256];

	(void)snprintf(path, sizeof(path), "%s/odd", w->dir);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		off_t size = table[i].size;
		int rc;

		if (size == -1)
			assert_int_equal(mkdir(path, 0700), 0);
		else if (size == -2)
			assert_int_equal(mkfifo(path, 0600), 0);
		else if (size >= 0)
			close(creat(path, 0600));
		if (size > 0)
			assert_int_equal(truncate(path, size), 0);
		rc = open_and_listen(path, table[i].readonly, said,
				     sizeof(said));
		if (rc != table[i].rc || !strstr(said, path) ||
		    !strstr(said, table[i].says) ||
		    strchr(said, '\n') != said + strlen(said) - 1)
			fail_msg("%s: %d, \"%s\"", table[i].name, rc, said);
		if (size == -1)
			rmdir(path);
		else
			unlink(path);
	}
	assert_int_equal(
		open_and_listen("/dev/null", false, said, sizeof(said)),
		-EINVAL);
}

/* One writer alone, or any number of readers. */
static void locks(void **state)
{
	static const struct {
		bool first, second; /* readonly */
		int rc;
		const char *says;
	} table[] = {
		{ false, false, -EAGAIN, "in use" },
		{ false, true, -EAGAIN, "writes to it" },
		{ true, false, -EAGAIN, "in use" },
		{ true, true, 0, "" },
	};
	struct world *w = *state;
	char said[256];

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct backing b;

		assert_int_equal(backing_open(&b, w->disk, table[i].first), 0);
		assert_int_equal(open_and_listen(w->disk, table[i].second, said,
						 sizeof(said)),
				 table[i].rc);
		assert_non_null(strstr(said, table[i].says));
		/* Other descriptors of the file do not end the lock. */
		close(open(w->disk, O_RDONLY | O_CLOEXEC));
		assert_int_equal(open_and_listen(w->disk, table[i].second, said,
						 sizeof(said)),
				 table[i].rc);
		backing_close(&b);
		assert_int_equal(
			open_and_listen(w->disk, false, said, sizeof(said)), 0);
	}
}

static void moves_bytes(void **state)
{
	struct world *w = *state;
	struct backing b;
	uint8_t out[1024], in[1024];
	struct iovec v[3];

	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (uint8_t)(i * 7);
	assert_int_equal(backing_open(&b, w->disk, false), 0);
	assert_int_equal(b.bytes, MIB);
	v[0] = (struct iovec){ out, 100 };
	v[1] = (struct iovec){ out + 100, 924 };
	assert_int_equal(write_all(&b, v, 2, MIB - 1024), 0);
	assert_int_equal(backing_flush(&b), 0);
	v[0] = (struct iovec){ in, 1 };
	v[1] = (struct iovec){ in + 1, 1022 };
	v[2] = (struct iovec){ in + 1023, 1 };
	assert_int_equal(read_all(&b, v, 3, MIB - 1024), 0);
	assert_memory_equal(in, out, 1024);
	/* The file ended under us. */
	assert_int_equal(truncate(w->disk, MIB - 512), 0);
	v[0] = (struct iovec){ in, 1024 };
	assert_int_equal(read_all(&b, v, 1, MIB - 1024), -EIO);
	backing_close(&b);
}

/*
 * What the page cache holds is read without waiting; what it does not is left
 * over, whatever there was before it.
 */
static void tries(void **state)
{
	static uint8_t out[8192], in[8192];
	struct world *w = *state;
	struct iovec v = { out, sizeof(out) };
	struct backing_span s = { &v, 1, 4096 };
	struct backing b;
	int rc;

	memset(out, 0x5a, sizeof(out));
	assert_int_equal(backing_open(&b, w->disk, false), 0);
	rc = backing_try_write(&b, &s);
	assert_true(rc == 0 || rc == -EAGAIN);
	assert_int_equal(backing_write(&b, &s), 0);
	v = (struct iovec){ in, sizeof(in) };
	s = (struct backing_span){ &v, 1, 4096 };
	rc = backing_try_read(&b, &s);
	if (rc != -EAGAIN) /* a file system that can tell */
		assert_int_equal(s.n, 0);
	assert_int_equal(backing_read(&b, &s), 0);
	assert_memory_equal(in, out, sizeof(in));

	/* The cache holds none of it, where the file system obeys. */
	assert_int_equal(backing_flush(&b), 0);
	assert_int_equal(posix_fadvise(b.fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	memset(in, 0, sizeof(in));
	v = (struct iovec){ in, sizeof(in) };
	s = (struct backing_span){ &v, 1, 4096 };
	rc = backing_try_read(&b, &s);
	assert_true(rc == 0 || rc == -EAGAIN);
	assert_int_equal(s.n ? -EAGAIN : 0, rc);
	assert_int_equal(backing_read(&b, &s), 0);
	assert_memory_equal(in, out, sizeof(in));
	backing_close(&b);
}

static void makes_zeroes(void **state)
{
	struct world *w = *state;
	struct backing b;
	static uint8_t ones[128 * 1024], in[128 * 1024], zero[128 * 1024];
	struct iovec v;

	assert_int_equal(backing_open(&b, w->disk, false), 0);
	memset(ones, 0xff, sizeof(ones));
	for (int how = 0; how < 3; how++) {
		v = (struct iovec){ ones, sizeof(ones) };
		assert_int_equal(write_all(&b, &v, 1, 0), 0);
		if (how == 2)
			assert_int_equal(backing_discard(&b, 512, 0x18000), 0);
		else
			assert_int_equal(
				backing_zero(&b, 512, 0x18000, how == 1), 0);
		v = (struct iovec){ in, sizeof(in) };
		assert_int_equal(read_all(&b, &v, 1, 0), 0);
		assert_memory_equal(in, ones, 512);
		assert_memory_equal(in + 512, zero, 0x18000);
		assert_memory_equal(in + 512 + 0x18000, ones, 1024);
	}
	backing_close(&b);
}

/* /dev/shm is tmpfs: it can punch holes but not zero ranges. */
static void falls_back_to_writing(void **state)
{
	char path[] = "/dev/shm/backing_test.XXXXXX";
	struct backing b;
	static uint8_t in[128 * 1024], zero[128 * 1024];
	struct iovec v = { in, sizeof(in) };
	int fd = mkstemp(path);

	(void)state;
	if (fd < 0)
		skip();
	memset(in, 0xff, sizeof(in));
	assert_int_equal(write(fd, in, sizeof(in)), sizeof(in));
	close(fd);
	assert_int_equal(backing_open(&b, path, false), 0);
	unlink(path);
	assert_int_equal(backing_zero(&b, 0, sizeof(in), false), 0);
	assert_int_equal(read_all(&b, &v, 1, 0), 0);
	assert_memory_equal(in, zero, sizeof(in));
	backing_close(&b);
}

static void lives_with_big_sectors(void **state)
{
	static uint8_t ones[4096], in[4096], zero[512];
	struct world *w = *state;
	struct backing b;
	struct iovec v = { ones, sizeof(ones) };

	assert_int_equal(backing_open(&b, w->disk, false), 0);
	memset(ones, 0xff, sizeof(ones));
	assert_int_equal(write_all(&b, &v, 1, 0), 0);
	big_sectors = true;
	assert_int_equal(backing_zero(&b, 512, 512, true), 0);
	assert_int_equal(backing_discard(&b, 2048, 512), 0);
	big_sectors = false;
	v = (struct iovec){ in, sizeof(in) };
	assert_int_equal(read_all(&b, &v, 1, 0), 0);
	assert_memory_equal(in + 512, zero, 512);
	assert_memory_equal(in + 1024, ones, sizeof(in) - 1024);
	backing_close(&b);
}

static void readonly_cannot_write(void **state)
{
	struct world *w = *state;
	struct backing b;
	uint8_t byte[512] = { 0 };
	struct iovec v = { byte, 512 };

	assert_int_equal(chmod(w->disk, 0400), 0);
	assert_int_equal(backing_open(&b, w->disk, true), 0);
	assert_int_equal(write_all(&b, &v, 1, 0), -EBADF);
	backing_close(&b);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(refuses),
		T(locks),
		T(moves_bytes),
		T(tries),
		T(makes_zeroes),
		T(falls_back_to_writing),
		T(lives_with_big_sectors),
		T(readonly_cannot_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
