/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_test: sources that come and go inside handlers, and events that are
 * older than their source.
 */
#include "vmm/event.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

struct rig {
	struct event ev;
	int fd[3];
	unsigned calls[3];
	uint32_t seen;
};

static int open_rig(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	*state = r;
	for (size_t i = 0; i < ARRAY_LEN(r->fd); i++)
		r->fd[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return event_open(&r->ev);
}

static int close_rig(void **state)
{
	struct rig *r = *state;

	event_close(&r->ev);
	for (size_t i = 0; i < ARRAY_LEN(r->fd); i++)
		close(r->fd[i]);
	free(r);
	return 0;
}

static void signal_fd(int fd)
{
	assert_int_equal(eventfd_write(fd, 1), 0);
}

static void nothing(void *ctx, int fd, uint32_t events)
{
	(void)ctx;
	(void)fd;
	(void)events;
}

static size_t index_of(const struct rig *r, int fd)
{
	size_t i = 0;

	while (r->fd[i] != fd)
		i++;
	return i;
}

/* Counts, drains and stops. */
static void count(void *ctx, int fd, uint32_t events)
{
	struct rig *r = ctx;
	eventfd_t n;

	r->calls[index_of(r, fd)]++;
	r->seen = events;
	(void)!eventfd_read(fd, &n);
	event_stop(&r->ev);
}

static void refusals(void **state)
{
	struct rig *r = *state;
	int file;

	assert_int_equal(event_add(&r->ev, -1, EPOLLIN, nothing, r), -EBADF);
	assert_int_equal(event_add(&r->ev, 9999, EPOLLIN, nothing, r), -EBADF);
	assert_int_equal(event_change(&r->ev, r->fd[0], EPOLLIN), -ENOENT);
	assert_int_equal(event_change(&r->ev, -1, EPOLLIN), -ENOENT);
	event_remove(&r->ev, r->fd[0]);
	event_remove(&r->ev, -1);
	assert_int_equal(event_add(&r->ev, r->fd[0], EPOLLIN, nothing, r), 0);
	assert_int_equal(event_add(&r->ev, r->fd[0], EPOLLIN, nothing, r),
			 -EEXIST);
	/* What epoll refuses takes no slot. */
	file = memfd_create("file", 0);
	for (unsigned i = 0; i < EVENT_MAX; i++)
		assert_int_equal(event_add(&r->ev, file, EPOLLIN, nothing, r),
				 -EPERM);
	close(file);
	assert_int_equal(event_add(&r->ev, r->fd[1], EPOLLIN, nothing, r), 0);
}

static void slots_run_out(void **state)
{
	struct rig *r = *state;
	int fd[EVENT_MAX + 1];

	for (size_t i = 0; i <= EVENT_MAX; i++) {
		fd[i] = eventfd(0, 0);
		assert_int_equal(event_add(&r->ev, fd[i], EPOLLIN, nothing, r),
				 i < EVENT_MAX ? 0 : -ENOSPC);
	}
	event_remove(&r->ev, fd[0]);
	assert_int_equal(event_add(&r->ev, fd[EVENT_MAX], EPOLLIN, nothing, r),
			 0);
	for (size_t i = 0; i <= EVENT_MAX; i++)
		close(fd[i]);
}

static void runs_what_is_ready(void **state)
{
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(r->fd); i++)
		assert_int_equal(event_add(&r->ev, r->fd[i], EPOLLIN, count, r),
				 0);
	signal_fd(r->fd[1]);
	assert_int_equal(event_run(&r->ev), 0);
	assert_int_equal(r->calls[0] + r->calls[2], 0);
	assert_int_equal(r->calls[1], 1);
	assert_int_equal(r->seen, EPOLLIN);

	assert_int_equal(event_change(&r->ev, r->fd[1], EPOLLOUT), 0);
	assert_int_equal(event_run(&r->ev), 0);
	assert_int_equal(r->calls[1], 2);
	assert_int_equal(r->seen, EPOLLOUT);
}

/* Whichever of fd 0 and 1 comes first removes the other: that must not run. */
static void remove_other(void *ctx, int fd, uint32_t events)
{
	struct rig *r = ctx;
	size_t me = index_of(r, fd);

	(void)events;
	r->calls[me]++;
	event_remove(&r->ev, r->fd[1 - me]);
	event_remove(&r->ev, fd);
	signal_fd(r->fd[2]);
}

static void removed_sources_are_silent(void **state)
{
	struct rig *r = *state;

	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(
			event_add(&r->ev, r->fd[i], EPOLLIN, remove_other, r),
			0);
		signal_fd(r->fd[i]);
	}
	assert_int_equal(event_add(&r->ev, r->fd[2], EPOLLIN, count, r), 0);
	assert_int_equal(event_run(&r->ev), 0);
	assert_int_equal(r->calls[0] + r->calls[1], 1);
	assert_int_equal(r->calls[2], 1);
}

/*
 * The same, but the other's slot (and descriptor number) goes to a new source
 * at once: the old source's event, fetched already, is not for the new one.
 */
static void replace_other(void *ctx, int fd, uint32_t events)
{
	struct rig *r = ctx;
	size_t other = 1 - index_of(r, fd);
	int again;

	(void)events;
	r->calls[index_of(r, fd)]++;
	event_remove(&r->ev, r->fd[other]);
	close(r->fd[other]);
	again = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_int_equal(again, r->fd[other]);
	assert_int_equal(event_add(&r->ev, again, EPOLLIN, replace_other, r),
			 0);
	event_remove(&r->ev, fd);
	signal_fd(r->fd[2]);
}

static void stale_events_are_dropped(void **state)
{
	struct rig *r = *state;

	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(
			event_add(&r->ev, r->fd[i], EPOLLIN, replace_other, r),
			0);
		signal_fd(r->fd[i]);
	}
	assert_int_equal(event_add(&r->ev, r->fd[2], EPOLLIN, count, r), 0);
	assert_int_equal(event_run(&r->ev), 0);
	assert_int_equal(r->calls[0] + r->calls[1], 1);
}

int main(void)
{
#define RIG(f) cmocka_unit_test_setup_teardown(f, open_rig, close_rig)
	const struct CMUnitTest tests[] = {
		RIG(refusals),
		RIG(slots_run_out),
		RIG(runs_what_is_ready),
		RIG(removed_sources_are_silent),
		RIG(stale_events_are_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
