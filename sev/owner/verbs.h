/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verbs: what carrel-sev does under each name, apart from the two verbs that
 * plan a launch image, which main.c adds. Each returns an exit status
 * (options.h); results go to standard output, reasons to standard error.
 */
#ifndef CARREL_SEV_OWNER_VERBS_H
#define CARREL_SEV_OWNER_VERBS_H

#include "sev/owner/options.h"
#include "sev/owner/secret.h"

int verb_export(const struct args *a);
int verb_verify_chain(const struct args *a);
int verb_session(const struct args *a);
int verb_measure(const struct args *a);
int verb_verify(const struct args *a);
int verb_secret(const struct args *a);
int verb_show(const struct args *a);

/* Refuses a policy that no platform takes; warns of one that lets debug. */
int verbs_policy(uint32_t policy) MUST_USE;

/* The table of --entry and --passwd-file; NULL after a log line. */
struct secret_table *verbs_table(const struct args *a);

#endif
