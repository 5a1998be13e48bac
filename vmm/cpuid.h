/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpuid: what a guest's CPU says of itself. Starts from what KVM supports on
 * this host and corrects what depends on the VM: APIC ids, topology and, in a
 * SEV guest alone, leaf 0x8000001F. Pure: no system calls.
 */
#ifndef CARREL_VMM_CPUID_H
#define CARREL_VMM_CPUID_H

#include <linux/kvm.h>

#include "vmm/num.h"

struct cpuid_sev {
	bool on;
	uint32_t cbitpos; /* EBX[5:0] of leaf 0x8000001F */
	uint32_t reduced_phys_bits; /* EBX[11:6] */
};

/*
 * Corrects c in place for vCPU `id` of `n`: one package, n cores, one thread
 * each; the local APIC id is the vCPU's number.
 */
void cpuid_fix(struct kvm_cpuid2 *c, unsigned id, unsigned n,
	       const struct cpuid_sev *sev);

#endif
