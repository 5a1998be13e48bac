/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control_client: one connection to the control socket: bytes in, framed
 * messages to control.c, replies and events out. What a client can make us keep
 * is bounded: one message of input, CONTROL_OUTPUT_MAX of output. While replies
 * wait to be read, its next commands wait too; one that lets events pile up is
 * cut off. Only control.c and control_client.c include this.
 */
#ifndef CARREL_VMM_CONTROL_CLIENT_H
#define CARREL_VMM_CONTROL_CLIENT_H

#include "vmm/control.h"
#include "vmm/control_json.h"

struct control_client {
	struct control *control;
	int fd;
	bool negotiated; /* qmp_capabilities is done */
	bool eof; /* sends nothing more, but may still read */
	bool dead; /* to be closed by its own event handler */
	struct frame frame;
	size_t in_len; /* bytes in in[] */
	size_t in_seen; /* of these, the framer has seen so many */
	char *out;
	size_t out_len, out_sent;
	uint8_t in[CONTROL_MESSAGE_MAX + 1];
};

/* A new connection, which is kept or turned away; ctx is the control. */
void control_client_open(void *ctx, int fd);

/* Queues a message, whose reference is taken over, and sends what goes. */
void control_send(struct control_client *cl, json_t *msg);

/* Closes and frees; never from inside a command. */
void control_client_close(struct control_client *cl);

/* In control.c: the greeting, a framed value, a stream that broke. */
json_t *control_greeting(void) MUST_USE;
void control_message(struct control_client *cl, const uint8_t *text,
		     size_t len);
void control_refuse(struct control_client *cl, enum frame_step why);

#endif
