/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qmp: lines out, lines in, one command at a time.
 */
#include "vmm/qmp.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "vmm/log.h"

static int fail(struct qmp *q, int rc, const char *fmt, ...) PRINTF_LIKE(3, 4);
static int fail(struct qmp *q, int rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(q->why, sizeof(q->why), fmt, ap);
	va_end(ap);
	return rc;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits for events on the socket until the deadline of the whole dialogue. */
static int wait_for(struct qmp *q, short events)
{
	struct pollfd p = { .fd = q->fd, .events = events };

	for (;;) {
		int64_t left = q->deadline_ms - now_ms();
		int n;

		if (left <= 0)
			return fail(q, -ETIMEDOUT, "no answer in time");
		n = poll(&p, 1, (int)min_u64((uint64_t)left, INT_MAX));
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return fail(q, -errno, "poll: %s", strerror(errno));
	}
}

static int send_all(struct qmp *q, const char *p, size_t len)
{
	while (len) {
		int rc = wait_for(q, POLLOUT);
		ssize_t n;

		if (rc)
			return rc;
		n = send(q->fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n < 0)
			return fail(q, -errno, "cannot send: %s",
				    strerror(errno));
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* How deep the objects and arrays of a line are nested, strings left out. */
static bool depth_ok(const char *line, size_t len)
{
	bool in_string = false;
	unsigned depth = 0;

	for (size_t i = 0; i < len; i++) {
		char c = line[i];

		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && (c == '{' || c == '['))
			depth++;
		else if (!in_string && depth && (c == '}' || c == ']'))
			depth--;
		if (depth > QMP_DEPTH_MAX)
			return false;
	}
	return true;
}

json_t *qmp_parse(const char *line, size_t len)
{
	json_t *v;

	/* Before the parser, which recurses: the bound must be ours. */
	if (len > QMP_LINE_MAX || !depth_ok(line, len))
		return NULL;
	v = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	if (v && !json_is_object(v)) {
		json_decref(v);
		return NULL;
	}
	return v;
}

/* Takes the line that ends at buf[end] out of the buffer, parsed. */
static int take_line(struct qmp *q, size_t end, json_t **out)
{
	*out = qmp_parse(q->buf, end);
	q->have -= end + 1;
	bytes_move(q->buf, sizeof(q->buf), q->buf + end + 1, q->have);
	return *out ? 0
		    : fail(q, -EPROTO,
			   "the server sent a line that is no "
			   "JSON object");
}

static int read_line(struct qmp *q, json_t **out)
{
	size_t seen = 0;

	for (;;) {
		char *nl = memchr(q->buf + seen, '\n', q->have - seen);
		ssize_t n;
		int rc;

		if (nl)
			return take_line(q, (size_t)(nl - q->buf), out);
		if (q->have == sizeof(q->buf))
			return fail(q, -EPROTO,
				    "the server sent a line of "
				    "more than %d bytes",
				    QMP_LINE_MAX);
		seen = q->have;
		rc = wait_for(q, POLLIN);
		if (rc)
			return rc;
		n = recv(q->fd, q->buf + q->have, sizeof(q->buf) - q->have,
			 MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0)
			return fail(q, -ECONNRESET,
				    "the server closed the connection");
		q->have += (size_t)n;
	}
}

/* The server's error as one line: its text may hold anything. */
static int fail_remote(struct qmp *q, const char *name, json_t *error)
{
	const char *desc = json_string_value(json_object_get(error, "desc"));

	fail(q, -EREMOTEIO, "the server refused %s: %.400s", name,
	     desc ? desc : "no reason given");
	for (char *p = q->why; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	return -EREMOTEIO;
}

/* The next line that is no event. */
static int read_answer(struct qmp *q, json_t **out)
{
	for (unsigned i = 0; i <= QMP_EVENTS_MAX; i++) {
		int rc = read_line(q, out);

		if (rc || !json_object_get(*out, "event"))
			return rc;
		json_decref(*out);
	}
	return fail(q, -EPROTO,
		    "the server sent more than %d events instead "
		    "of an answer",
		    QMP_EVENTS_MAX);
}

static int read_return(struct qmp *q, const char *name, json_t **ret)
{
	json_t *answer, *id, *value, *error;
	int rc = read_answer(q, &answer);

	if (rc)
		return rc;
	id = json_object_get(answer, "id");
	value = json_object_get(answer, "return");
	error = json_object_get(answer, "error");
	if (!json_is_integer(id) || json_integer_value(id) != q->id)
		rc = fail(q, -EPROTO, "the answer to %s has another id", name);
	else if (error)
		rc = fail_remote(q, name, error);
	else if (!value)
		rc = fail(q, -EPROTO,
			  "the answer to %s is neither return nor "
			  "error",
			  name);
	else
		*ret = json_incref(value);
	json_decref(answer);
	return rc;
}

/* Steals command. */
static int send_json(struct qmp *q, json_t *command)
{
	char *text = command ? json_dumps(command, JSON_COMPACT) : NULL;
	int rc;

	json_decref(command);
	if (!text)
		return fail(q, -ENOMEM, "no memory for a command");
	rc = send_all(q, text, strlen(text));
	if (!rc)
		rc = send_all(q, "\n", 1);
	free(text);
	return rc;
}

int qmp_command(struct qmp *q, const char *name, json_t *args, json_t **ret)
{
	json_t *c = json_pack("{s:s, s:i, s:o*}", "execute", name, "id",
			      (int)++q->id, "arguments", args);
	int rc = send_json(q, c);

	return rc ? rc : read_return(q, name, ret);
}

int qmp_event(struct qmp *q, json_t **event)
{
	int rc = read_line(q, event);

	if (rc || json_is_string(json_object_get(*event, "event")))
		return rc;
	json_decref(*event);
	return fail(q, -EPROTO,
		    "the server sent an answer that nobody asked "
		    "for");
}

void qmp_set_limit(struct qmp *q, unsigned timeout_s)
{
	q->deadline_ms = timeout_s ? now_ms() + (int64_t)timeout_s * 1000
				   : INT64_MAX;
}

int qmp_rest(struct qmp *q, unsigned seconds)
{
	json_t *event;
	int rc;

	qmp_set_limit(q, seconds);
	while (!(rc = qmp_event(q, &event)))
		json_decref(event);
	return rc == -ETIMEDOUT ? 0 : rc;
}

int qmp_start(struct qmp *q, int fd, unsigned timeout_s)
{
	json_t *v;
	int rc;

	*q = (struct qmp){
		.fd = fd,
		.deadline_ms = now_ms() + (int64_t)timeout_s * 1000,
	};
	rc = read_answer(q, &v);
	if (rc)
		return rc;
	if (!json_is_object(json_object_get(v, "QMP")))
		rc = fail(q, -EPROTO, "the server's greeting is not QMP's");
	json_decref(v);
	if (rc)
		return rc;
	rc = qmp_command(q, "qmp_capabilities", NULL, &v);
	if (!rc)
		json_decref(v);
	return rc;
}

/* The limit is for a server that does not accept: connect(2) waits for it. */
static int connect_to(int fd, const struct sockaddr_un *to, unsigned timeout_s)
{
	const struct timeval limit = { .tv_sec = timeout_s, .tv_usec = 1 };

	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)))
		return -errno;
	if (!connect(fd, (const struct sockaddr *)to, sizeof(*to)))
		return 0;
	return errno == EAGAIN ? -ETIMEDOUT : -errno;
}

int qmp_open(struct qmp *q, const char *path, unsigned timeout_s)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd, rc;

	*q = (struct qmp){ .fd = -1 };
	if (strlen(path) >= sizeof(to.sun_path))
		return fail(q, -ENAMETOOLONG,
			    "a socket's path has at most "
			    "%zu bytes",
			    sizeof(to.sun_path) - 1);
	bytes_copy(to.sun_path, sizeof(to.sun_path), path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(q, -errno, "socket: %s", strerror(errno));
	rc = connect_to(fd, &to, timeout_s);
	if (rc) {
		close(fd);
		return fail(q, rc, "cannot connect to %.120s: %s", path,
			    strerror(-rc));
	}
	return qmp_start(q, fd, timeout_s);
}

void qmp_close(struct qmp *q)
{
	if (q->fd >= 0)
		close(q->fd);
	q->fd = -1;
}
