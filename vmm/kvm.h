/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kvm: the VM as KVM sees it, one function an ioctl or a fixed group of them.
 * Each failure is logged with the ioctl's name and returned as -errno: what the
 * host refused is for the user to read, not to guess.
 */
#ifndef CARREL_VMM_KVM_H
#define CARREL_VMM_KVM_H

#include <linux/kvm.h>

#include "vmm/gmem.h"

struct kvm {
	int fd; /* /dev/kvm */
	int vm_fd;
	unsigned vm_type; /* KVM_X86_DEFAULT_VM, or KVM_X86_SEV_VM */
	unsigned cpus_max;
	size_t run_bytes; /* of a vCPU's shared page */
};

/* Linux 6.10's VM type for SEV guests, launched by KVM_SEV_INIT2. */
#define KVM_TYPE_SEV 2u

/*
 * Opens /dev/kvm, checks what carrel needs of it, makes the VM with in-kernel
 * PIC, I/O APIC, local APICs and PIT. sev: with the SEV type if KVM has it.
 */
int kvm_open(struct kvm *k, bool sev) MUST_USE;
void kvm_close(struct kvm *k);

/* One memslot a region; rom_writable: a SEV launch encrypts ROM in place. */
int kvm_map(const struct kvm *k, const struct gmem *m,
	    bool rom_writable) MUST_USE;

/*
 * KVM_GET_SUPPORTED_CPUID and the TSC-deadline timer, where KVM has it. *out is
 * from malloc, the caller's to free.
 */
int kvm_supported_cpuid(const struct kvm *k, struct kvm_cpuid2 **out) MUST_USE;

/* The state of the three interrupt chips and the PIT, for a reset. */
struct kvm_chips {
	struct kvm_irqchip chip[3];
	struct kvm_pit_state2 pit;
};
int kvm_get_chips(const struct kvm *k, struct kvm_chips *c) MUST_USE;
int kvm_set_chips(const struct kvm *k, const struct kvm_chips *c) MUST_USE;

/* ioctl(fd, req, arg), with a log line that has `name` when it fails. */
int kvm_ioctl(int fd, unsigned long req, void *arg, const char *name) MUST_USE;

#endif
