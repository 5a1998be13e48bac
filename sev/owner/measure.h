/* SPDX-License-Identifier: Apache-2.0 */
/*
 * measure: the launch measurement (SEV API, 6.5): an HMAC by the TIK, which
 * only the owner and the secure processor know, over what was loaded and where.
 * Equal means: this firmware, under this policy, on the platform whose PDH the
 * session was made for.
 */
#ifndef CARREL_SEV_OWNER_MEASURE_H
#define CARREL_SEV_OWNER_MEASURE_H

#include "sev/owner/keys.h"
#include "sev/uapi.h"

struct measure_input {
	uint8_t api_major, api_minor, build; /* the platform's */
	uint32_t policy;
	uint8_t digest[32];
	uint8_t nonce[SEV_NONCE_LEN]; /* chosen by the firmware */
};

/* Before API 0.17 measurement and secret were bound by fewer fields. */
bool measure_api_is_old(uint8_t api_major, uint8_t api_minor);

/* MAC, then nonce: what LAUNCH_MEASURE returns. */
int measure_make(uint8_t out[SEV_MEASUREMENT_LEN], const struct tk *tk,
		 const struct measure_input *in) MUST_USE;

/* 0, or -EBADMSG: not equal. The nonce is taken from the measurement. */
int measure_check(const uint8_t measurement[SEV_MEASUREMENT_LEN],
		  const struct tk *tk, const struct measure_input *in) MUST_USE;

#endif
