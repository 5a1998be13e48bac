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
#define MSRS_A_CALL 255 /* what KVM takes */
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

/* From the first of n on: how many KVM gave until one that it will not. */
static uint32_t get_msrs(int fd, const uint32_t *index, uint32_t n,
			 struct kvm_msrs *m)
{
	int got;

	m->nmsrs = n;
	for (uint32_t i = 0; i < n; i++)
		m->entries[i] = (struct kvm_msr_entry){ .index = index[i] };
	got = ioctl(fd, KVM_GET_MSRS, m);
	return got > 0 ? (uint32_t)min_u64((uint64_t)got, n) : 0;
}

static void save_listed(int fd, const struct kvm_msr_list *list,
			struct kvm_msrs *m, struct vcpu_state *s)
{
	for (uint32_t i = 0; i < list->nmsrs;) {
		uint32_t n = (uint32_t)min_u64(list->nmsrs - i, MSRS_A_CALL);
		uint32_t got = get_msrs(fd, &list->indices[i], n, m);

		for (uint32_t k = 0; k < got; k++)
			s->msr[s->n_msrs++] = m->entries[k];
		i += got + (got < n); /* past the one that stopped it */
	}
}

static int save_msrs(int fd, int kvm_fd, struct vcpu_state *s)
{
	struct kvm_msr_list *list;
	struct kvm_msrs *m;
	int rc = 0;

	list = calloc(1, sizeof(*list) + MSRS_MAX * sizeof(list->indices[0]));
	m = calloc(1, sizeof(*m) + MSRS_A_CALL * sizeof(m->entries[0]));
	if (!list || !m)
		rc = -ENOMEM;
	if (!rc) {
		list->nmsrs = MSRS_MAX;
		if (ioctl(kvm_fd, KVM_GET_MSR_INDEX_LIST, list))
			rc = -errno;
	}
	if (!rc)
		save_listed(fd, list, m, s);
	free(list);
	free(m);
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
