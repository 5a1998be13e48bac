/* SPDX-License-Identifier: Apache-2.0 */
/*
 * acceptor: takes the clients of a listening socket. Whoever may connect can
 * also connect without end, and the host may have run out of descriptors: then
 * the clients wait in the socket's backlog and it is asked again a little
 * later, and the log gets a line now and then, not one a client. Runs in the
 * main thread, on the event loop.
 */
#ifndef CARREL_VMM_ACCEPTOR_H
#define CARREL_VMM_ACCEPTOR_H

#include "vmm/event.h"

struct acceptor {
	const char *name; /* for log lines */
	struct event *event; /* NULL: not open */
	int listen_fd, timer_fd;
	void (*client)(void *ctx, int fd);
	void *ctx;
	bool starved; /* of descriptors or memory; said once */
	unsigned unsaid; /* clients turned away without a line */
	uint64_t said_ns; /* when the last such line was written; 0: never */
};

/*
 * Puts the socket, which stays the caller's, into the loop. client takes over
 * each new descriptor: close-on-exec, non-blocking.
 */
int acceptor_open(struct acceptor *a, struct event *e, const char *name,
		  int listen_fd, void (*client)(void *ctx, int fd),
		  void *ctx) MUST_USE;
void acceptor_close(struct acceptor *a);

/* Turns a client away: from client, in place of keeping fd. */
void acceptor_refuse(struct acceptor *a, int fd, const char *why);

#endif
