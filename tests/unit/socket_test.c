/* SPDX-License-Identifier: Apache-2.0 */
/*
 * socket_test: what is at a socket's path already, and what is said of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/capture.h"
#include "vmm/socket.h"

/* In libc's place: root, who may connect anywhere, runs tests too. */
static int refusal;

int connect(int fd, const struct sockaddr *a, socklen_t len)
{
	(void)fd;
	(void)a;
	(void)len;
	errno = refusal;
	return refusal ? -1 : 0;
}

static void leave(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	close(fd);
}

static void taken(void **state)
{
	static const struct {
		int refusal;
		bool replaced;
		const char *says;
	} table[] = {
		{ 0, false, "a running process serves it" },
		{ EAGAIN, false, "a running process serves it" },
		{ EACCES, false, "another user's (Permission denied)" },
		{ EPERM, false, "another user's (Operation not permitted)" },
		{ ECONNREFUSED, true, "" },
	};
	char dir[] = "/tmp/socket_test.XXXXXX", path[64], said[512];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/socket", dir);
	leave(path);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct capture c = capture_begin();
		struct socket_file f = { 0 };
		int fd;

		refusal = table[i].refusal;
		fd = socket_listen(&f, "test", path, 1);
		(void)capture_end(&c, said, sizeof(said));
		assert_non_null(strstr(said, table[i].says));
		assert_int_equal(access(path, F_OK), 0);
		if (!table[i].replaced) {
			assert_int_equal(fd, -EADDRINUSE);
			assert_non_null(strstr(said, path));
			continue;
		}
		assert_true(fd >= 0);
		socket_remove(&f);
		close(fd);
	}
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
