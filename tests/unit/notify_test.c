/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify_test: addresses that are refused and taken, and datagrams as a
 * service manager receives them.
 */
#include "vmm/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/capture.h"

static void addresses(void **state)
{
	char longest[110];
	struct sockaddr_un a;
	socklen_t len;

	(void)state;
	assert_int_equal(notify_address("", &a, &len), -EINVAL);
	assert_int_equal(notify_address("/", &a, &len), -EINVAL);
	assert_int_equal(notify_address("@", &a, &len), -EINVAL);
	assert_int_equal(notify_address("run/x", &a, &len), -EINVAL);
	assert_int_equal(notify_address("vsock:2:1", &a, &len), -EINVAL);
	memset(longest, 'x', sizeof(longest));
	longest[0] = '/';
	longest[108] = '\0';
	assert_int_equal(notify_address(longest, &a, &len), -ENAMETOOLONG);
	longest[0] = '@';
	assert_int_equal(notify_address(longest, &a, &len), 0);
	assert_int_equal(len, sizeof(a));
	longest[0] = '/';
	longest[107] = '\0';
	assert_int_equal(notify_address(longest, &a, &len), 0);
	assert_int_equal(len, sizeof(a));
	assert_string_equal(a.sun_path, longest);
	assert_int_equal(notify_address("@ab", &a, &len), 0);
	assert_int_equal(len, offsetof(struct sockaddr_un, sun_path) + 3);
	assert_memory_equal(a.sun_path, "\0ab", 3);
}

/* A manager at this address; what it hears of two messages. */
static void heard(const char *where)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct sockaddr_un a;
	struct notify n;
	socklen_t len;
	char got[64];
	ssize_t size;

	assert_int_equal(notify_address(where, &a, &len), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
	setenv("NOTIFY_SOCKET", where, 1);
	notify_open(&n);
	assert_null(getenv("NOTIFY_SOCKET"));
	notify_say(&n, true, "READY=1");
	notify_say(&n, false, "STATUS=paused");
	size = recv(fd, got, sizeof(got), MSG_DONTWAIT);
	assert_int_equal(size, 7);
	assert_memory_equal(got, "READY=1", 7);
	assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), 13);
	/* A manager that does not read, or goes away, holds nobody up. */
	for (int i = 0; i < 1000; i++)
		notify_say(&n, false, "STATUS=running");
	alarm(20);
	notify_say(&n, true, "STOPPING=1");
	close(fd);
	notify_say(&n, true, "STOPPING=1");
	alarm(0);
	notify_close(&n);
}

static void managers(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "/tmp/notify_test.%d", (int)getpid());
	heard(path);
	unlink(path);
	path[0] = '@';
	heard(path);
}

static void nobody(void **state)
{
	struct notify n;
	struct capture c;
	char text[512];

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	notify_open(&n);
	assert_int_equal(n.fd, -1);
	notify_say(&n, true, "READY=1");
	setenv("NOTIFY_SOCKET", "/nonexistent/\x1b", 1);
	c = capture_begin();
	notify_open(&n);
	capture_end(&c, text, sizeof(text));
	assert_int_equal(n.fd, -1);
	assert_non_null(strstr(text, "\"/nonexistent/\\x1b\": No such file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(managers),
		cmocka_unit_test(nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
