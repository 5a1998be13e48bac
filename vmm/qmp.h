/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qmp: a client of a VMM's control socket (QEMU Machine Protocol), for
 * carrelctl and for carrel-sev; no part of carrel itself. The server is not
 * trusted: the length of a line, the depth of its JSON, the number of events
 * before an answer and the time for everything are all bounded.
 */
#ifndef CARREL_VMM_QMP_H
#define CARREL_VMM_QMP_H

#include <jansson.h>

#include "vmm/num.h"

#define QMP_LINE_MAX (64 * 1024) /* a line of the server's */
#define QMP_DEPTH_MAX 16
#define QMP_EVENTS_MAX 256 /* while waiting for one answer */

struct qmp {
	int fd;
	int64_t deadline_ms; /* CLOCK_MONOTONIC */
	unsigned id; /* of the last command */
	size_t have; /* bytes in buf */
	char why[512]; /* the last failure, in words */
	char buf[QMP_LINE_MAX];
};

/* Takes a connected socket; fd is closed by qmp_close. */
int qmp_start(struct qmp *q, int fd, unsigned timeout_s) MUST_USE;

/* Connects to a Unix socket, then as above. */
int qmp_open(struct qmp *q, const char *path, unsigned timeout_s) MUST_USE;

/*
 * One command. args: stolen, may be NULL. *ret: the answer's "return", to be
 * released by json_decref. -EREMOTEIO: the server's own error; -EPROTO: no
 * proper answer; -ETIMEDOUT; -ECONNRESET. why says it in words.
 */
int qmp_command(struct qmp *q, const char *name, json_t *args,
		json_t **ret) MUST_USE;

/*
 * The next event, which the caller releases. Those that came while a command
 * waited for its answer are gone. Errors as above.
 */
int qmp_event(struct qmp *q, json_t **event) MUST_USE;

/* So many seconds without a command; what events come are gone. */
int qmp_rest(struct qmp *q, unsigned seconds) MUST_USE;

/* Time for what comes next, in place of what is left; 0: no limit. */
void qmp_set_limit(struct qmp *q, unsigned timeout_s);

void qmp_close(struct qmp *q);

/* One line as a JSON object of bounded depth, or NULL. Pure, for fuzzing. */
json_t *qmp_parse(const char *line, size_t len);

#endif
