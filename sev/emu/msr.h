/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msr: the registers that a guest must not read as KVM would answer: SEV_STATUS
 * and the APIC base. A KVM filter turns the reads into exits, which vcpu.c
 * answers. The program may have a filter of its own: then both hold.
 */
#ifndef CARREL_EMU_MSR_H
#define CARREL_EMU_MSR_H

#include "sev/emu/vm.h"

#define MSR_SEV_STATUS 0xc0010131u
#define MSR_APIC_BASE 0x1bu
#define SEV_STATUS_ON 1u /* no ES, no SNP */

int msr_begin(const struct vm *vm) MUST_USE;
/* KVM_X86_SET_MSR_FILTER of the program, with our ranges added. */
int msr_filter(const struct vm *vm,
	       const struct kvm_msr_filter *theirs) MUST_USE;

#endif
