/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SEV API, table 2. Bits 31:16 are the lowest firmware API version that may
 * run the guest; the firmware checks them at LAUNCH_START.
 */
#include "sev/policy.h"

#include <errno.h>
#include <stdio.h>

struct bit {
	uint32_t mask;
	const char *set, *clear; /* NULL: not worth a word */
};

static const struct bit bits[] = {
	{ POLICY_NODBG, "no debugging", "DEBUGGING ALLOWED" },
	{ POLICY_NOKS, "no key sharing", "key sharing allowed" },
	{ POLICY_ES, "SEV-ES required", NULL },
	{ POLICY_NOSEND, "no migration", "migration allowed" },
	{ POLICY_DOMAIN, "only within its domain", NULL },
	{ POLICY_SEV, "only to SEV platforms", NULL },
};

/* Appends at *n, as far as there is room. */
static void add(char *text, size_t cap, size_t *n, const char *word)
{
	int len = snprintf(text + *n, cap - *n, "%s%s", *n ? ", " : "", word);

	*n = min_u64(*n + (size_t)(len > 0 ? len : 0), cap - 1);
}

void policy_describe(uint32_t policy, char *text, size_t cap)
{
	char word[48];
	size_t n = 0;

	CHECK(cap > 0);
	text[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(bits); i++) {
		const char *w = policy & bits[i].mask ? bits[i].set
						      : bits[i].clear;

		if (w)
			add(text, cap, &n, w);
	}
	if (policy & POLICY_RESERVED)
		add(text, cap, &n, "reserved bits set");
	if (policy >> 16) {
		snprintf(word, sizeof(word), "firmware API %u.%u or later",
			 POLICY_API_MAJOR(policy), POLICY_API_MINOR(policy));
		add(text, cap, &n, word);
	}
}

static int check_platform(uint32_t policy, const struct policy_platform *at,
			  char *why, size_t cap)
{
	unsigned want =
		POLICY_API_MAJOR(policy) * 256u + POLICY_API_MINOR(policy);
	unsigned have = at->api_major * 256u + at->api_minor;

	if (policy & POLICY_ES && !at->es) {
		snprintf(why, cap,
			 "policy 0x%x requires SEV-ES, which this platform "
			 "does not offer; clear bit 2",
			 policy);
		return -ENOTSUP;
	}
	if (have < want) {
		snprintf(why, cap,
			 "policy 0x%x requires firmware API %u.%u or later, "
			 "this platform has %u.%u; update its firmware",
			 policy, POLICY_API_MAJOR(policy),
			 POLICY_API_MINOR(policy), at->api_major,
			 at->api_minor);
		return -ENOTSUP;
	}
	return 0;
}

int policy_check(uint32_t policy, const struct policy_platform *at, char *why,
		 size_t cap)
{
	int rc;

	CHECK(cap > 0);
	why[0] = '\0';
	if (policy & POLICY_RESERVED) {
		snprintf(why, cap,
			 "policy 0x%x sets reserved bits (0x%x); only bits 0 "
			 "to 5 and the API version in 16 to 31 have a meaning",
			 policy, policy & POLICY_RESERVED);
		return -EINVAL;
	}
	rc = at ? check_platform(policy, at, why, cap) : 0;
	if (!rc && !(policy & POLICY_NODBG))
		snprintf(why, cap,
			 "policy 0x%x ALLOWS DEBUGGING: the host can read and "
			 "change all of the guest's memory; set bit 0 for "
			 "anything but tests",
			 policy);
	return rc;
}
