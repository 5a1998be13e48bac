/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control_peer: a control socket served by a thread, and the client's end of
 * it, for the tests of the commands. Header-only: each test is one program.
 */
#ifndef CARREL_TESTS_CONTROL_PEER_H
#define CARREL_TESTS_CONTROL_PEER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmm/control.h"

#define PEER_WAIT_MS 5000

struct peer_vm {
	struct event event;
	struct control control;
	char dir[32], path[64];
	const char *status;
	bool refuse; /* stop and cont fail */
	pthread_t thread;
};

static int peer_stop(void *ctx, struct control_error *err)
{
	struct peer_vm *vm = ctx;

	if (vm->refuse)
		return control_fail(err, -EPERM, "not now");
	vm->status = "paused";
	control_event(&vm->control, "STOP", NULL);
	return 0;
}

static int peer_cont(void *ctx, struct control_error *err)
{
	struct peer_vm *vm = ctx;

	if (vm->refuse)
		return control_fail(err, -EPERM, "not now");
	vm->status = "running";
	control_event(&vm->control, "RESUME", NULL);
	return 0;
}

static int peer_powerdown(void *ctx, struct control_error *err)
{
	struct peer_vm *vm = ctx;

	(void)err;
	control_event(&vm->control, "POWERDOWN", NULL);
	return 0;
}

/* Fails without a sentence of its own. */
static int peer_reset(void *ctx, struct control_error *err)
{
	(void)ctx;
	(void)err;
	return -EOPNOTSUPP;
}

static void peer_quit(void *ctx)
{
	struct peer_vm *vm = ctx;

	control_event_cause(&vm->control, "SHUTDOWN", false, "host-qmp-quit");
	event_stop(&vm->event);
}

static const char *peer_status(void *ctx)
{
	return ((struct peer_vm *)ctx)->status;
}

static unsigned peer_cpus(void *ctx)
{
	(void)ctx;
	return 2;
}

static pid_t peer_cpu_thread(void *ctx, unsigned cpu)
{
	(void)ctx;
	return (pid_t)(1000 + cpu);
}

static const char *peer_name(void *ctx)
{
	(void)ctx;
	return "a \"quoted\" name";
}

static const struct control_vm peer_ops = {
	.stop = peer_stop,
	.cont = peer_cont,
	.powerdown = peer_powerdown,
	.reset = peer_reset,
	.quit = peer_quit,
	.status = peer_status,
	.cpus = peer_cpus,
	.cpu_thread = peer_cpu_thread,
	.name = peer_name,
};

static inline void peer_open(struct peer_vm *vm)
{
	*vm = (struct peer_vm){ .status = "prelaunch" };
	snprintf(vm->dir, sizeof(vm->dir), "/tmp/control_test.XXXXXX");
	assert_non_null(mkdtemp(vm->dir));
	snprintf(vm->path, sizeof(vm->path), "%s/qmp", vm->dir);
	assert_int_equal(event_open(&vm->event), 0);
	assert_int_equal(
		control_open(&vm->control, &vm->event, vm->path, &peer_ops, vm),
		0);
}

static void *peer_serve(void *arg)
{
	struct peer_vm *vm = arg;

	(void)!event_run(&vm->event);
	return NULL;
}

static inline void peer_start(struct peer_vm *vm)
{
	assert_int_equal(pthread_create(&vm->thread, NULL, peer_serve, vm), 0);
}

/* The client's end. */

static inline int peer_connect(const struct peer_vm *vm)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", vm->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static inline void peer_send(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		assert_true(n > 0);
		at += n;
		len -= (size_t)n;
	}
}

static inline void peer_say(int fd, const char *text)
{
	peer_send(fd, text, strlen(text));
}

/* Reads on, but not beyond the end of a line; 0: the server closed. */
static inline size_t peer_part(int fd, char *at, size_t room)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	const char *end;
	ssize_t n;

	assert_int_equal(poll(&p, 1, PEER_WAIT_MS), 1);
	n = recv(fd, at, room, MSG_PEEK);
	if (n <= 0)
		return 0;
	end = memchr(at, '\n', (size_t)n);
	if (end)
		n = end + 1 - at;
	assert_int_equal(recv(fd, at, (size_t)n, 0), n);
	return (size_t)n;
}

/* One message without its CRLF; NULL: the server closed. Freed by caller. */
static inline char *peer_line(int fd)
{
	size_t cap = 1 << 20, n = 0, got;
	char *line = malloc(cap);

	assert_non_null(line);
	while ((got = peer_part(fd, line + n, cap - n))) {
		n += got;
		if (line[n - 1] != '\n')
			continue;
		assert_true(n >= 2 && line[n - 2] == '\r');
		line[n - 2] = '\0';
		return line;
	}
	free(line);
	return NULL;
}

static inline void peer_expect(int fd, const char *want)
{
	char *line = peer_line(fd);

	assert_non_null(line);
	assert_string_equal(line, want);
	free(line);
}

/* The same, where only a part is known. */
static inline void peer_expect_part(int fd, const char *want)
{
	char *line = peer_line(fd);

	assert_non_null(line);
	if (!strstr(line, want))
		fail_msg("\"%s\" is not in %s", want, line);
	free(line);
}

static inline void peer_expect_end(int fd)
{
	char *line = peer_line(fd);

	if (line)
		fail_msg("the end was expected, not %s", line);
	close(fd);
}

static inline int peer_negotiated(const struct peer_vm *vm)
{
	int fd = peer_connect(vm);

	peer_expect_part(fd, "{\"QMP\": {\"version\": {\"qemu\": {");
	peer_say(fd, "{\"execute\":\"qmp_capabilities\"}\n");
	peer_expect(fd, "{\"return\": {}}");
	return fd;
}

/* Ends the server with the command, and everything with it. */
static inline void peer_close(struct peer_vm *vm)
{
	int fd = peer_negotiated(vm);

	peer_say(fd, "{\"execute\":\"quit\"}");
	pthread_join(vm->thread, NULL);
	control_close(&vm->control);
	peer_expect_part(fd, "\"reason\": \"host-qmp-quit\"");
	peer_expect(fd, "{\"return\": {}}");
	peer_expect_end(fd);
	assert_int_equal(access(vm->path, F_OK), -1);
	event_close(&vm->event);
	rmdir(vm->dir);
}

#endif
