/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypto: the few primitives that the SEV API builds on, from OpenSSL. Every
 * length is fixed by the caller's types; whatever came from outside has been
 * checked for size before it gets here.
 */
#ifndef CARREL_EMU_CRYPTO_H
#define CARREL_EMU_CRYPTO_H

#include <openssl/evp.h>

#include "vmm/num.h"

#define KEY_LEN 16 /* TEK, TIK, KEK, KIK, a guest's memory key */
#define MAC_LEN 32 /* HMAC-SHA256, SHA-256 */
#define SHARED_LEN 48 /* a P-384 coordinate */

struct span {
	const void *p;
	size_t len;
};

int crypto_random(void *out, size_t len) MUST_USE;
int crypto_sha256(const void *p, size_t len, uint8_t out[MAC_LEN]) MUST_USE;
int crypto_hmac(const uint8_t key[KEY_LEN], const struct span *part, size_t n,
		uint8_t out[MAC_LEN]) MUST_USE;
/* AES-128-CTR; encryption and decryption are the same. */
int crypto_ctr(const uint8_t key[KEY_LEN], const uint8_t iv[16],
	       const uint8_t *in, size_t len, uint8_t *out) MUST_USE;
/* Compares without telling by its duration where the difference is. */
bool crypto_equal(const uint8_t *a, const uint8_t *b, size_t len);

/* SP 800-108 in counter mode, as the SEV API fixes it (2.2.2): 16 bytes out. */
int crypto_kdf(const uint8_t *key, size_t key_len, const char *label,
	       const uint8_t *context, size_t context_len,
	       uint8_t out[KEY_LEN]) MUST_USE;

/* P-384 and RSA keys; NULL: OpenSSL could not. */
EVP_PKEY *crypto_new_p384(void);
EVP_PKEY *crypto_new_rsa4096(void);
EVP_PKEY *crypto_p384_from(const uint8_t x_be[SHARED_LEN],
			   const uint8_t y_be[SHARED_LEN]);
int crypto_p384_point(EVP_PKEY *key, uint8_t x_be[SHARED_LEN],
		      uint8_t y_be[SHARED_LEN]) MUST_USE;
int crypto_ecdh(EVP_PKEY *mine, EVP_PKEY *theirs,
		uint8_t z[SHARED_LEN]) MUST_USE;

#endif
