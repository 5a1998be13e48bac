/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpuid: SEV in the leaves that KVM offers to a program, and in those that a
 * program gives to a guest. Pure but for the host's own address width.
 */
#ifndef CARREL_EMU_CPUID_H
#define CARREL_EMU_CPUID_H

#include <linux/kvm.h>

#include "vmm/num.h"

#define CPUID_MAX 512 /* leaves; KVM allows 256 */

/* The C-bit: bit 47, or the host's highest address bit below that. */
unsigned cpuid_c_bit(void);

/*
 * What KVM supports, with SEV: changes c in place, adds a leaf where room
 * (entries) allows; -E2BIG as KVM says it.
 */
int cpuid_offer(struct kvm_cpuid2 *c, uint32_t room, unsigned c_bit) MUST_USE;

/* What a guest's CPU will say: changes c in place. */
void cpuid_guest(struct kvm_cpuid2 *c, unsigned c_bit);

#endif
