/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailbox: the secure processor is a processor of its own, and so a thread of
 * its own: started before a program locks itself in, it may allocate, read
 * files and write them, whatever the filter of the thread that asks.
 */
#ifndef CARREL_EMU_MAILBOX_H
#define CARREL_EMU_MAILBOX_H

#include <sys/types.h>

#include "sev/emu/lock.h"
#include "vmm/num.h"

struct mailbox {
	struct lock lock;
	uint32_t turn;
	pid_t owner; /* the process whose thread it is; 0: none */
	void (*fn)(void *arg);
	void *arg;
};

/* Runs fn(arg) on the processor's thread and waits for it. */
int mailbox_call(struct mailbox *m, void (*fn)(void *arg), void *arg) MUST_USE;

#endif
