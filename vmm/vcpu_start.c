/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vcpu_start: the state that firmware would leave, for a kernel that is entered
 * without one. Registers are those that Linux (Documentation/arch/x86/boot.rst,
 * "64-bit Boot Protocol") and Xen (docs/misc/pvh.pandoc) ask for; the other
 * CPUs wait for the first one's startup message, as at power-on.
 */
#include "vmm/vcpu.h"

#define CR0_PE (1u << 0)
#define CR0_ET (1u << 4) /* fixed to 1 */
#define CR0_PG (1u << 31)
#define CR4_PAE (1u << 5)
#define EFER_LME (1u << 8)
#define EFER_LMA (1u << 10)
#define RFLAGS_FIXED (1u << 1)

/* Segment types (AMD64 manual, volume 2, 4.7.1 and 4.8). */
#define TYPE_CODE 0xb /* readable, accessed */
#define TYPE_DATA 0x3 /* writable, accessed */
#define TYPE_TSS_BUSY 0xb

/*
 * Memory types: with MTRRs off, their state at power-on, all of memory is
 * uncached where the processor heeds them, and Linux switches PAT off, too.
 */
#define MSR_MTRR_DEF_TYPE 0x2ff
#define MTRR_ON_WRITE_BACK 0x806u
#define ONE_MSR (sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry))

static struct kvm_segment flat(uint16_t selector, uint8_t type, bool code64)
{
	return (struct kvm_segment){
		.limit = 0xffffffff,
		.selector = selector,
		.type = type,
		.present = 1,
		.s = 1,
		.g = 1,
		.l = code64,
		.db = !code64,
	};
}

static void set_segments(struct kvm_sregs *sr, bool code64)
{
	const struct kvm_segment data =
		flat(IMAGE_DATA_SELECTOR, TYPE_DATA, false);

	sr->cs = flat(IMAGE_CODE_SELECTOR, TYPE_CODE, code64);
	sr->ds = sr->es = sr->ss = sr->fs = sr->gs = data;
	sr->tr = (struct kvm_segment){ .limit = 0x67,
				       .type = TYPE_TSS_BUSY,
				       .present = 1 };
	sr->idt = (struct kvm_dtable){ .limit = 0 };
}

void vcpu_start_regs(const struct image_start *s, struct kvm_regs *regs,
		     struct kvm_sregs *sregs)
{
	if (s->mode == START_RESET)
		return;
	*regs = (struct kvm_regs){ .rip = s->entry.v, .rflags = RFLAGS_FIXED };
	set_segments(sregs, s->mode == START_LONG);
	sregs->cr0 = CR0_PE | CR0_ET;
	sregs->cr4 = 0;
	if (s->mode == START_FLAT) {
		regs->rbx = s->info.v;
		return;
	}
	regs->rsi = s->info.v;
	sregs->gdt = (struct kvm_dtable){ .base = s->gdt.v,
					  .limit = IMAGE_GDT_LEN - 1 };
	sregs->cr3 = s->page_table.v;
	sregs->cr4 = CR4_PAE;
	sregs->efer = EFER_LME | EFER_LMA;
	sregs->cr0 |= CR0_PG;
}

int vcpu_start_memory(int fd, const struct image_start *s)
{
	_Alignas(struct kvm_msrs) uint8_t buf[ONE_MSR] = { 0 };
	struct kvm_msrs *one = (void *)buf;
	int rc;

	if (s->mode == START_RESET)
		return 0;
	one->nmsrs = 1;
	one->entries[0] = (struct kvm_msr_entry){ .index = MSR_MTRR_DEF_TYPE,
						  .data = MTRR_ON_WRITE_BACK };
	rc = kvm_ioctl(fd, KVM_SET_MSRS, one, "KVM_SET_MSRS");
	return rc < 0 ? rc : 0;
}

int vcpu_start(int fd, const struct image_start *s)
{
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	int rc;

	if (s->mode == START_RESET)
		return 0;
	rc = kvm_ioctl(fd, KVM_GET_REGS, &regs, "KVM_GET_REGS");
	if (rc >= 0)
		rc = kvm_ioctl(fd, KVM_GET_SREGS, &sregs, "KVM_GET_SREGS");
	if (rc < 0)
		return rc;
	vcpu_start_regs(s, &regs, &sregs);
	rc = kvm_ioctl(fd, KVM_SET_SREGS, &sregs, "KVM_SET_SREGS");
	if (rc >= 0)
		rc = kvm_ioctl(fd, KVM_SET_REGS, &regs, "KVM_SET_REGS");
	return rc < 0 ? rc : 0;
}
