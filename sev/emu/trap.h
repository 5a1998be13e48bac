/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trap: a thread that hears of accesses to a page that is not known to be what
 * the access takes it for, and decides what it is. Only the vCPU that made the
 * access knows: it is interrupted out of KVM_RUN, and its own thread looks at
 * its registers (vcpu.h).
 */
#ifndef CARREL_EMU_TRAP_H
#define CARREL_EMU_TRAP_H

#include "sev/emu/view.h"
#include "sev/emu/vm.h"

int trap_start(struct vm *vm) MUST_USE;

/* Lets the thread that calls be interrupted; once per vCPU's thread. */
void trap_admit(void);

#endif
