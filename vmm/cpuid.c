/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpuid: see the header. Leaf numbers and fields are those of the AMD64
 * manual, volume 3, appendix E, and of Intel's SDM, volume 2A.
 */
#include "vmm/cpuid.h"

#define LEAF_SEV 0x8000001fu
#define SEV_EAX_SEV (1u << 1)

static void set_bits(uint32_t *reg, unsigned shift, unsigned width, uint32_t v)
{
	uint32_t mask = (width == 32 ? ~0u : (1u << width) - 1) << shift;

	*reg = (*reg & ~mask) | (v << shift & mask);
}

/* Bits that n APIC ids take. */
static uint32_t id_bits(unsigned n)
{
	uint32_t bits = 0;

	while (1u << bits < n)
		bits++;
	return bits;
}

/* Leaves 0xB and 0x1F: level 0 is the thread, level 1 the core. */
static void fix_topology(struct kvm_cpuid_entry2 *e, unsigned id, unsigned n)
{
	e->eax = e->index == 1 ? id_bits(n) : 0;
	e->ebx = e->index == 0 ? 1 : e->index == 1 ? n : 0;
	e->ecx = e->index | (e->index == 0   ? 1u << 8
			     : e->index == 1 ? 2u << 8
					     : 0);
	e->edx = id;
}

/* Cache leaves: 4 (Intel) and 0x8000001D (AMD) say who shares a cache. */
static void fix_cache(struct kvm_cpuid_entry2 *e, unsigned n)
{
	unsigned level = e->eax >> 5 & 7;
	unsigned sharers = level >= 3 ? 1u << id_bits(n) : 1;

	if (!(e->eax & 0x1f))
		return;
	set_bits(&e->eax, 14, 12, sharers - 1);
	if (e->function == 4)
		set_bits(&e->eax, 26, 6, (1u << id_bits(n)) - 1);
}

static void fix_one(struct kvm_cpuid_entry2 *e, unsigned id, unsigned n)
{
	switch (e->function) {
	case 1:
		set_bits(&e->ebx, 24, 8, id);
		set_bits(&e->ebx, 16, 8, n);
		set_bits(&e->edx, 28, 1, n > 1); /* HTT: EBX is valid */
		set_bits(&e->ecx, 31, 1, 1); /* a hypervisor is here */
		break;
	case 4:
	case 0x8000001d: fix_cache(e, n); break;
	case 0xb:
	case 0x1f: fix_topology(e, id, n); break;
	case 0x80000008: e->ecx = id_bits(n) << 12 | (n - 1); break;
	case 0x8000001e: /* AMD: extended APIC id, core, node */
		e->eax = id;
		e->ebx = id;
		e->ecx = 0;
		break;
	default: break;
	}
}

/* The SEV leaf is shown to a SEV guest only, with just the SEV bit. */
static bool fix_sev(struct kvm_cpuid_entry2 *e, const struct cpuid_sev *sev)
{
	if (e->function != LEAF_SEV)
		return true;
	if (!sev->on)
		return false;
	e->eax = SEV_EAX_SEV;
	e->ebx = (sev->cbitpos & 0x3f) | (sev->reduced_phys_bits & 0x3f) << 6;
	e->ecx = e->edx = 0;
	return true;
}

void cpuid_fix(struct kvm_cpuid2 *c, unsigned id, unsigned n,
	       const struct cpuid_sev *sev)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < c->nent; i++) {
		struct kvm_cpuid_entry2 e = c->entries[i];

		if (!fix_sev(&e, sev))
			continue;
		fix_one(&e, id, n);
		c->entries[kept++] = e;
	}
	c->nent = kept;
}
