/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail: what a thread may still ask of the kernel once everything is open. The
 * guest drives the vCPU and worker threads, clients of the control socket the
 * main thread: if one of them takes a thread over, this is what it gets. Each
 * role is a const table of system calls, arguments matched where they matter;
 * anything else ends the process (SIGSYS).
 */
#ifndef CARREL_VMM_JAIL_H
#define CARREL_VMM_JAIL_H

#include "vmm/num.h"

enum jail_role {
	JAIL_MAIN,
	JAIL_VCPU,
	JAIL_WORKER,
	JAIL_VSOCK, /* the vsock device's worker */
	JAIL_VHOST, /* that of a device that another process serves */
	JAIL_KERNEL, /* that of a device that the host's kernel serves */
	JAIL_DIALER, /* the process beside it, which connects */
	JAIL_ROLES
};

#define JAIL_REMOVABLE 5

/* Names that the process will remove or swap; NULL: no such name. */
struct jail_options {
	const char *removable[JAIL_REMOVABLE];
};

/*
 * Once, in the main thread, when nothing is to be opened any more: no core
 * dumps, no ptrace by others of this user, no descriptor that our parent left
 * open, no capability, no file to be removed outside the directories of those
 * that may be. Threads that exist already give up theirs in jail_thread.
 * -errno after a log line.
 */
int jail_process(const struct jail_options *o) MUST_USE;

/* In each thread, on itself, for good. -errno after a log line. */
int jail_thread(enum jail_role role) MUST_USE;

/* The tables, for jail.c and its test. */

#define JAIL_MATCHES 2

enum jail_op {
	JAIL_ANY, /* no condition */
	JAIL_EQUAL, /* argument == value */
	JAIL_CLEAR, /* no bit of value is set */
	JAIL_SET, /* every bit of value is set */
	JAIL_SELF, /* argument is this process's id */
};

struct jail_match {
	enum jail_op op;
	unsigned arg;
	uint64_t value;
};

struct jail_rule {
	int call;
	struct jail_match match[JAIL_MATCHES]; /* all must hold */
	const char *why;
};

struct jail_table {
	const struct jail_rule *rule;
	size_t n;
};

/* What every role may do, and what this one may do besides. */
extern const struct jail_table jail_common;
extern const struct jail_table jail_table[JAIL_ROLES];

#endif
