/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control: the control socket, which speaks QEMU's QMP. Whoever can open the
 * socket may run the VM's commands, so it is created 0600; still every byte of
 * a client is hostile: a client that stalls, floods or sends garbage harms only
 * itself. Everything runs in the main thread, on its event loop.
 *
 * System calls after opening: accept4, recvfrom, sendto, epoll_ctl, shutdown,
 * close, clock_gettime, timerfd_settime; stat and unlink at the end.
 */
#ifndef CARREL_VMM_CONTROL_H
#define CARREL_VMM_CONTROL_H

#include "vmm/acceptor.h"
#include "vmm/control_command.h"
#include "vmm/socket.h"
#include "vmm/event.h"
#include "vmm/num.h"

#define CONTROL_CLIENTS 16
#define CONTROL_MESSAGE_MAX (64 * KIB) /* bytes of one JSON value */
#define CONTROL_DEPTH_MAX 32 /* nested objects and arrays */
#define CONTROL_OUTPUT_MAX (256 * KIB) /* unread by a client: it is cut off */
#define CONTROL_COMMANDS 48

/*
 * What the VM offers. Events (STOP, RESUME, ...) are sent by whoever changes
 * the state, with control_event, not by the commands here.
 */
struct control_vm {
	int (*stop)(void *ctx, struct control_error *err);
	int (*cont)(void *ctx, struct control_error *err);
	int (*powerdown)(void *ctx, struct control_error *err);
	int (*reset)(void *ctx, struct control_error *err);
	void (*quit)(void *ctx); /* must return: the reply is sent */
	const char *(*status)(void *ctx); /* a QEMU RunState: "running" */
	unsigned (*cpus)(void *ctx);
	pid_t (*cpu_thread)(void *ctx, unsigned cpu);
	const char *(*name)(void *ctx); /* NULL: the VM has none */
};

struct control_client;

struct control {
	struct event *event;
	int fd; /* listening; -1: not open */
	struct acceptor acceptor;
	struct socket_file file;
	const struct control_vm *vm;
	void *vm_ctx;
	struct control_command command[CONTROL_COMMANDS];
	size_t n_commands;
	struct control_client *client[CONTROL_CLIENTS];
};

/*
 * Listens at path. A socket file that nobody serves any more is replaced;
 * -EADDRINUSE: a live process serves it, or it is no socket. One log line on
 * failure. vm and ctx must live until control_close.
 */
int control_open(struct control *c, struct event *e, const char *path,
		 const struct control_vm *vm, void *ctx) MUST_USE;

/*
 * The same on a listening socket that somebody else made, and whose file is
 * theirs: taken over, unless this fails.
 */
int control_take(struct control *c, struct event *e, int fd,
		 const struct control_vm *vm, void *ctx) MUST_USE;

/* Adds a command (copied; its strings are kept by reference). */
int control_register(struct control *c,
		     const struct control_command *cmd) MUST_USE;

/* The same of n commands, up to the first that is refused. */
int control_register_all(struct control *c, const struct control_command *cmd,
			 size_t n) MUST_USE;

/*
 * Sends an event to every client past negotiation. data: the event's object,
 * whose reference is taken over, or NULL. Does nothing on a control that is
 * not open, so callers need not ask.
 */
void control_event(struct control *c, const char *name, json_t *data);

/* SHUTDOWN or RESET with QEMU's ShutdownCause: "guest-shutdown", ... */
void control_event_cause(struct control *c, const char *name, bool guest,
			 const char *reason);

/* Sends what clients will still take, closes and removes the socket. */
void control_close(struct control *c);

#endif
