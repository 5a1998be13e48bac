/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vcpu: KVM_RUN of a SEV guest. Exits that exist only because of the emulation
 * are answered here; those that hardware would give too go to the program, an
 * MMIO address without the C-bit. The guest is hostile.
 */
#ifndef CARREL_EMU_VCPU_H
#define CARREL_EMU_VCPU_H

#include "sev/emu/emu.h"

/*
 * The KVM_RUN itself is the program's own, judged by its seccomp filter.
 * Returns 0 or -errno.
 */
int vcpu_run(struct vcpu *v, const struct emu *e, void *arg) MUST_USE;

#endif
