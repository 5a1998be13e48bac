/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qmp_reply_fuzz: everything that a server sends during an attestation. It has
 * no keys: whatever it says, the attestation must not succeed.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sev/owner/attest.h"
#include "vmm/qmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static const struct tk tk = { { 1 }, { 2 } };
	static struct secret_table table;
	const struct attest_job job = { .tk = &tk, .table = &table };
	struct qmp *q = malloc(sizeof(*q));
	int fds[2], rc;

	if (!q || socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		abort();
	secret_table_init(&table);
	/* All at once, then the end: the client never waits. */
	if (send(fds[1], p, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		len = 0;
	shutdown(fds[1], SHUT_WR);
	rc = qmp_start(q, fds[0], 5);
	if (!rc)
		rc = attest_dialogue(q, &job);
	if (!rc)
		abort();
	qmp_close(q);
	close(fds[1]);
	free(q);
	return 0;
}
