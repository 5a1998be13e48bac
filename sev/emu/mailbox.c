/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailbox: see the header.
 */
#include "sev/emu/mailbox.h"

#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

#include "sev/emu/stub.h"

enum turn { TURN_IDLE, TURN_ASKED, TURN_DONE };

static void *loop(void *arg)
{
	struct mailbox *m = arg;

	for (;;) {
		while (word_get(&m->turn) != TURN_ASKED)
			word_wait(&m->turn,
				  word_get(&m->turn) == TURN_DONE ? TURN_DONE
								  : TURN_IDLE,
				  0);
		m->fn(m->arg);
		word_set(&m->turn, TURN_DONE);
	}
	return NULL;
}

/* A child of fork() has no such thread: it gets one when it asks. */
static int start(struct mailbox *m)
{
	pid_t me = (pid_t)STUB(SYS_getpid, 0, 0, 0, 0, 0, 0);
	sigset_t all, before;
	pthread_t t;
	int rc;

	if (m->owner == me)
		return 0;
	m->turn = TURN_IDLE;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = -pthread_create(&t, NULL, loop, m);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc)
		return rc;
	pthread_detach(t);
	m->owner = me;
	return 0;
}

int mailbox_call(struct mailbox *m, void (*fn)(void *arg), void *arg)
{
	int rc;

	lock_take(&m->lock);
	rc = start(m);
	if (!rc) {
		m->fn = fn;
		m->arg = arg;
		word_set(&m->turn, TURN_ASKED);
		while (word_get(&m->turn) != TURN_DONE)
			word_wait(&m->turn, TURN_ASKED, 0);
		word_set(&m->turn, TURN_IDLE);
	}
	lock_drop(&m->lock);
	return rc;
}
