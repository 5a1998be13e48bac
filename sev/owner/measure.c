/* SPDX-License-Identifier: Apache-2.0 */
/*
 * measure: computing and comparing a launch measurement.
 */
#include "sev/owner/measure.h"

#include <errno.h>

#include "sev/owner/crypto.h"

/* SEV API, 6.5.2: what the MAC is for; a secret's has another (6.6). */
#define CONTEXT_MEASURE 0x04

bool measure_api_is_old(uint8_t api_major, uint8_t api_minor)
{
	return api_major == 0 && api_minor < 17;
}

int measure_make(uint8_t out[SEV_MEASUREMENT_LEN], const struct tk *tk,
		 const struct measure_input *in)
{
	const uint8_t head[4] = {
		CONTEXT_MEASURE,
		in->api_major,
		in->api_minor,
		in->build,
	};
	bool old = measure_api_is_old(in->api_major, in->api_minor);
	uint8_t policy[4];
	const struct bytes msg[] = {
		{ head, old ? 0 : sizeof(head) },
		{ policy, sizeof(policy) },
		{ in->digest, sizeof(in->digest) },
		{ in->nonce, sizeof(in->nonce) },
	};

	put_le32(policy, in->policy);
	bytes_copy(out + SEV_MAC_LEN, SEV_NONCE_LEN, in->nonce, SEV_NONCE_LEN);
	return crypto_hmac(tk->tik, sizeof(tk->tik), msg, ARRAY_LEN(msg), out);
}

int measure_check(const uint8_t measurement[SEV_MEASUREMENT_LEN],
		  const struct tk *tk, const struct measure_input *in)
{
	struct measure_input want = *in;
	uint8_t made[SEV_MEASUREMENT_LEN];
	int rc;

	bytes_copy(want.nonce, SEV_NONCE_LEN, measurement + SEV_MAC_LEN,
		   SEV_NONCE_LEN);
	rc = measure_make(made, tk, &want);
	if (rc)
		return rc;
	return crypto_equal(made, measurement, SEV_MAC_LEN) ? 0 : -EBADMSG;
}
