/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mishap: what becomes of a guest that panicked, crashed or hung: the policies
 * of --panic and --watchdog (QEMU's -action panic= and watchdog=), told as the
 * events GUEST_PANICKED, GUEST_CRASHLOADED and WATCHDOG. A guest may panic as
 * often as it likes: one that goes on is told of once a second. Main thread
 * only.
 */
#ifndef CARREL_VMM_MISHAP_H
#define CARREL_VMM_MISHAP_H

#include "vmm/machine.h"

/* It said so itself, and its vCPU waits. Not called with PANIC_NONE. */
void mishap_panic(struct machine *m);

/*
 * Triple fault, KVM internal error: a vCPU that cannot go on. why: static text.
 * PANIC_NONE is like PANIC_SHUTDOWN here, as there is nothing left to run.
 */
void mishap_crash(struct machine *m, const char *why);

/* notes: bits of enum power_note. */
void mishap_notes(struct machine *m, unsigned notes);

#endif
