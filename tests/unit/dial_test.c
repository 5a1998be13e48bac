/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dial_test: every question to the process that connects is answered,
 * also when it cannot pass on what it has connected.
 */
#include "devices/dial.h"

#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define QUESTIONS 24u
#define PORT 7u

struct world {
	char dir[32], path[48], server[64];
	int listener;
};

static int setup(void **state)
{
	static struct world w;
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	w = (struct world){ .dir = "/tmp/dial_test.XXXXXX" };
	assert_non_null(mkdtemp(w.dir));
	(void)snprintf(w.path, sizeof(w.path), "%s/v", w.dir);
	(void)snprintf(w.server, sizeof(w.server), "%s_%u", w.path, PORT);
	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", w.server);
	w.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(w.listener, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(w.listener, 2 * QUESTIONS), 0);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	close(w->listener);
	assert_int_equal(unlink(w->server), 0);
	assert_int_equal(rmdir(w->dir), 0);
	return 0;
}

/*
 * As many sockets may be on their way as one may have open, unless one is
 * privileged (too_many_unix_fds in Linux's net/unix).
 */
static int few_descriptors(void *ctx)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {
		{ 0 }
	};
	const struct rlimit few = { 6, 6 };

	(void)ctx;
	return setrlimit(RLIMIT_NOFILE, &few) ||
	       syscall(SYS_capset, &head, none);
}

static int free_to_go(void *ctx)
{
	(void)ctx;
	return 0;
}

/* How many of QUESTIONS got a socket; each is answered, in order. */
static unsigned answers(int fd)
{
	unsigned sockets = 0;

	for (unsigned i = 0; i < QUESTIONS; i++)
		assert_int_equal(dial_ask(fd, 100 + i, PORT), 0);
	(void)usleep(100000); /* nothing is taken meanwhile */
	for (unsigned i = 0; i < QUESTIONS; i++) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		uint64_t tag = 0;
		int sock, err;

		if (poll(&p, 1, 5000) != 1)
			fail_msg("no answer to question %u", i);
		assert_int_equal(dial_answer(fd, &tag, &sock, &err), 1);
		assert_int_equal(tag, 100 + i);
		assert_true(err ? sock < 0 : sock >= 0);
		if (err && err != -ETOOMANYREFS)
			fail_msg("question %u: %s", i, strerror(-err));
		sockets += !err;
		if (!err)
			close(sock);
	}
	return sockets;
}

static void all_are_connected(void **state)
{
	struct world *w = *state;
	int fd;

	assert_int_equal(
		dial_fork(&fd, w->path, DIAL_NUMBERED, free_to_go, NULL), 0);
	assert_int_equal(answers(fd), QUESTIONS);
	close(fd);
}

static void too_many_on_their_way(void **state)
{
	struct world *w = *state;
	unsigned n;
	int fd;

	assert_int_equal(
		dial_fork(&fd, w->path, DIAL_NUMBERED, few_descriptors, NULL),
		0);
	n = answers(fd);
	assert_true(n < QUESTIONS);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_are_connected, setup,
						teardown),
		cmocka_unit_test_setup_teardown(too_many_on_their_way, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
