/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signature: from the layout of SEV's signatures to what OpenSSL verifies.
 */
#include "sev/owner/signature.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

/* RSA-PSS, salt as long as the hash, which MGF1 uses too. */
static bool set_pss(EVP_PKEY_CTX *ctx)
{
	int pad = RSA_PKCS1_PSS_PADDING, salt = RSA_PSS_SALTLEN_DIGEST;

	return EVP_PKEY_CTX_set_rsa_padding(ctx, pad) > 0 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt) > 0;
}

/* One signature check; sig is DER for EC, big-endian for RSA. */
static bool verified(EVP_PKEY *key, const EVP_MD *md, bool rsa,
		     const uint8_t *sig, size_t sig_len, const uint8_t *msg,
		     size_t len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	bool ok = key && ctx &&
		  EVP_DigestVerifyInit(ctx, &pctx, md, NULL, key) > 0;

	if (ok && rsa)
		ok = set_pss(pctx);
	ok = ok && EVP_DigestVerify(ctx, sig, sig_len, msg, len) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

/* AMD's RSA keys: 2048 bits sign with SHA-256, 4096 with SHA-384. */
bool signature_amd_ok(const struct amd_cert *by, const uint8_t *sig,
		      const uint8_t *msg, size_t len)
{
	const EVP_MD *md = by->key_len == 256 ? EVP_sha256() : EVP_sha384();
	EVP_PKEY *key = amd_cert_key(by);
	uint8_t big[512];
	bool ok;

	for (size_t i = 0; i < by->key_len; i++)
		big[by->key_len - 1 - i] = sig[i];
	ok = verified(key, md, true, big, by->key_len, msg, len);
	EVP_PKEY_free(key);
	return ok;
}

/* r and s, little-endian, to the DER that OpenSSL verifies; NULL: no memory. */
static uint8_t *ecdsa_der(const uint8_t *rs, size_t *len)
{
	BIGNUM *r = BN_lebin2bn(rs, SEV_EC_LEN, NULL);
	BIGNUM *s = BN_lebin2bn(rs + SEV_EC_LEN, SEV_EC_LEN, NULL);
	ECDSA_SIG *sig = ECDSA_SIG_new();
	uint8_t *der = NULL;
	int n = 0;

	if (r && s && sig && ECDSA_SIG_set0(sig, r, s)) {
		r = s = NULL; /* the signature's now */
		n = i2d_ECDSA_SIG(sig, &der);
	}
	*len = n > 0 ? (size_t)n : 0;
	ECDSA_SIG_free(sig);
	BN_free(r);
	BN_free(s);
	return der;
}

bool signature_sev_ok(const struct sev_cert *by, const struct sev_sig *sig,
		      const struct sev_cert *c)
{
	const EVP_MD *md = sig->algo == ALGO_ECDSA_SHA384 ? EVP_sha384()
							  : EVP_sha256();
	EVP_PKEY *key = sev_cert_key(by);
	size_t len;
	uint8_t *der = ecdsa_der(c->raw + sig->at, &len);
	bool ok = der &&
		  verified(key, md, false, der, len, c->raw, SEV_CERT_SIGNED);

	OPENSSL_free(der);
	EVP_PKEY_free(key);
	return ok;
}
