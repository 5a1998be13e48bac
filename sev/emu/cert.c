/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cert: see the header. Numbers are little-endian in a certificate and
 * big-endian in OpenSSL, so every one is turned around at this border.
 */
#include "sev/emu/cert.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>

#define PSS_SALT_DIGEST (-1) /* OpenSSL's "as long as the digest" */

static void reverse(uint8_t *to, const uint8_t *from, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = from[len - 1 - i];
}

int cert_make(struct cert *c, enum cert_usage usage, EVP_PKEY *key,
	      uint8_t api_major, uint8_t api_minor)
{
	uint8_t x[SHARED_LEN], y[SHARED_LEN];
	int rc = crypto_p384_point(key, x, y);

	if (rc)
		return rc;
	*c = (struct cert){
		.version = 1,
		.api_major = api_major,
		.api_minor = api_minor,
		.usage = usage,
		.algorithm = usage == USAGE_PDH ? ALGO_ECDH_SHA256
						: ALGO_ECDSA_SHA256,
		.curve = CERT_CURVE_P384,
		.sig = { { .usage = USAGE_NONE }, { .usage = USAGE_NONE } },
	};
	reverse(c->x, x, SHARED_LEN);
	reverse(c->y, y, SHARED_LEN);
	return 0;
}

int cert_ecdsa(EVP_PKEY *key, const void *p, size_t len,
	       uint8_t rs[2 * CERT_EC_LEN])
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	uint8_t der[160];
	const uint8_t *at = der;
	size_t n = sizeof der;
	ECDSA_SIG *sig = NULL;
	bool ok = c &&
		  EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, key) == 1 &&
		  EVP_DigestSign(c, der, &n, p, len) == 1;

	if (ok)
		sig = d2i_ECDSA_SIG(NULL, &at, (long)n);
	ok = sig &&
	     BN_bn2lebinpad(ECDSA_SIG_get0_r(sig), rs, CERT_EC_LEN) >= 0 &&
	     BN_bn2lebinpad(ECDSA_SIG_get0_s(sig), rs + CERT_EC_LEN,
			    CERT_EC_LEN) >= 0;
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(c);
	return ok ? 0 : -EIO;
}

static int rsa_pss(EVP_PKEY *key, const void *p, size_t len, uint8_t le[512])
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *k = NULL;
	uint8_t be[512];
	size_t n = sizeof be;
	bool ok = c &&
		  EVP_DigestSignInit(c, &k, EVP_sha384(), NULL, key) == 1 &&
		  EVP_PKEY_CTX_set_rsa_padding(k, RSA_PKCS1_PSS_PADDING) > 0 &&
		  EVP_PKEY_CTX_set_rsa_pss_saltlen(k, PSS_SALT_DIGEST) > 0 &&
		  EVP_DigestSign(c, be, &n, p, len) == 1 && n == sizeof be;

	if (ok)
		reverse(le, be, sizeof be);
	EVP_MD_CTX_free(c);
	return ok ? 0 : -EIO;
}

int cert_sign(struct cert *c, unsigned slot, enum cert_usage signer,
	      EVP_PKEY *key)
{
	struct cert_signature *s = &c->sig[slot];

	*s = (struct cert_signature){ .usage = signer };
	if (signer == USAGE_ASK) {
		s->algorithm = ALGO_RSA_SHA384;
		return rsa_pss(key, c, CERT_SIGNED_LEN, s->bytes);
	}
	s->algorithm = ALGO_ECDSA_SHA256;
	return cert_ecdsa(key, c, CERT_SIGNED_LEN, s->bytes);
}

int cert_check(const struct cert *c, enum cert_usage usage)
{
	bool dh = usage == USAGE_PDH;
	uint32_t a = dh ? ALGO_ECDH_SHA256 : ALGO_ECDSA_SHA256;
	uint32_t b = dh ? ALGO_ECDH_SHA384 : ALGO_ECDSA_SHA384;
	EVP_PKEY *key;

	if (c->version != 1 || c->usage != (uint32_t)usage ||
	    (c->algorithm != a && c->algorithm != b))
		return -EINVAL;
	key = cert_key(c);
	EVP_PKEY_free(key);
	return key ? 0 : -EINVAL;
}

EVP_PKEY *cert_key(const struct cert *c)
{
	uint8_t x[CERT_EC_LEN], y[CERT_EC_LEN];
	size_t high = CERT_EC_LEN - SHARED_LEN;

	if (c->curve != CERT_CURVE_P384)
		return NULL;
	reverse(x, c->x, CERT_EC_LEN);
	reverse(y, c->y, CERT_EC_LEN);
	for (size_t i = 0; i < high; i++)
		if (x[i] || y[i])
			return NULL;
	return crypto_p384_from(x + high, y + high);
}

static int ecdsa_verify(EVP_PKEY *key, const void *p, size_t len,
			const uint8_t *rs, const EVP_MD *md)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_lebin2bn(rs, CERT_EC_LEN, NULL);
	BIGNUM *s = BN_lebin2bn(rs + CERT_EC_LEN, CERT_EC_LEN, NULL);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	uint8_t *der = NULL;
	int n = -1;
	bool ok = false;

	if (sig && r && s && ECDSA_SIG_set0(sig, r, s))
		r = s = NULL; /* they belong to sig now */
	if (sig && !r && !s)
		n = i2d_ECDSA_SIG(sig, &der);
	if (n > 0 && c && EVP_DigestVerifyInit(c, NULL, md, NULL, key) == 1)
		ok = EVP_DigestVerify(c, der, (size_t)n, p, len) == 1;
	OPENSSL_free(der);
	EVP_MD_CTX_free(c);
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(sig);
	return ok ? 0 : -EBADMSG;
}

int cert_verify(const struct cert *c, unsigned slot, enum cert_usage signer,
		EVP_PKEY *key)
{
	const struct cert_signature *s = &c->sig[slot];
	const EVP_MD *md = s->algorithm == ALGO_ECDSA_SHA384 ? EVP_sha384()
							     : EVP_sha256();

	if (s->usage != (uint32_t)signer ||
	    (s->algorithm != ALGO_ECDSA_SHA256 &&
	     s->algorithm != ALGO_ECDSA_SHA384))
		return -EBADMSG;
	return ecdsa_verify(key, c, CERT_SIGNED_LEN, s->bytes, md);
}

int amd_cert_make(struct amd_cert *c, enum cert_usage usage, EVP_PKEY *key,
		  const struct amd_cert *signer, EVP_PKEY *signer_key)
{
	uint8_t id[MAC_LEN];
	BIGNUM *n = NULL, *e = NULL;
	bool ok;

	*c = (struct amd_cert){ .version = 1,
				.usage = usage,
				.exponent_bits = 4096,
				.modulus_bits = 4096 };
	ok = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
	     EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
	     BN_bn2lebinpad(n, c->modulus, sizeof c->modulus) >= 0 &&
	     BN_bn2lebinpad(e, c->exponent, sizeof c->exponent) >= 0 &&
	     !crypto_sha256(c->modulus, sizeof c->modulus, id);
	BN_free(n);
	BN_free(e);
	if (!ok)
		return -EIO;
	bytes_copy(c->key_id, sizeof c->key_id, id, sizeof c->key_id);
	bytes_copy(c->signer_id, sizeof c->signer_id,
		   signer ? signer->key_id : c->key_id, sizeof c->key_id);
	return rsa_pss(signer_key, c, offsetof(struct amd_cert, signature),
		       c->signature);
}
