/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attest: the owner's side of a launch in one go, over the VMM's QMP socket.
 * The VMM and its host are the adversary: their answers are believed only as
 * far as the measurement, made with a key they do not have, confirms them.
 */
#ifndef CARREL_SEV_OWNER_ATTEST_H
#define CARREL_SEV_OWNER_ATTEST_H

#include "sev/owner/keys.h"
#include "sev/owner/secret.h"

struct attest_job {
	const char *socket;
	const struct tk *tk;
	const struct secret_table *table;
	uint8_t digest[32]; /* what must have been loaded */
	uint32_t policy;
	uint8_t min_major, min_minor; /* oldest SEV API to accept */
	unsigned wait_s; /* for the socket to be there */
	unsigned timeout_s; /* for all the rest */
};

/*
 * 0: verified, secret sent, guest started. -EBADMSG: a check failed; another
 * -errno: a step did. The guest then was not started, no secret was sent unless
 * every check had passed, and one log line says which check or step it was.
 */
int attest_run(const struct attest_job *job) MUST_USE;

/* The same over a connection that is already open. */
struct qmp;
int attest_dialogue(struct qmp *q, const struct attest_job *job) MUST_USE;

#endif
