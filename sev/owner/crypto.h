/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypto: the four primitives that SEV's owner side is made of, each one call
 * into OpenSSL's EVP interface. Keys are only read through pointers the caller
 * keeps in locked memory (keys.h); nothing is copied to the stack here.
 */
#ifndef CARREL_SEV_OWNER_CRYPTO_H
#define CARREL_SEV_OWNER_CRYPTO_H

#include "vmm/num.h"

#define SHA256_LEN 32
#define AES_KEY_LEN 16
#define HMAC_LEN 32

/* A run of bytes to hash; several make one message without a copy. */
struct bytes {
	const void *at;
	size_t len;
};

/* -EIO, after a log line, when OpenSSL itself fails; so for all of these. */
int crypto_sha256(const void *p, size_t len, uint8_t out[SHA256_LEN]) MUST_USE;
int crypto_hmac(const uint8_t *key, size_t key_len, const struct bytes *msg,
		size_t n, uint8_t out[HMAC_LEN]) MUST_USE;

/* AES-128 in counter mode: the same call encrypts and decrypts. */
int crypto_aes_ctr(const uint8_t key[AES_KEY_LEN], const uint8_t iv[16],
		   const uint8_t *in, uint8_t *out, size_t len) MUST_USE;

int crypto_random(uint8_t *out, size_t len) MUST_USE;

/* In constant time. */
bool crypto_equal(const void *a, const void *b, size_t len);

/* Logs what failed with OpenSSL's own reason, and empties its queue. */
int crypto_fail(const char *what);

#endif
