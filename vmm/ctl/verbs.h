/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verbs: what carrelctl can be told to do, each over a connection that is made
 * when it first asks, once its own words have been checked. A verb prints its
 * result and returns an exit status (enum ctl_status); if it fails, one log
 * line says why.
 */
#ifndef CARREL_VMM_CTL_VERBS_H
#define CARREL_VMM_CTL_VERBS_H

#include "vmm/ctl/options.h"
#include "vmm/qmp.h"

struct ctl {
	struct options o;
	struct qmp q; /* fd: -1 until a verb asks */
};

/* One command; args: stolen, may be NULL. *ret is the caller's on CTL_OK. */
int verb_ask(struct ctl *c, const char *command, json_t *args,
	     json_t **ret) MUST_USE;

/* The same of a command without a result: says nothing, unless in JSON. */
int verb_do(struct ctl *c, const char *command, json_t *args) MUST_USE;

/* The exit status for a failure of the connection's, after its line. */
int verb_fail(const struct ctl *c, int rc);

int verb_status(struct ctl *c);
int verb_stop(struct ctl *c);
int verb_cont(struct ctl *c);
int verb_powerdown(struct ctl *c);
int verb_reset(struct ctl *c);
int verb_quit(struct ctl *c);
int verb_cpus(struct ctl *c);
int verb_counters(struct ctl *c);
int verb_metrics(struct ctl *c);
int verb_balloon(struct ctl *c);
int verb_command(struct ctl *c);
int verb_watch(struct ctl *c);

#endif
