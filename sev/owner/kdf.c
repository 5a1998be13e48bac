/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kdf: one HMAC block is enough, since every SEV key is half of one.
 */
#include "sev/owner/kdf.h"

#include "sev/owner/crypto.h"

int kdf_derive(uint8_t out[KDF_KEY_LEN], uint8_t scratch[32],
	       const uint8_t *key, size_t key_len, const char *label,
	       const uint8_t *context, size_t context_len)
{
	static const uint8_t first[4] = { 1, 0, 0, 0 };
	static const uint8_t bits[4] = { 8 * KDF_KEY_LEN, 0, 0, 0 };
	const struct bytes msg[] = {
		{ first, sizeof(first) },
		/* The separating zero byte is the label's own end. */
		{ label, strlen(label) + 1 },
		{ context, context_len },
		{ bits, sizeof(bits) },
	};
	int rc = crypto_hmac(key, key_len, msg, ARRAY_LEN(msg), scratch);

	if (!rc)
		bytes_copy(out, KDF_KEY_LEN, scratch, KDF_KEY_LEN);
	explicit_bzero(scratch, 32);
	return rc;
}
