/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vcpu_start_test: the registers in which a kernel is entered. Bits are
 * written out as in the AMD64 manual, volume 2, chapters 3 and 4.
 */
#include "vmm/vcpu.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Something in every register, as at a power-on that is full of surprises. */
static void fill(struct kvm_regs *regs, struct kvm_sregs *sregs)
{
	memset(regs, 0xa5, sizeof(*regs));
	memset(sregs, 0xa5, sizeof(*sregs));
}

static void reset_is_left_alone(void **state)
{
	const struct image_start s = { .mode = START_RESET,
				       .entry = { 1 },
				       .info = { 2 } };
	struct kvm_regs regs, regs_before;
	struct kvm_sregs sregs, sregs_before;

	(void)state;
	fill(&regs, &sregs);
	regs_before = regs;
	sregs_before = sregs;
	vcpu_start_regs(&s, &regs, &sregs);
	assert_memory_equal(&regs, &regs_before, sizeof(regs));
	assert_memory_equal(&sregs, &sregs_before, sizeof(sregs));
}

static void flat(const struct kvm_segment *s, uint16_t selector, bool code,
		 bool code64)
{
	assert_int_equal(s->base, 0);
	assert_int_equal(s->limit, 0xffffffff);
	assert_int_equal(s->selector, selector);
	assert_int_equal(s->type, code ? 11 : 3);
	assert_int_equal(s->s, 1);
	assert_int_equal(s->present, 1);
	assert_int_equal(s->dpl, 0);
	assert_int_equal(s->g, 1);
	assert_int_equal(s->l, code64);
	assert_int_equal(s->db, !code64);
	assert_int_equal(s->unusable, 0);
}

static void segments(const struct kvm_sregs *sr, bool code64)
{
	flat(&sr->cs, 0x10, true, code64);
	flat(&sr->ds, 0x18, false, false);
	flat(&sr->es, 0x18, false, false);
	flat(&sr->ss, 0x18, false, false);
	assert_int_equal(sr->tr.type, 11);
	assert_int_equal(sr->tr.s, 0);
	assert_int_equal(sr->tr.present, 1);
	assert_int_equal(sr->tr.base, 0);
	assert_int_equal(sr->tr.limit, 0x67);
	assert_int_equal(sr->idt.limit, 0);
}

static void long_mode(void **state)
{
	const struct image_start s = { .mode = START_LONG,
				       .entry = { 0x1000200 },
				       .info = { 0x8000 },
				       .gdt = { 0x1000 },
				       .page_table = { 0x2000 } };
	struct kvm_regs regs;
	struct kvm_sregs sr;

	(void)state;
	fill(&regs, &sr);
	vcpu_start_regs(&s, &regs, &sr);
	assert_int_equal(regs.rip, 0x1000200);
	assert_int_equal(regs.rsi, 0x8000);
	assert_int_equal(regs.rflags, 2);
	assert_int_equal(regs.rbx | regs.rbp | regs.rdi | regs.rsp, 0);
	segments(&sr, true);
	assert_int_equal(sr.cr0, 0x80000011);
	assert_int_equal(sr.cr3, 0x2000);
	assert_int_equal(sr.cr4, 0x20);
	assert_int_equal(sr.efer, 0x500);
	assert_int_equal(sr.gdt.base, 0x1000);
	assert_int_equal(sr.gdt.limit, 0x1f);
	/* What KVM keeps for itself is not ours to change. */
	assert_int_equal(sr.apic_base, 0xa5a5a5a5a5a5a5a5);
}

static void protected_mode(void **state)
{
	const struct image_start s = { .mode = START_FLAT,
				       .entry = { 0x1000a30 },
				       .info = { 0x8000 } };
	struct kvm_regs regs;
	struct kvm_sregs sr = { .efer = 0, .cr0 = 0x60000010 };

	(void)state;
	memset(&regs, 0xa5, sizeof(regs));
	vcpu_start_regs(&s, &regs, &sr);
	assert_int_equal(regs.rip, 0x1000a30);
	assert_int_equal(regs.rbx, 0x8000);
	assert_int_equal(regs.rflags, 2);
	assert_int_equal(regs.rsi, 0);
	segments(&sr, false);
	assert_int_equal(sr.cr0, 0x11);
	assert_int_equal(sr.cr4, 0);
	assert_int_equal(sr.efer, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reset_is_left_alone),
		cmocka_unit_test(long_mode),
		cmocka_unit_test(protected_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
