/* SPDX-License-Identifier: Apache-2.0 */
/*
 * acceptor_test: a process without descriptors, clients without end. Neither
 * spins the loop nor fills the log, and the socket recovers by itself.
 */
#include "tests/unit/board_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/unit/capture.h"
#include "vmm/acceptor.h"
#include "vmm/socket.h"

struct world {
	struct board_rig rig;
	struct acceptor acceptor;
	struct socket_file file;
	int listen_fd;
	char dir[40], path[64];
	int got; /* the last client; -1: none */
	bool refuse;
};

/* In libc's place: counts what the loop asks for. */
static unsigned waits;

int epoll_wait(int fd, struct epoll_event *ev, int max, int timeout)
{
	waits++;
	return epoll_pwait(fd, ev, max, timeout, NULL);
}

static void client(void *ctx, int fd)
{
	struct world *w = ctx;

	if (w->refuse)
		acceptor_refuse(&w->acceptor, fd, "not today");
	else
		w->got = fd;
}

static int setup(void **state)
{
	static struct world w;

	w = (struct world){ .dir = "/tmp/acceptor_test.XXXXXX", .got = -1 };
	rig_open(&w.rig);
	assert_non_null(mkdtemp(w.dir));
	snprintf(w.path, sizeof w.path, "%s/socket", w.dir);
	w.listen_fd = socket_listen(&w.file, "test", w.path, 100);
	assert_true(w.listen_fd >= 0);
	assert_int_equal(acceptor_open(&w.acceptor, &w.rig.event, "test",
				       w.listen_fd, client, &w),
			 0);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	acceptor_close(&w->acceptor);
	acceptor_close(&w->acceptor); /* twice does no harm */
	socket_remove(&w->file);
	close(w->listen_fd);
	rmdir(w->dir);
	rig_close(&w->rig);
	return 0;
}

static int dial(const struct world *w)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof a.sun_path, "%s", w->path);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

/* No descriptor above those that are open; returns the limit as it was. */
static struct rlimit starve(int highest)
{
	struct rlimit old, none;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = (rlim_t)highest + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	return old;
}

static void without_descriptors(void **state)
{
	struct world *w = *state;
	struct capture c = capture_begin();
	int fd = dial(w), timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	struct itimerspec when = { .it_value = { 0, 700000000 } };
	struct rlimit old = starve(timer);
	char text[1024];

	waits = 0;
	timerfd_settime(timer, 0, &when, NULL);
	assert_int_equal(event_add(&w->rig.event, timer, EPOLLIN, spin_over,
				   &w->rig.event),
			 0);
	assert_int_equal(event_run(&w->rig.event), 0);
	event_remove(&w->rig.event, timer);
	close(timer);
	setrlimit(RLIMIT_NOFILE, &old);
	(void)capture_end(&c, text, sizeof text);
	assert_int_equal(w->got, -1);
	assert_in_range(waits, 2, 20);
	assert_non_null(strstr(text, "test: no client can be let in: Too many "
				     "open files"));
	assert_string_equal(strchr(text, '\n'), "\n");
	/* Descriptors are there again, and so is the client. */
	spin(&w->rig, 300);
	assert_true(w->got >= 0);
	close(w->got);
	close(fd);
}

static void without_end(void **state)
{
	struct world *w = *state;
	struct capture c = capture_begin();
	char text[4096], b;

	w->refuse = true;
	for (unsigned i = 0; i < 50; i++) {
		int fd = dial(w);

		spin(&w->rig, 1);
		assert_int_equal(read(fd, &b, 1), 0);
		close(fd);
	}
	/* A minute later. */
	w->acceptor.said_ns -= 61000000000u;
	close(dial(w));
	spin(&w->rig, 1);
	(void)capture_end(&c, text, sizeof text);
	assert_string_equal(text,
			    "carrel: warning: test: a client is turned away: "
			    "not today\n"
			    "carrel: warning: test: a client is turned away: "
			    "not today; 49 more since the last such line\n");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(without_descriptors),
		T(without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
