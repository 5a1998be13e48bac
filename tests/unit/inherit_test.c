/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inherit_test: which descriptor an environment hands over, refusals first, and
 * what of it is taken.
 */
#include "vmm/inherit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void finds(void **state)
{
	static const struct {
		struct inherit_env e;
		int want;
	} t[] = {
		{ { NULL, NULL, NULL }, -ENOENT },
		{ { "7", NULL, "control" }, -ENOENT },
		{ { NULL, "1", "control" }, -ENOENT },
		{ { "7", "0", "" }, -ENOENT },
		{ { "8", "1", "control" }, -ESRCH },
		{ { "", "1", "control" }, -EINVAL },
		{ { "+7", "1", "control" }, -EINVAL },
		{ { "7 ", "1", "control" }, -EINVAL },
		{ { "99999999999999999999", "1", NULL }, -EINVAL },
		{ { "7", "-1", "control" }, -EINVAL },
		{ { "7", "65", "control" }, -EINVAL },
		{ { "7", "2", NULL }, -EBADSLT },
		{ { "7", "2", "" }, -EBADSLT },
		{ { "7", "2", "controls:contro" }, -EBADSLT },
		{ { "7", "2", "a:b:control" }, -EBADSLT },
		{ { "7", "1", NULL }, 3 },
		{ { "7", "1", "vm1.socket" }, 3 },
		{ { "7", "2", "control:control" }, 3 },
		{ { "7", "3", "a::control" }, 5 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_int_equal(inherit_find(&t[i].e, 7, "control"),
				 t[i].want);
}

enum kind { NOTHING, PIPE, DATAGRAM, NOT_LISTENING, INTERNET, LISTENING };

static int make(enum kind kind)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd[2] = { -1, -1 };

	switch (kind) {
	case NOTHING: break;
	case PIPE: CHECK(!pipe(fd)); break;
	case DATAGRAM: fd[0] = socket(AF_UNIX, SOCK_DGRAM, 0); break;
	case NOT_LISTENING: fd[0] = socket(AF_UNIX, SOCK_STREAM, 0); break;
	case INTERNET:
		fd[0] = socket(AF_INET, SOCK_STREAM, 0);
		CHECK(!listen(fd[0], 1));
		break;
	case LISTENING:
		fd[0] = socket(AF_UNIX, SOCK_STREAM, 0);
		/* Autobind: an abstract name of the kernel's choice. */
		CHECK(!bind(fd[0], (struct sockaddr *)&a, sizeof(sa_family_t)));
		CHECK(!listen(fd[0], 1));
		break;
	}
	return fd[0];
}

/* In a child, whose descriptor 3 it is: 0 if it is taken as it should be. */
static int child(enum kind kind)
{
	char pid[16];
	int fd = make(kind);

	if (fd != 3)
		close(3);
	CHECK(fd < 0 || dup2(fd, 3) == 3);
	if (fd > 3)
		close(fd);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_FDNAMES", "control", 1);
	fd = inherit_socket("control");
	if (getenv("LISTEN_PID") || getenv("LISTEN_FDS") ||
	    getenv("LISTEN_FDNAMES"))
		return 1;
	if (kind != LISTENING)
		return fd >= 0;
	return fd != 3 || !(fcntl(3, F_GETFD) & FD_CLOEXEC) ||
	       !(fcntl(3, F_GETFL) & O_NONBLOCK);
}

static void takes(void **state)
{
	(void)state;
	for (enum kind k = NOTHING; k <= LISTENING; k++) {
		int status;
		pid_t pid = fork();

		if (!pid)
			_exit(child(k));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (status)
			fail_msg("kind %u: status %x", k, status);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds),
		cmocka_unit_test(takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
