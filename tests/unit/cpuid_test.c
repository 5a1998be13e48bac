/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpuid_test: the corrections to KVM's CPUID, field by field, with the values
 * worked out from the manuals' bit positions.
 */
#include "vmm/cpuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* A list with room for a few leaves: head's own array is open-ended. */
union leaves {
	struct kvm_cpuid2 head;
	struct {
		uint32_t nent, padding;
		struct kvm_cpuid_entry2 e[8];
	};
};

static const struct cpuid_sev no_sev = { .on = false };
static const struct cpuid_sev sev = { true, 47, 1 };

static union leaves one(uint32_t function, uint32_t index)
{
	union leaves l = { .nent = 1 };

	l.e[0].function = function;
	l.e[0].index = index;
	return l;
}

static void sev_leaf_only_in_sev_guests(void **state)
{
	union leaves l = one(0x8000001f, 0);

	(void)state;
	l.e[0].eax = 0xffffffff;
	l.e[0].ecx = 509;
	cpuid_fix(&l.head, 0, 1, &no_sev);
	assert_int_equal(l.nent, 0);

	l = one(0x8000001f, 0);
	l.e[0].eax = 0xffffffff;
	l.e[0].ecx = 509;
	cpuid_fix(&l.head, 0, 1, &sev);
	assert_int_equal(l.nent, 1);
	assert_int_equal(l.e[0].eax, 2);
	assert_int_equal(l.e[0].ebx, 47 | 1 << 6);
	assert_int_equal(l.e[0].ecx, 0);
}

static void removal_keeps_the_neighbours(void **state)
{
	union leaves l = { .nent = 3 };

	(void)state;
	l.e[0].function = 2;
	l.e[1].function = 0x8000001f;
	l.e[2].function = 0x40000000;
	cpuid_fix(&l.head, 0, 1, &no_sev);
	assert_int_equal(l.nent, 2);
	assert_int_equal(l.e[0].function, 2);
	assert_int_equal(l.e[1].function, 0x40000000);
}

static void leaf_1(void **state)
{
	union leaves l = one(1, 0);

	(void)state;
	l.e[0].ebx = 0xff0008ff;
	cpuid_fix(&l.head, 3, 4, &no_sev);
	assert_int_equal(l.e[0].ebx, 0x030408ff);
	assert_true(l.e[0].edx & 1u << 28);
	assert_true(l.e[0].ecx & 1u << 31);
	cpuid_fix(&l.head, 0, 1, &no_sev);
	assert_false(l.e[0].edx & 1u << 28);
}

static void topology(void **state)
{
	static const struct {
		uint32_t index, n, eax, ebx, ecx;
	} t[] = {
		{ 0, 1, 0, 1, 0x100 }, { 1, 1, 0, 1, 0x201 },
		{ 0, 4, 0, 1, 0x100 }, { 1, 4, 2, 4, 0x201 },
		{ 1, 5, 3, 5, 0x201 }, { 1, 64, 6, 64, 0x201 },
		{ 2, 4, 0, 0, 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		union leaves l = one(0xb, t[i].index);

		cpuid_fix(&l.head, t[i].n - 1, t[i].n, &no_sev);
		assert_int_equal(l.e[0].eax, t[i].eax);
		assert_int_equal(l.e[0].ebx, t[i].ebx);
		assert_int_equal(l.e[0].ecx, t[i].ecx);
		assert_int_equal(l.e[0].edx, t[i].n - 1);
	}
}

static void amd_cores(void **state)
{
	union leaves l = one(0x80000008, 0);

	(void)state;
	l.e[0].eax = 0x3030;
	cpuid_fix(&l.head, 0, 6, &no_sev);
	assert_int_equal(l.e[0].ecx, 3 << 12 | 5);
	assert_int_equal(l.e[0].eax, 0x3030);
	l = one(0x8000001e, 0);
	cpuid_fix(&l.head, 5, 6, &no_sev);
	assert_int_equal(l.e[0].eax, 5);
	assert_int_equal(l.e[0].ebx, 5);
}

static void caches(void **state)
{
	union leaves l = one(4, 3);

	(void)state;
	l.e[0].eax = 3 | 3 << 5; /* unified, level 3 */
	cpuid_fix(&l.head, 0, 4, &no_sev);
	assert_int_equal(l.e[0].eax >> 14 & 0xfff, 3);
	assert_int_equal(l.e[0].eax >> 26, 3);
	l = one(4, 0);
	l.e[0].eax = 1 | 1 << 5; /* data, level 1: one core's own */
	cpuid_fix(&l.head, 0, 4, &no_sev);
	assert_int_equal(l.e[0].eax >> 14 & 0xfff, 0);
	l = one(4, 4); /* no more caches: left alone */
	cpuid_fix(&l.head, 0, 4, &no_sev);
	assert_int_equal(l.e[0].eax, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sev_leaf_only_in_sev_guests),
		cmocka_unit_test(removal_keeps_the_neighbours),
		cmocka_unit_test(leaf_1),
		cmocka_unit_test(topology),
		cmocka_unit_test(amd_cores),
		cmocka_unit_test(caches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
