/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emu_rig: a secure processor on a few pages of memory, and the guest owner's
 * side of a launch, written from the specification with OpenSSL's one-shot
 * calls so that it shares nothing with what it tests.
 */
#ifndef CARREL_TESTS_EMU_RIG_H
#define CARREL_TESTS_EMU_RIG_H

#include "sev/emu/psp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>

#define RIG_BYTES 16384

struct rig {
	char dir[64];
	struct options opt;
	struct journal log;
	struct psp psp;
	uint8_t plain[RIG_BYTES], secret[RIG_BYTES];
};

static inline int rig_read(void *ctx, uint64_t at, uint8_t *to, size_t len)
{
	const struct rig *r = ctx;

	if (!range_ok(at, len, RIG_BYTES))
		return -1;
	bytes_copy(to, len, r->plain + at, len);
	return 0;
}

static inline int rig_write(void *ctx, uint64_t at, const uint8_t *p,
			    size_t len)
{
	struct rig *r = ctx;

	if (!range_ok(at, len, RIG_BYTES))
		return -1;
	bytes_copy(r->plain + at, RIG_BYTES - at, p, len);
	return 0;
}

static inline int rig_read_private(void *ctx, struct cipher *key, uint64_t at,
				   uint8_t *to, size_t len)
{
	const struct rig *r = ctx;

	if (!range_ok(at, len, RIG_BYTES))
		return -1;
	return cipher_decrypt(key, at, r->plain + at, to, len);
}

static inline int rig_write_private(void *ctx, struct cipher *key, uint64_t at,
				    const uint8_t *p, size_t len)
{
	struct rig *r = ctx;

	if (!range_ok(at, len, RIG_BYTES))
		return -1;
	bytes_copy(r->secret + at, RIG_BYTES - at, p, len);
	return cipher_encrypt(key, at, p, r->plain + at, len);
}

static inline struct psp_memory rig_memory(struct rig *r)
{
	return (struct psp_memory){ r, rig_read, rig_write, rig_read_private,
				    rig_write_private };
}

static inline enum psp_status rig_do(struct rig *r, struct psp_request *q)
{
	const struct psp_memory m = rig_memory(r);

	return psp_execute(&r->psp, q, &m);
}

/* One identity for a whole test program: its RSA keys take seconds. */
static inline int rig_setup(void **state)
{
	struct rig *r = calloc(1, sizeof *r);

	strcpy(r->dir, "/tmp/carrel-emu-test.XXXXXX");
	if (!mkdtemp(r->dir))
		return -1;
	r->log.fd = -1;
	r->opt = (struct options){ .api_major = 1,
				   .api_minor = 55,
				   .build = 21 };
	(void)snprintf(r->opt.identity, sizeof r->opt.identity, "%s/state/emu",
		       r->dir);
	*state = r;
	return psp_open(&r->psp, &r->opt, &r->log);
}

static inline int rig_teardown(void **state)
{
	struct rig *r = *state;
	char command[128];

	psp_close(&r->psp);
	(void)snprintf(command, sizeof command, "rm -r %s", r->dir);
	free(*state);
	return system(command);
}

struct owner {
	struct cert cert;
	struct session session;
	struct transport_keys keys;
};

static inline void owner_kdf(const uint8_t *key, int key_len, const char *label,
			     const uint8_t *context, size_t context_len,
			     uint8_t out[16])
{
	uint8_t message[64] = { 1 }, mac[32];
	size_t n = 4 + strlen(label);

	memcpy(message + 4, label, strlen(label));
	message[n++] = 0;
	if (context_len)
		memcpy(message + n, context, context_len);
	n += context_len;
	message[n] = 128;
	n += 4;
	assert_non_null(
		HMAC(EVP_sha256(), key, key_len, message, n, mac, NULL));
	memcpy(out, mac, 16);
}

static inline void owner_mac(const uint8_t key[16], const void *p, size_t len,
			     uint8_t mac[32])
{
	assert_non_null(HMAC(EVP_sha256(), key, 16, p, len, mac, NULL));
}

static inline void owner_ctr(const uint8_t key[16], const uint8_t iv[16],
			     const void *in, int len, uint8_t *out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n;

	assert_int_equal(EVP_EncryptInit(c, EVP_aes_128_ctr(), key, iv), 1);
	assert_int_equal(EVP_EncryptUpdate(c, out, &n, in, len), 1);
	EVP_CIPHER_CTX_free(c);
}

/* What carrel-sev session does: fresh keys, wrapped for this platform. */
static inline void owner_begin(struct owner *o, const struct cert *pdh,
			       uint32_t policy)
{
	EVP_PKEY *mine = EVP_EC_gen("P-384"), *theirs = cert_key(pdh);
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(mine, NULL);
	uint8_t z[48], master[16], kek[16], kik[16], le[4];
	size_t len = sizeof z;

	assert_int_equal(EVP_PKEY_derive_init(c), 1);
	assert_int_equal(EVP_PKEY_derive_set_peer(c, theirs), 1);
	assert_int_equal(EVP_PKEY_derive(c, z, &len), 1);
	assert_int_equal(cert_make(&o->cert, USAGE_PDH, mine, 1, 55), 0);
	memset(&o->keys, 0x5a, sizeof o->keys);
	memset(o->keys.tik, 0xa5, sizeof o->keys.tik);
	memset(o->session.nonce, 7, sizeof o->session.nonce);
	memset(o->session.iv, 9, sizeof o->session.iv);
	owner_kdf(z, sizeof z, "sev-master-secret", o->session.nonce, 16,
		  master);
	owner_kdf(master, 16, "sev-kek", NULL, 0, kek);
	owner_kdf(master, 16, "sev-kik", NULL, 0, kik);
	owner_ctr(kek, o->session.iv, &o->keys, sizeof o->keys,
		  o->session.wrapped);
	owner_mac(kik, o->session.wrapped, sizeof o->session.wrapped,
		  o->session.wrap_mac);
	put_le32(le, policy);
	owner_mac(o->keys.tik, le, sizeof le, o->session.policy_mac);
	EVP_PKEY_CTX_free(c);
	EVP_PKEY_free(mine);
	EVP_PKEY_free(theirs);
}

static inline enum psp_status owner_start(struct rig *r, const struct owner *o,
					  uint32_t policy, uint32_t *handle)
{
	struct psp_request q = {
		.id = PSP_LAUNCH_START,
		.policy = policy,
		.in = { { &o->cert, sizeof o->cert },
			{ &o->session, sizeof o->session } },
	};
	enum psp_status s = rig_do(r, &q);

	*handle = q.handle;
	return s;
}

#endif
