/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kdf: SEV's key derivation (SEV API, 2.2.2): NIST SP 800-108 in counter mode
 * over HMAC-SHA256. The counter and the length are little-endian there, which
 * is why OpenSSL's own KBKDF cannot be used.
 */
#ifndef CARREL_SEV_OWNER_KDF_H
#define CARREL_SEV_OWNER_KDF_H

#include "vmm/num.h"

#define KDF_KEY_LEN 16

/*
 * out may be key. scratch receives the full 32-byte block, so that no key
 * byte touches the stack; it too lies in locked memory.
 */
int kdf_derive(uint8_t out[KDF_KEY_LEN], uint8_t scratch[32],
	       const uint8_t *key, size_t key_len, const char *label,
	       const uint8_t *context, size_t context_len) MUST_USE;

#endif
