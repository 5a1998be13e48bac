/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypto: see the header.
 */
#include "sev/emu/crypto.h"

#include <errno.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#define CURVE "P-384"

int crypto_random(void *out, size_t len)
{
	return len <= INT_MAX && RAND_bytes(out, (int)len) == 1 ? 0 : -EIO;
}

int crypto_sha256(const void *p, size_t len, uint8_t out[MAC_LEN])
{
	return EVP_Digest(p, len, out, NULL, EVP_sha256(), NULL) ? 0 : -EIO;
}

static int hmac(const uint8_t *key, size_t key_len, const struct span *part,
		size_t n, uint8_t out[MAC_LEN])
{
	EVP_PKEY *k =
		EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, NULL, key, key_len);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t len = MAC_LEN;
	bool ok = k && c &&
		  EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, k) == 1;

	for (size_t i = 0; ok && i < n; i++)
		ok = EVP_DigestSignUpdate(c, part[i].p, part[i].len) == 1;
	ok = ok && EVP_DigestSignFinal(c, out, &len) == 1;
	EVP_MD_CTX_free(c);
	EVP_PKEY_free(k);
	return ok ? 0 : -EIO;
}

int crypto_hmac(const uint8_t key[KEY_LEN], const struct span *part, size_t n,
		uint8_t out[MAC_LEN])
{
	return hmac(key, KEY_LEN, part, n, out);
}

int crypto_ctr(const uint8_t key[KEY_LEN], const uint8_t iv[16],
	       const uint8_t *in, size_t len, uint8_t *out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n = 0;
	bool ok = c && len <= INT_MAX &&
		  EVP_EncryptInit_ex(c, EVP_aes_128_ctr(), NULL, key, iv) &&
		  EVP_EncryptUpdate(c, out, &n, in, (int)len);

	EVP_CIPHER_CTX_free(c);
	return ok ? 0 : -EIO;
}

bool crypto_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
	return !CRYPTO_memcmp(a, b, len);
}

int crypto_kdf(const uint8_t *key, size_t key_len, const char *label,
	       const uint8_t *context, size_t context_len, uint8_t out[KEY_LEN])
{
	static const uint8_t one[4] = { 1 }, zero[1], bits[4] = { 128 };
	const struct span part[] = {
		{ one, sizeof one },   { label, strlen(label) },
		{ zero, sizeof zero }, { context, context_len },
		{ bits, sizeof bits },
	};
	uint8_t mac[MAC_LEN];
	int rc = hmac(key, key_len, part, ARRAY_LEN(part), mac);

	bytes_copy(out, KEY_LEN, mac, KEY_LEN);
	OPENSSL_cleanse(mac, sizeof mac);
	return rc;
}

EVP_PKEY *crypto_new_p384(void)
{
	return EVP_EC_gen(CURVE);
}

EVP_PKEY *crypto_new_rsa4096(void)
{
	return EVP_RSA_gen(4096);
}

EVP_PKEY *crypto_p384_from(const uint8_t x_be[SHARED_LEN],
			   const uint8_t y_be[SHARED_LEN])
{
	uint8_t point[1 + 2 * SHARED_LEN] = { 4 }; /* uncompressed */
	char curve[] = CURVE;
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve,
				       sizeof curve - 1),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point,
					sizeof point),
		OSSL_PARAM_END,
	};
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;

	bytes_copy(point + 1, SHARED_LEN, x_be, SHARED_LEN);
	bytes_copy(point + 1 + SHARED_LEN, SHARED_LEN, y_be, SHARED_LEN);
	/* Decoding refuses a point that is not on the curve. */
	if (!c || EVP_PKEY_fromdata_init(c) != 1 ||
	    EVP_PKEY_fromdata(c, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(c);
	return key;
}

static int coordinate(EVP_PKEY *key, const char *name, uint8_t out[SHARED_LEN])
{
	BIGNUM *n = NULL;
	bool ok = EVP_PKEY_get_bn_param(key, name, &n) == 1 &&
		  BN_bn2binpad(n, out, SHARED_LEN) == SHARED_LEN;

	BN_free(n);
	return ok ? 0 : -EIO;
}

int crypto_p384_point(EVP_PKEY *key, uint8_t x_be[SHARED_LEN],
		      uint8_t y_be[SHARED_LEN])
{
	int rc = coordinate(key, OSSL_PKEY_PARAM_EC_PUB_X, x_be);

	return rc ? rc : coordinate(key, OSSL_PKEY_PARAM_EC_PUB_Y, y_be);
}

int crypto_ecdh(EVP_PKEY *mine, EVP_PKEY *theirs, uint8_t z[SHARED_LEN])
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(mine, NULL);
	size_t len = SHARED_LEN;
	bool ok = c && EVP_PKEY_derive_init(c) == 1 &&
		  EVP_PKEY_derive_set_peer(c, theirs) == 1 &&
		  EVP_PKEY_derive(c, z, &len) == 1 && len == SHARED_LEN;

	EVP_PKEY_CTX_free(c);
	return ok ? 0 : -EIO;
}
