/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cipher: see the header. Works in pieces of a quarter of a page, so that
 * OpenSSL sees runs long enough to be quick.
 */
#include "sev/emu/cipher.h"

#include <errno.h>

#define PIECE 1024

static EVP_CIPHER_CTX *context(const uint8_t key[KEY_LEN], int encrypt)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();

	if (c &&
	    EVP_CipherInit_ex(c, EVP_aes_128_ecb(), NULL, key, NULL, encrypt) &&
	    EVP_CIPHER_CTX_set_padding(c, 0))
		return c;
	EVP_CIPHER_CTX_free(c);
	return NULL;
}

int cipher_open(struct cipher *c, const uint8_t key[KEY_LEN])
{
	uint8_t tweak[KEY_LEN];
	int rc = crypto_kdf(key, KEY_LEN, "carrel-emu-tweak", NULL, 0, tweak);

	*c = (struct cipher){ 0 };
	if (rc)
		return rc;
	c->encrypt = context(key, 1);
	c->decrypt = context(key, 0);
	c->tweak = context(tweak, 1);
	if (c->encrypt && c->decrypt && c->tweak)
		return 0;
	cipher_close(c);
	return -ENOMEM;
}

void cipher_close(struct cipher *c)
{
	EVP_CIPHER_CTX_free(c->encrypt);
	EVP_CIPHER_CTX_free(c->decrypt);
	EVP_CIPHER_CTX_free(c->tweak);
	*c = (struct cipher){ 0 };
}

static void xor_bytes(uint8_t *to, const uint8_t *a, const uint8_t *b,
		      size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = a[i] ^ b[i];
}

static bool piece(EVP_CIPHER_CTX *tweak, EVP_CIPHER_CTX *aes, uint64_t address,
		  const uint8_t *in, uint8_t *out, size_t len)
{
	uint8_t t[PIECE] = { 0 }, x[PIECE];
	int n = 0;

	for (size_t i = 0; i < len; i += CIPHER_BLOCK)
		put_le64(t + i, address + i);
	if (!EVP_CipherUpdate(tweak, t, &n, t, (int)len))
		return false;
	xor_bytes(x, in, t, len);
	if (!EVP_CipherUpdate(aes, x, &n, x, (int)len))
		return false;
	xor_bytes(out, x, t, len);
	return true;
}

static int run(struct cipher *c, EVP_CIPHER_CTX *aes, uint64_t address,
	       const uint8_t *in, uint8_t *out, size_t len)
{
	bool ok = !(address % CIPHER_BLOCK) && !(len % CIPHER_BLOCK);

	lock_take(&c->lock);
	for (size_t at = 0; ok && at < len; at += PIECE) {
		size_t n = (size_t)min_u64(PIECE, len - at);

		ok = piece(c->tweak, aes, address + at, in + at, out + at, n);
	}
	lock_drop(&c->lock);
	return ok ? 0 : -EINVAL;
}

int cipher_encrypt(struct cipher *c, uint64_t address, const uint8_t *in,
		   uint8_t *out, size_t len)
{
	return run(c, c->encrypt, address, in, out, len);
}

int cipher_decrypt(struct cipher *c, uint64_t address, const uint8_t *in,
		   uint8_t *out, size_t len)
{
	return run(c, c->decrypt, address, in, out, len);
}
