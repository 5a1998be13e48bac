/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpuid: see the header.
 */
#include "sev/emu/cpuid.h"

#include <cpuid.h>
#include <errno.h>

#define LEAF_KVM_FEATURES 0x40000001u
#define LEAF_MAX 0x80000000u
#define LEAF_ADDRESS 0x80000008u
#define LEAF_SEV 0x8000001fu
#define SEV_ON (1u << 1)
#define SEV_ASIDS 15u
/* KVM_FEATURE_HC_MAP_GPA_RANGE and _MIGRATION_CONTROL: Linux then tells. */
#define KVM_FEATURES (1u << 16 | 1u << 17)

unsigned cpuid_c_bit(void)
{
	unsigned a = 0, b, c, d;

	if (!__get_cpuid(LEAF_ADDRESS, &a, &b, &c, &d) || (a & 0xff) < 33)
		return 47;
	return (unsigned)min_u64(47, (a & 0xff) - 1);
}

static struct kvm_cpuid_entry2 *leaf(struct kvm_cpuid2 *c, uint32_t function)
{
	for (uint32_t i = 0; i < c->nent; i++)
		if (c->entries[i].function == function)
			return &c->entries[i];
	return NULL;
}

static void raise_max(struct kvm_cpuid2 *c)
{
	struct kvm_cpuid_entry2 *e = leaf(c, LEAF_MAX);

	if (e && e->eax < LEAF_SEV)
		e->eax = LEAF_SEV;
}

/* KVM reports no reduction of the address width (Linux, cpuid.c). */
int cpuid_offer(struct kvm_cpuid2 *c, uint32_t room, unsigned c_bit)
{
	struct kvm_cpuid_entry2 *e = leaf(c, LEAF_SEV);

	if (!e && c->nent >= room)
		return -E2BIG;
	if (!e)
		e = &c->entries[c->nent++];
	*e = (struct kvm_cpuid_entry2){ .function = LEAF_SEV,
					.eax = SEV_ON,
					.ebx = c_bit,
					.ecx = SEV_ASIDS,
					.edx = 1 };
	raise_max(c);
	return 0;
}

/*
 * The C-bit is part of the guest's physical address here, so the address must
 * be wide enough for it. A program that gives no SEV leaf, as for a guest that
 * should not know, is not second-guessed.
 */
void cpuid_guest(struct kvm_cpuid2 *c, unsigned c_bit)
{
	struct kvm_cpuid_entry2 *sev = leaf(c, LEAF_SEV);
	struct kvm_cpuid_entry2 *kvm = leaf(c, LEAF_KVM_FEATURES);
	struct kvm_cpuid_entry2 *width = leaf(c, LEAF_ADDRESS);

	if (!sev || !(sev->eax & SEV_ON))
		return;
	sev->ebx = (sev->ebx & ~0x3fu) | c_bit;
	if (!(sev->ebx & 0xfc0))
		sev->ebx |= 1u << 6;
	raise_max(c);
	if (kvm)
		kvm->eax |= KVM_FEATURES;
	if (width && (width->eax & 0xff) <= c_bit)
		width->eax = (width->eax & ~0xffu) | (c_bit + 1);
}
