/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: the guest policy's 32 bits (SEV API, table 2) in words, and whether a
 * platform can honour them. The owner chooses it, the firmware enforces it.
 */
#ifndef CARREL_SEV_POLICY_H
#define CARREL_SEV_POLICY_H

#include <stdint.h>

#include "vmm/num.h"

#define POLICY_NODBG (1u << 0) /* no debug commands: set it in earnest */
#define POLICY_NOKS (1u << 1) /* no sharing of keys with other guests */
#define POLICY_ES (1u << 2) /* SEV-ES is required */
#define POLICY_NOSEND (1u << 3) /* may not be sent to another platform */
#define POLICY_DOMAIN (1u << 4) /* only to platforms of the same domain */
#define POLICY_SEV (1u << 5) /* only to platforms that are SEV-capable */
#define POLICY_RESERVED 0xffc0u
#define POLICY_API_MAJOR(p) ((uint8_t)((p) >> 16))
#define POLICY_API_MINOR(p) ((uint8_t)((p) >> 24))

/* "no debugging, no key sharing, firmware API 0.17 or later" */
void policy_describe(uint32_t policy, char *text, size_t cap);

/* What a platform offers; NULL to policy_check: it is not known. */
struct policy_platform {
	uint8_t api_major, api_minor;
	bool es;
};

/*
 * 0, or -EINVAL for bits that no platform accepts, -ENOTSUP for what this one
 * lacks; why then holds a sentence. why is also set, with 0, for a warning: a
 * policy under which the host may read the guest's memory.
 */
int policy_check(uint32_t policy, const struct policy_platform *at, char *why,
		 size_t cap) MUST_USE;

#endif
