/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy's bits in words, and what a platform says to them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "sev/policy.h"

static const struct policy_platform milan = { 1, 55, true };
static const struct policy_platform naples = { 0, 17, false };

static const struct {
	uint32_t policy;
	const struct policy_platform *at;
	int rc;
	const char *why; /* a part of it; NULL: nothing to say */
} checks[] = {
	{ 0x41, NULL, -EINVAL, "reserved bits (0x40)" },
	{ 0xffc1, &milan, -EINVAL, "reserved bits (0xffc0)" },
	{ 0x05, &naples, -ENOTSUP, "SEV-ES, which this platform" },
	{ 0x12000001, &naples, -ENOTSUP,
	  "API 0.18 or later, this platform "
	  "has 0.17" },
	{ 0x00010001, &naples, -ENOTSUP, "API 1.0 or later" },
	{ 0x38010001, &milan, -ENOTSUP, "API 1.56" },
	{ 0x00020001, &milan, -ENOTSUP, "API 2.0" },
	{ 0x00, NULL, 0, "ALLOWS DEBUGGING" },
	{ 0x04, &milan, 0, "ALLOWS DEBUGGING" },
	{ 0x01, NULL, 0, NULL },
	{ 0x05, &milan, 0, NULL },
	{ 0x05, NULL, 0, NULL },
	{ 0x3f, &milan, 0, NULL },
	{ 0x11000001, &naples, 0, NULL },
	{ 0x37010001, &milan, 0, NULL },
	{ 0xff000001, &milan, 0, NULL }, /* API 0.255 is before 1.0 */
};

static void test_check(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		char why[256] = "stale";

		assert_int_equal(policy_check(checks[i].policy, checks[i].at,
					      why, sizeof(why)),
				 checks[i].rc);
		if (!checks[i].why)
			assert_string_equal(why, "");
		else if (!strstr(why, checks[i].why))
			fail_msg("policy 0x%x: %s", checks[i].policy, why);
	}
}

static const struct {
	uint32_t policy;
	const char *text;
} words[] = {
	{ 0, "DEBUGGING ALLOWED, key sharing allowed, migration allowed" },
	{ 1, "no debugging, key sharing allowed, migration allowed" },
	{ 0x3f, "no debugging, no key sharing, SEV-ES required, no migration, "
		"only within its domain, only to SEV platforms" },
	{ 0x80, "DEBUGGING ALLOWED, key sharing allowed, migration allowed, "
		"reserved bits set" },
	{ 0x1801000b, "no debugging, no key sharing, no migration, firmware "
		      "API 1.24 or later" },
};

static void test_describe(void **state)
{
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		policy_describe(words[i].policy, text, sizeof(text));
		assert_string_equal(text, words[i].text);
	}
	/* Cut where the room ends, whatever the room. */
	for (size_t cap = 1; cap < sizeof(text); cap++) {
		memset(text, 'x', sizeof(text));
		policy_describe(0xffffffff, text, cap);
		assert_true(strnlen(text, cap) < cap);
		assert_int_equal(text[cap], 'x');
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_describe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
