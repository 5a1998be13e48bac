/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypto: SHA-256, HMAC-SHA256, AES-128-CTR and random bytes by OpenSSL.
 */
#include "sev/owner/crypto.h"

#include <errno.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "vmm/log.h"

int crypto_fail(const char *what)
{
	const char *why = ERR_reason_error_string(ERR_peek_last_error());

	log_error("OpenSSL: %s failed: %s", what, why ? why : "no reason");
	ERR_clear_error();
	return -EIO;
}

int crypto_sha256(const void *p, size_t len, uint8_t out[SHA256_LEN])
{
	if (!EVP_Digest(p, len, out, NULL, EVP_sha256(), NULL))
		return crypto_fail("SHA-256");
	return 0;
}

static bool hmac_all(EVP_MAC_CTX *ctx, const uint8_t *key, size_t key_len,
		     const struct bytes *msg, size_t n, uint8_t *out)
{
	char name[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, name,
				       sizeof(name) - 1),
		OSSL_PARAM_END,
	};
	size_t made;

	if (!EVP_MAC_init(ctx, key, key_len, params))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!EVP_MAC_update(ctx, msg[i].at, msg[i].len))
			return false;
	return EVP_MAC_final(ctx, out, &made, HMAC_LEN) && made == HMAC_LEN;
}

int crypto_hmac(const uint8_t *key, size_t key_len, const struct bytes *msg,
		size_t n, uint8_t out[HMAC_LEN])
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
	bool ok = ctx && hmac_all(ctx, key, key_len, msg, n, out);

	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
	return ok ? 0 : crypto_fail("HMAC-SHA256");
}

int crypto_aes_ctr(const uint8_t key[AES_KEY_LEN], const uint8_t iv[16],
		   const uint8_t *in, uint8_t *out, size_t len)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int made = 0;
	bool ok = ctx && len <= INT_MAX &&
		  EVP_EncryptInit_ex2(ctx, EVP_aes_128_ctr(), key, iv, NULL) &&
		  EVP_EncryptUpdate(ctx, out, &made, in, (int)len) &&
		  (size_t)made == len;

	EVP_CIPHER_CTX_free(ctx);
	return ok ? 0 : crypto_fail("AES-128-CTR");
}

int crypto_random(uint8_t *out, size_t len)
{
	if (len > INT_MAX || RAND_priv_bytes(out, (int)len) != 1)
		return crypto_fail("the random generator");
	return 0;
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}
