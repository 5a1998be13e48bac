/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits: carrelctl's verbs about disks and networks that run: how fast they
 * may be, and how large.
 */
#ifndef CARREL_VMM_CTL_LIMITS_H
#define CARREL_VMM_CTL_LIMITS_H

#include "vmm/ctl/verbs.h"

/* [NAME [LIMIT=N]...]: shows limits, or sets those of one device. */
int verb_limit(struct ctl *c);

/* NAME [SIZE] */
int verb_resize(struct ctl *c);

#endif
