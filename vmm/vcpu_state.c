/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vcpu_state: KVM hands out a new vCPU in the state of a CPU after power-on.
 * Saving that once and loading it again is a reset that cannot drift from
 * what KVM means by power-on.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "vmm/vcpu.h"

#define MSRS_MAX 512
#define XSAVE_BYTES 4096 /* KVM_GET_XSAVE: what has no dynamic features */

struct vcpu_state {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	/* struct kvm_xsave without its open end */
	_Alignas(struct kvm_xsave) uint8_t xsave[XSAVE_BYTES];
	struct kvm_xcrs xcrs;
	struct kvm_debugregs debug;
	struct kvm_vcpu_events events;
	struct kvm_lapic_state lapic;
	struct kvm_mp_state mp;
	unsigned n_msrs;
	struct kvm_msr_entry msr[MSRS_MAX];
};

/* One MSR an ioctl: KVM stops a list at the first that it will not give. */
static int msr_one(int fd, unsigned long req, struct kvm_msr_entry *e)
{
	_Alignas(struct kvm_msrs)
		uint8_t buf[sizeof(struct kvm_msrs) + sizeof(*e)] = { 0 };
	struct kvm_msrs *one = (void *)buf;
	int n;

	one->nmsrs = 1;
	one->entries[0] = *e;
	n = ioctl(fd, req, one);
	if (n == 1)
		*e = one->entries[0];
	return n == 1 ? 0 : -EIO;
}

static int save_msrs(int fd, int kvm_fd, struct vcpu_state *s)
{
	struct kvm_msr_list *list;
	int rc = 0;

	list = calloc(1, sizeof(*list) + MSRS_MAX * sizeof(list->indices[0]));
	if (!list)
		return -ENOMEM;
	list->nmsrs = MSRS_MAX;
	if (ioctl(kvm_fd, KVM_GET_MSR_INDEX_LIST, list))
		rc = -errno;
	for (uint32_t i = 0; !rc && i < list->nmsrs; i++) {
		struct kvm_msr_entry e = { .index = list->indices[i] };

		if (!msr_one(fd, KVM_GET_MSRS, &e))
			s->msr[s->n_msrs++] = e;
	}
	free(list);
	return rc;
}

/* In the order in which they may be loaded again. */
struct state_part {
	unsigned long get, set;
	size_t off;
	const char *name;
};

/* clang-format off */
#define PART(what, field)                                    \
	{ KVM_GET_##what, KVM_SET_##what,                    \
	  offsetof(struct vcpu_state, field), #what }
/* clang-format on */

static const struct state_part parts[] = {
	PART(MP_STATE, mp), PART(SREGS, sregs),	       PART(REGS, regs),
	PART(XSAVE, xsave), PART(XCRS, xcrs),	       PART(DEBUGREGS, debug),
	PART(LAPIC, lapic), PART(VCPU_EVENTS, events),
};

int vcpu_state_save(int fd, int kvm_fd, struct vcpu_state **out)
{
	struct vcpu_state *s = calloc(1, sizeof(*s));
	int rc = 0;

	if (!s)
		return -ENOMEM;
	for (size_t i = 0; rc >= 0 && i < ARRAY_LEN(parts); i++)
		rc = kvm_ioctl(fd, parts[i].get, (char *)s + parts[i].off,
			       parts[i].name);
	if (rc >= 0)
		rc = save_msrs(fd, kvm_fd, s);
	if (rc < 0) {
		free(s);
		return rc;
	}
	*out = s;
	return 0;
}

int vcpu_state_load(int fd, const struct vcpu_state *s)
{
	struct vcpu_state copy = *s; /* ioctl arguments are not const */
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < ARRAY_LEN(parts); i++)
		rc = kvm_ioctl(fd, parts[i].set, (char *)&copy + parts[i].off,
			       parts[i].name);
	/* Some MSRs are read-only: they hold what they held. */
	for (unsigned i = 0; rc >= 0 && i < copy.n_msrs; i++)
		(void)msr_one(fd, KVM_SET_MSRS, &copy.msr[i]);
	return rc < 0 ? rc : 0;
}

void vcpu_state_free(struct vcpu_state *s)
{
	free(s);
}
