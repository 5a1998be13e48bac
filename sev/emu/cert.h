/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cert: the two certificate formats of the SEV platform, made and checked:
 * SEV certificates (SEV API appendix C.1, 2,084 bytes, P-384) and those of
 * AMD's root and signing key (appendix B, RSA-PSS). A certificate that the
 * owner or the host handed in is hostile until cert_check() has passed.
 */
#ifndef CARREL_EMU_CERT_H
#define CARREL_EMU_CERT_H

#include <assert.h>

#include "sev/emu/crypto.h"

/* Usages (table C.4) and algorithms (table C.5). */
enum cert_usage {
	USAGE_ARK = 0x0000,
	USAGE_ASK = 0x0013,
	USAGE_NONE = 0x1000,
	USAGE_OCA = 0x1001,
	USAGE_PEK = 0x1002,
	USAGE_PDH = 0x1003,
	USAGE_CEK = 0x1004,
};

enum cert_algorithm {
	ALGO_NONE = 0,
	ALGO_ECDSA_SHA256 = 0x0002,
	ALGO_ECDH_SHA256 = 0x0003,
	ALGO_RSA_SHA384 = 0x0101,
	ALGO_ECDSA_SHA384 = 0x0102,
	ALGO_ECDH_SHA384 = 0x0103,
};

#define CERT_CURVE_P384 2
#define CERT_EC_LEN 72 /* a little-endian number of up to 576 bits */
#define CERT_SIGNED_LEN 0x414

struct cert_signature {
	uint32_t usage;
	uint32_t algorithm;
	uint8_t bytes[512]; /* ECDSA: r[72], s[72]; RSA: 512 bytes */
};

struct cert {
	uint32_t version;
	uint8_t api_major, api_minor;
	uint16_t reserved;
	uint32_t usage;
	uint32_t algorithm;
	uint32_t curve;
	uint8_t x[CERT_EC_LEN], y[CERT_EC_LEN];
	uint8_t unused[880];
	struct cert_signature sig[2];
};
static_assert(sizeof(struct cert) == 2084, "SEV API, C.1");
static_assert(offsetof(struct cert, sig) == CERT_SIGNED_LEN, "SEV API, C.1");

/* AMD's certificate with a key of 4096 bits (appendix B). */
struct amd_cert {
	uint32_t version;
	uint8_t key_id[16], signer_id[16];
	uint32_t usage;
	uint8_t reserved[16];
	uint32_t exponent_bits, modulus_bits;
	uint8_t exponent[512], modulus[512];
	uint8_t signature[512];
};
static_assert(sizeof(struct amd_cert) == 1600, "SEV API, B.1");

/* A certificate for key's public half, not signed yet. */
int cert_make(struct cert *c, enum cert_usage usage, EVP_PKEY *key,
	      uint8_t api_major, uint8_t api_minor) MUST_USE;
/* Signs into slot 0 or 1: ECDSA, or RSA-PSS when the signer is the ASK. */
int cert_sign(struct cert *c, unsigned slot, enum cert_usage signer,
	      EVP_PKEY *key) MUST_USE;
/* Version, usage, algorithm and a public key that is on the curve. */
int cert_check(const struct cert *c, enum cert_usage usage) MUST_USE;
/* Does slot hold signer's valid ECDSA signature? */
int cert_verify(const struct cert *c, unsigned slot, enum cert_usage signer,
		EVP_PKEY *key) MUST_USE;
EVP_PKEY *cert_key(const struct cert *c);

/* Signs bytes as a certificate's slot would be: r and s, 72 bytes each. */
int cert_ecdsa(EVP_PKEY *key, const void *p, size_t len,
	       uint8_t rs[2 * CERT_EC_LEN]) MUST_USE;

int amd_cert_make(struct amd_cert *c, enum cert_usage usage, EVP_PKEY *key,
		  const struct amd_cert *signer, EVP_PKEY *signer_key) MUST_USE;

#endif
