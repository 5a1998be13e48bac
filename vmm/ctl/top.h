/* SPDX-License-Identifier: Apache-2.0 */
/*
 * top: how fast a VM's counters grow. They are the VM's word: a counter that
 * is missing, or went backwards, grows by nothing.
 */
#ifndef CARREL_VMM_CTL_TOP_H
#define CARREL_VMM_CTL_TOP_H

#include <jansson.h>

#include "vmm/ctl/verbs.h"

/*
 * What happened between two answers of x-carrel-counters: {seconds, per-second:
 * {cpu-ns, vcpus, disks}, memory}, each number below per-second as a real, and
 * memory as the later answer has it. New reference.
 */
json_t *top_rates(const json_t *before, const json_t *after) MUST_USE;

/* The verb: a table or an object every so often, until count or the end. */
int verb_top(struct ctl *c);

#endif
