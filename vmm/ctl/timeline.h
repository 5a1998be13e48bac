/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timeline: the verb that shows what took a VM's time: a table with bars, JSON
 * or a picture in a file. The VM is not trusted: see vmm/timeline_report.h.
 */
#ifndef CARREL_VMM_CTL_TIMELINE_H
#define CARREL_VMM_CTL_TIMELINE_H

#include <stdio.h>

#include "vmm/ctl/verbs.h"
#include "vmm/timeline_report.h"

int verb_timeline(struct ctl *c);

/* In columns characters, at least 60; unicode: bars of eighths. Pure. */
void timeline_table(FILE *f, const struct report *r, unsigned columns,
		    bool unicode);

#endif
