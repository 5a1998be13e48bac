/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control_fuzz: bytes are what one client of the control socket sends before it
 * says no more; the first byte chooses how many of them come at once. Whatever
 * they are, every reply is a line of ASCII JSON, ended by CRLF, and the
 * connection is closed in the end.
 */
#include "vmm/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct client {
	struct event *event;
	const uint8_t *data;
	size_t len, chunk;
	char line[4 * CONTROL_MESSAGE_MAX];
	size_t have;
};

static int verb(void *ctx, struct control_error *err)
{
	(void)ctx;
	(void)err;
	return 0;
}

static void quit(void *ctx)
{
	(void)ctx;
}

static const char *text(void *ctx)
{
	(void)ctx;
	return "running";
}

static unsigned cpus(void *ctx)
{
	(void)ctx;
	return 1;
}

static pid_t cpu_thread(void *ctx, unsigned cpu)
{
	(void)ctx;
	return (pid_t)cpu + 1;
}

static const struct control_vm vm = {
	.stop = verb,
	.cont = verb,
	.powerdown = verb,
	.reset = verb,
	.quit = quit,
	.status = text,
	.cpus = cpus,
	.cpu_thread = cpu_thread,
	.name = text,
};

static int echo(void *ctx, const json_t *args, json_t **ret,
		struct control_error *err)
{
	struct control *c = ctx;

	(void)err;
	*ret = json_deep_copy(args);
	control_event(c, "ECHO", json_deep_copy(args));
	return 0;
}

static const struct control_arg echo_args[] = {
	{ "text", CONTROL_STRING, true },
	{ "number", CONTROL_UINT64, true },
	{ "list", CONTROL_LIST, true },
	{ 0 },
};

/* One byte of the server's: whole lines must be what is promised. */
static void take(struct client *cl, char byte)
{
	json_t *v;

	CHECK(cl->have < sizeof(cl->line) && !(byte & 0x80));
	cl->line[cl->have++] = byte;
	if (byte != '\n')
		return;
	CHECK(cl->have > 2 && cl->line[cl->have - 2] == '\r');
	v = json_loadb(cl->line, cl->have - 2, JSON_REJECT_DUPLICATES, NULL);
	CHECK(json_is_object(v));
	json_decref(v);
	cl->have = 0;
}

static void client_ready(void *ctx, int fd, uint32_t events)
{
	struct client *cl = ctx;
	size_t n = (size_t)min_u64(cl->len, cl->chunk);
	char buf[4096];
	ssize_t got;

	(void)events;
	if (n &&
	    send(fd, cl->data, n, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)n) {
		cl->data += n;
		cl->len -= n;
		if (!cl->len)
			shutdown(fd, SHUT_WR);
	}
	got = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
	for (ssize_t i = 0; i < got; i++)
		take(cl, buf[i]);
	if (got == 0 || (got < 0 && errno != EAGAIN))
		event_stop(cl->event);
}

static int connect_to(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	CHECK(!connect(fd, (struct sockaddr *)&a, sizeof(a)));
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct event event;
	static struct control control;
	static struct client client;
	char path[64];
	int fd;

	if (len < 2)
		return 0;
	snprintf(path, sizeof(path), "/tmp/control_fuzz.%d", (int)getpid());
	CHECK(!event_open(&event));
	CHECK(!control_open(&control, &event, path, &vm, NULL));
	CHECK(!control_register(&control,
				&(struct control_command){ "x-echo", echo_args,
							   echo, &control }));
	client.event = &event;
	client.data = data + 1;
	client.len = len - 1;
	client.chunk = 1u + (size_t)data[0] * data[0];
	fd = connect_to(path);
	CHECK(!event_add(&event, fd, EPOLLIN | EPOLLOUT, client_ready,
			 &client));
	CHECK(!event_run(&event));
	event_remove(&event, fd);
	close(fd);
	CHECK(client.have == 0);
	control_close(&control);
	event_close(&event);
	return 0;
}
