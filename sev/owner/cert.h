/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cert: the two certificate formats of SEV, as the host hands them over: not
 * trusted, of a length that may lie. Parsing is pure and strict: every byte
 * that no signature covers must be zero, so that no byte of a certificate can
 * change unseen. Whether a signature holds is chain.h's business.
 */
#ifndef CARREL_SEV_OWNER_CERT_H
#define CARREL_SEV_OWNER_CERT_H

#include <openssl/evp.h>

#include "sev/uapi.h"
#include "vmm/num.h"

/* SEV API, appendix C.1. */
#define SEV_CERT_SIGNED 0x414
#define SEV_CERT_KEY 0x10
#define SEV_EC_LEN 72 /* a little-endian EC value, zero-extended */
#define SEV_P384_LEN 48
#define AMD_CERT_MAX 1600 /* SEV API, appendix B.1: with 4096 bits */
#define AMD_CERT_KEY 0x40
#define AMD_ID_LEN 16

/* SEV API, appendices B and C: what a key is for. */
enum cert_usage {
	USAGE_ARK = 0x00,
	USAGE_ASK = 0x13,
	USAGE_NONE = 0x1000,
	USAGE_OCA = 0x1001,
	USAGE_PEK = 0x1002,
	USAGE_PDH = 0x1003,
	USAGE_CEK = 0x1004,
};

enum cert_algo {
	ALGO_NONE = 0,
	ALGO_RSA_SHA256 = 0x001,
	ALGO_ECDSA_SHA256 = 0x002,
	ALGO_ECDH_SHA256 = 0x003,
	ALGO_RSA_SHA384 = 0x101,
	ALGO_ECDSA_SHA384 = 0x102,
	ALGO_ECDH_SHA384 = 0x103,
};

#define CURVE_P384 2

/* OCA, CEK, PEK, PDH: an EC P-384 key with up to two signatures. */
struct sev_sig {
	uint32_t usage, algo; /* of the signer; USAGE_NONE: empty slot */
	size_t at; /* of its bytes in raw */
};

struct sev_cert {
	uint8_t raw[SEV_CERT_LEN];
	uint8_t api_major, api_minor; /* of the firmware that made it */
	uint32_t usage, algo;
	struct sev_sig sig[2];
};

/* ARK and ASK: an RSA key with one signature. */
struct amd_cert {
	uint8_t raw[AMD_CERT_MAX];
	size_t len, key_len; /* bytes; key_len is also the signature's */
	uint8_t key_id[AMD_ID_LEN], signer_id[AMD_ID_LEN];
	uint32_t usage;
};

/* -EINVAL, and in *why one phrase for a person, static. */
int sev_cert_parse(struct sev_cert *c, const uint8_t *p, size_t len,
		   const char **why) MUST_USE;
int amd_cert_parse(struct amd_cert *c, const uint8_t *p, size_t len,
		   const char **why) MUST_USE;

/* The public key; NULL: no point on the curve, or no RSA key. */
EVP_PKEY *sev_cert_key(const struct sev_cert *c);
EVP_PKEY *amd_cert_key(const struct amd_cert *c);

/* SHA-256 of exponent and modulus, as the file has them. */
int amd_cert_fingerprint(const struct amd_cert *c, uint8_t out[32]) MUST_USE;

/* Writes an unsigned certificate for an EC P-384 key, as a guest owner's. */
int sev_cert_make_pdh(uint8_t out[SEV_CERT_LEN], const EVP_PKEY *key,
		      uint8_t api_major, uint8_t api_minor) MUST_USE;

/* "PEK", ...; "unknown" for the rest. */
const char *cert_usage_name(uint32_t usage);
const char *cert_algo_name(uint32_t algo);

#endif
