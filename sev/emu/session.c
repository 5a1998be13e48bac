/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session: see the header.
 */
#include "sev/emu/session.h"

#include <errno.h>
#include <openssl/crypto.h>

struct wrap_keys {
	uint8_t master[KEY_LEN], kek[KEY_LEN], kik[KEY_LEN];
};

static int derive(const uint8_t z[SHARED_LEN], const uint8_t nonce[16],
		  struct wrap_keys *k)
{
	int rc = crypto_kdf(z, SHARED_LEN, "sev-master-secret", nonce, 16,
			    k->master);

	if (!rc)
		rc = crypto_kdf(k->master, KEY_LEN, "sev-kek", NULL, 0, k->kek);
	if (!rc)
		rc = crypto_kdf(k->master, KEY_LEN, "sev-kik", NULL, 0, k->kik);
	return rc;
}

static int mac_check(const uint8_t key[KEY_LEN], const void *p, size_t len,
		     const uint8_t expected[MAC_LEN])
{
	const struct span part = { p, len };
	uint8_t mac[MAC_LEN];
	int rc = crypto_hmac(key, &part, 1, mac);

	if (rc)
		return rc;
	return crypto_equal(mac, expected, sizeof mac) ? 0 : -EBADMSG;
}

static int unwrap(const struct wrap_keys *k, const struct session *s,
		  uint32_t policy, struct transport_keys *out)
{
	uint8_t keys[2 * KEY_LEN], le[4];
	int rc = mac_check(k->kik, s->wrapped, sizeof s->wrapped, s->wrap_mac);

	put_le32(le, policy);
	if (!rc)
		rc = crypto_ctr(k->kek, s->iv, s->wrapped, sizeof keys, keys);
	if (!rc)
		rc = mac_check(keys + KEY_LEN, le, sizeof le, s->policy_mac);
	if (!rc) {
		bytes_copy(out->tek, KEY_LEN, keys, KEY_LEN);
		bytes_copy(out->tik, KEY_LEN, keys + KEY_LEN, KEY_LEN);
	}
	OPENSSL_cleanse(keys, sizeof keys);
	return rc;
}

int session_open(EVP_PKEY *pdh, const struct cert *owner,
		 const struct session *s, uint32_t policy,
		 struct transport_keys *out)
{
	uint8_t z[SHARED_LEN];
	struct wrap_keys k;
	EVP_PKEY *theirs;
	int rc = cert_check(owner, USAGE_PDH);

	if (rc)
		return rc;
	theirs = cert_key(owner);
	rc = theirs ? crypto_ecdh(pdh, theirs, z) : -EINVAL;
	if (!rc)
		rc = derive(z, s->nonce, &k);
	if (!rc)
		rc = unwrap(&k, s, policy, out);
	EVP_PKEY_free(theirs);
	OPENSSL_cleanse(z, sizeof z);
	OPENSSL_cleanse(&k, sizeof k);
	return rc;
}
