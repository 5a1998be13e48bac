/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vcpu: see the header.
 */
#include "sev/emu/vcpu.h"

#include <errno.h>
#include <sys/ioctl.h>

#include "sev/emu/msr.h"
#include "sev/emu/stub.h"
#include "sev/emu/trap.h"
#include "sev/emu/walk.h"

#define CR0_PG (1ull << 31)
#define CR3_ADDRESS 0x000ffffffffff000ull
#define CR4_LA57 (1ull << 12)
#define EFER_LMA (1ull << 10)
#define RFLAGS_IF (1ull << 9)
#define APIC_BASE 0xfee00000ull
#define APIC_BASE_FLAGS 0xfffull
#define HC_MAP_GPA_RANGE 12
#define SHARED_AHEAD 512 /* pages */
#define HC_ENCRYPTED (1ull << 4)

enum verdict { NOT_MINE, MINE_SHARED, MINE_PRIVATE };

/*
 * Without paging every access is private, and so are always the walk of the
 * page tables and the fetch of instructions (walk.h). A kernel names its root
 * with the C-bit, and sets it in every entry: only a firmware's tables can
 * trap. A kernel's worker stands in only for a vCPU that takes interrupts, so
 * one that starts up without paging and without them is not meant; what page
 * tables say holds even if an interrupt came between.
 */
static enum verdict judge(struct vcpu *v, const struct fault *f, bool worker,
			  unsigned *pages)
{
	uint64_t c_bit = 1ull << v->vm->c_bit;
	struct kvm_sregs s = { 0 };
	struct kvm_regs r = { 0 };
	struct paging p;

	if (stub_ioctl(v->fd, KVM_GET_SREGS, &s) ||
	    stub_ioctl(v->fd, KVM_GET_REGS, &r))
		return NOT_MINE;
	if (!(s.cr0 & CR0_PG) || !(s.efer & EFER_LMA))
		return worker && !(r.rflags & RFLAGS_IF) ? NOT_MINE
							 : MINE_PRIVATE;
	p = (struct paging){
		.cr3 = s.cr3 & CR3_ADDRESS & ~c_bit,
		.five_levels = s.cr4 & CR4_LA57,
		.rip = s.cs.base + r.rip,
		.hint = { r.rax, r.rbx, r.rcx, r.rdx, r.rsi, r.rdi, r.rsp,
			  r.rbp, r.r8, r.r9, r.r10, r.r11, r.r12, r.r13, r.r14,
			  r.r15 },
	};
	if (walk_fetches(v->vm, &p, f) ||
	    (!(s.cr3 & c_bit) && walk_finds(v->vm, &p, f)))
		return MINE_PRIVATE;
	*pages = walk_shared(v->vm, &p, f, SHARED_AHEAD);
	return MINE_SHARED;
}

/* The thread of a vCPU, out of KVM_RUN, answers what trap.c asked. */
static void answer(struct vcpu *v)
{
	struct vm *vm = v->vm;
	struct question *q = &vm->question;
	bool last;

	lock_take(&vm->lock);
	v->in_run = false;
	if (v->asked && q->f) {
		v->asked = false;
		if (judge(v, q->f, q->worker, &q->pages) == MINE_PRIVATE)
			q->answer = VIEW_PRIVATE;
		last = --q->unanswered == 0;
		if (last)
			word_set(&q->done, 1);
	}
	lock_drop(&vm->lock);
}

static uint64_t apic_base(const struct vcpu *v, const uint64_t *set)
{
	union {
		struct kvm_msrs head;
		uint8_t room[sizeof(struct kvm_msrs) +
			     sizeof(struct kvm_msr_entry)];
	} m = { .head.nmsrs = 1 };
	struct kvm_msr_entry *e = m.head.entries;

	e->index = MSR_APIC_BASE;
	if (set)
		e->data = *set;
	(void)stub_ioctl(v->fd, set ? KVM_SET_MSRS : KVM_GET_MSRS, &m);
	return e->data;
}

/*
 * The local APIC lives in KVM and answers at one address only. Where the guest
 * reaches for it with the C-bit, which hardware would strip, or without it
 * again, the APIC is moved there and the instruction runs once more: the
 * half-done access is finished first, then its effect is taken back.
 */
static void move_apic(struct vcpu *v, uint64_t to)
{
	uint64_t base = (apic_base(v, NULL) & APIC_BASE_FLAGS) | to;
	uint8_t wanted = v->run->immediate_exit;
	struct kvm_regs r = { 0 };

	if (stub_ioctl(v->fd, KVM_GET_REGS, &r))
		return;
	v->run->immediate_exit = 1;
	(void)stub_ioctl(v->fd, KVM_RUN, NULL);
	v->run->immediate_exit = wanted;
	(void)stub_ioctl(v->fd, KVM_SET_REGS, &r);
	apic_base(v, &base);
}

/* Each returns whether the exit is answered and the guest goes on. */
static bool on_rdmsr(struct vcpu *v)
{
	struct kvm_run *k = v->run;

	if (k->msr.index == MSR_SEV_STATUS)
		k->msr.data = SEV_STATUS_ON;
	else if (k->msr.index == MSR_APIC_BASE)
		k->msr.data = apic_base(v, NULL) & ~(1ull << v->vm->c_bit);
	else
		return false;
	k->msr.error = 0;
	return true;
}

static bool on_mmio(struct vcpu *v)
{
	struct kvm_run *k = v->run;
	uint64_t c = k->mmio.phys_addr & 1ull << v->vm->c_bit;

	k->mmio.phys_addr &= ~c;
	if ((k->mmio.phys_addr & ~(PAGE - 1)) != APIC_BASE)
		return false;
	move_apic(v, APIC_BASE | c);
	return true;
}

static bool on_hypercall(struct vcpu *v)
{
	struct kvm_run *k = v->run;
	uint64_t len;

	if (k->hypercall.nr != HC_MAP_GPA_RANGE)
		return false;
	if (mul_u64(k->hypercall.args[1], PAGE, &len))
		vm_convert(v->vm, k->hypercall.args[0], len,
			   k->hypercall.args[2] & HC_ENCRYPTED);
	k->hypercall.ret = 0;
	return true;
}

static bool answered(struct vcpu *v)
{
	switch (v->run->exit_reason) {
	case KVM_EXIT_X86_RDMSR: return on_rdmsr(v);
	case KVM_EXIT_MMIO: return on_mmio(v);
	case KVM_EXIT_HYPERCALL: return on_hypercall(v);
	default: return false;
	}
}

static void enter_run(struct vcpu *v)
{
	lock_take(&v->vm->lock);
	v->in_run = true;
	lock_drop(&v->vm->lock);
}

int vcpu_run(struct vcpu *v, const struct emu *e, void *arg)
{
	uint32_t me = (uint32_t)stub_gettid();
	int rc;

	/* Not pthread_self(): a new thread may get a dead one's. */
	if (v->tid != me) {
		v->tid = me;
		trap_admit();
		memory_run(&v->vm->mem);
	}
	do {
		enter_run(v);
		rc = emu_ioctl(e, v->fd, KVM_RUN, arg);
		answer(v);
	} while (!rc && answered(v));
	return rc;
}
