/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msr: see the header.
 */
#include "sev/emu/msr.h"

#include <errno.h>
#include <sys/ioctl.h>

#include "sev/emu/stub.h"

int msr_filter(const struct vm *vm, const struct kvm_msr_filter *theirs)
{
	static const uint32_t ours[] = { MSR_SEV_STATUS, MSR_APIC_BASE };
	uint8_t deny[8] = { 0 }; /* one register, its bit clear */
	struct kvm_msr_filter f = *theirs;
	size_t n = 0;

	for (size_t i = 0; i < KVM_MSR_FILTER_MAX_RANGES; i++) {
		if (f.ranges[i].nmsrs || n == ARRAY_LEN(ours))
			continue;
		f.ranges[i] = (struct kvm_msr_filter_range){
			.flags = KVM_MSR_FILTER_READ,
			.nmsrs = 1,
			.base = ours[n++],
			.bitmap = deny,
		};
	}
	if (n < ARRAY_LEN(ours))
		return -ENOSPC;
	return stub_ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &f);
}

int msr_begin(const struct vm *vm)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_X86_USER_SPACE_MSR,
				      .args = { KVM_MSR_EXIT_REASON_FILTER } };
	struct kvm_msr_filter none = { .flags = KVM_MSR_FILTER_DEFAULT_ALLOW };
	int rc = stub_ioctl(vm->fd, KVM_ENABLE_CAP, &cap);

	return rc ? rc : msr_filter(vm, &none);
}
