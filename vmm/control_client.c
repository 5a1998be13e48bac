/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection is closed in one place only, the end of its own event handler:
 * anything that decides on its end earlier marks it dead. Sending an event to
 * all clients can thus never free one that is in the middle of a command.
 */
#include "vmm/control_client.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmm/log.h"

/*
 * The peer sees the end at once; our handler is woken by EPOLLHUP, which is
 * reported whatever we asked for.
 */
static void client_kill(struct control_client *cl)
{
	cl->dead = true;
	shutdown(cl->fd, SHUT_RDWR);
}

static void client_flush(struct control_client *cl)
{
	while (!cl->dead && cl->out_sent < cl->out_len) {
		ssize_t n = send(cl->fd, cl->out + cl->out_sent,
				 cl->out_len - cl->out_sent,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n >= 0)
			cl->out_sent += (size_t)n;
		else if (errno == EAGAIN)
			return;
		else if (errno != EINTR)
			client_kill(cl);
	}
	if (cl->out_sent == cl->out_len)
		cl->out_sent = cl->out_len = 0;
}

/* What the handler waits for: room for replies first, commands after that. */
static void client_wait(struct control_client *cl)
{
	uint32_t want = cl->out_len ? EPOLLOUT : EPOLLIN;

	if (!cl->dead && event_change(cl->control->event, cl->fd, want))
		client_kill(cl);
}

static bool client_append(struct control_client *cl, const char *text,
			  size_t len)
{
	size_t left = cl->out_len - cl->out_sent;
	char *grown;

	if (!range_ok(left, len, CONTROL_OUTPUT_MAX))
		return false;
	if (cl->out_sent)
		bytes_move(cl->out, cl->out_len, cl->out + cl->out_sent, left);
	cl->out_sent = 0;
	cl->out_len = left;
	grown = realloc(cl->out, left + len);
	if (!grown)
		return false;
	cl->out = grown;
	bytes_copy(grown + left, len, text, len);
	cl->out_len += len;
	return true;
}

void control_send(struct control_client *cl, json_t *msg)
{
	/* The specification: ASCII only, each message ended by CRLF. */
	char *text = msg ? json_dumps(msg, JSON_ENSURE_ASCII) : NULL;
	bool ok;

	json_decref(msg);
	if (cl->dead) {
		free(text);
		return;
	}
	ok = text && client_append(cl, text, strlen(text)) &&
	     client_append(cl, "\r\n", 2);
	free(text);
	if (!ok) {
		log_warn("control: a client does not read what it is sent "
			 "(limit %llu bytes) and is cut off",
			 CONTROL_OUTPUT_MAX);
		client_kill(cl);
		return;
	}
	client_flush(cl);
	client_wait(cl);
}

/* Frames what has been read and runs it, until replies have to wait. */
static void client_work(struct control_client *cl)
{
	size_t start = 0;

	while (!cl->dead && !cl->out_len && cl->in_seen < cl->in_len) {
		size_t at = cl->in_seen++;
		enum frame_step step = frame_feed(&cl->frame, cl->in[at]);

		switch (step) {
		case FRAME_PART: continue;
		case FRAME_SPACE: break;
		case FRAME_END:
			control_message(cl, cl->in + start, at + 1 - start);
			break;
		case FRAME_END_BEFORE:
			control_message(cl, cl->in + start, at - start);
			cl->in_seen = at;
			break;
		case FRAME_BAD_BYTE:
		case FRAME_TOO_DEEP:
		case FRAME_TOO_LONG: control_refuse(cl, step); break;
		}
		start = cl->in_seen;
	}
	cl->in_len -= start;
	cl->in_seen -= start;
	bytes_move(cl->in, sizeof(cl->in), cl->in + start, cl->in_len);
}

/* The framer refuses a value before it fills the buffer: there is room. */
static void client_read(struct control_client *cl)
{
	size_t room = sizeof(cl->in) - cl->in_len;
	ssize_t n;

	CHECK(room > 0);
	n = recv(cl->fd, cl->in + cl->in_len, room, MSG_DONTWAIT);
	if (n > 0)
		cl->in_len += (size_t)n;
	else if (n == 0)
		cl->eof = true;
	else if (errno != EAGAIN && errno != EINTR)
		client_kill(cl);
}

static void client_ready(void *ctx, int fd, uint32_t events)
{
	struct control_client *cl = ctx;

	(void)fd;
	(void)events;
	client_flush(cl);
	client_work(cl);
	if (!cl->dead && !cl->out_len && !cl->eof) {
		client_read(cl);
		client_work(cl);
	}
	if (cl->dead || (cl->eof && !cl->out_len))
		control_client_close(cl);
	else
		client_wait(cl);
}

void control_client_close(struct control_client *cl)
{
	struct control *c = cl->control;

	client_flush(cl);
	event_remove(c->event, cl->fd);
	close(cl->fd);
	free(cl->out);
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		if (c->client[i] == cl)
			c->client[i] = NULL;
	free(cl);
}

static int client_keep(struct control *c, int fd)
{
	struct control_client *cl;
	size_t slot = 0;
	int rc;

	while (slot < CONTROL_CLIENTS && c->client[slot])
		slot++;
	if (slot == CONTROL_CLIENTS)
		return -EUSERS;
	cl = calloc(1, sizeof(*cl));
	if (!cl)
		return -ENOMEM;
	cl->control = c;
	cl->fd = fd;
	rc = event_add(c->event, fd, EPOLLIN, client_ready, cl);
	if (rc) {
		free(cl);
		return rc;
	}
	c->client[slot] = cl;
	control_send(cl, control_greeting());
	return 0;
}

void control_client_open(void *ctx, int fd)
{
	struct control *c = ctx;
	int rc = client_keep(c, fd);

	if (rc)
		acceptor_refuse(&c->acceptor, fd,
				rc == -EUSERS ? "too many are connected"
					      : strerror(-rc));
}
