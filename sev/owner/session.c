/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session: key agreement and the launch session blob (SEV API, table 28).
 */
#include "sev/owner/session.h"

#include <errno.h>
#include <openssl/ec.h>

#include "sev/owner/crypto.h"
#include "sev/owner/kdf.h"
#include "vmm/log.h"

enum {
	BLOB_NONCE = 0,
	BLOB_WRAP_TK = 16,
	BLOB_WRAP_IV = 48,
	BLOB_WRAP_MAC = 64,
	BLOB_POLICY_MAC = 96,
};
static_assert(BLOB_POLICY_MAC + HMAC_LEN == SEV_SESSION_LEN, "table 28");

static int derive_keys(struct session_keys *k, const uint8_t nonce[16])
{
	int rc = kdf_derive(k->master, k->scratch, k->z, sizeof(k->z),
			    "sev-master-secret", nonce, 16);

	if (!rc)
		rc = kdf_derive(k->kek, k->scratch, k->master,
				sizeof(k->master), "sev-kek", NULL, 0);
	if (!rc)
		rc = kdf_derive(k->kik, k->scratch, k->master,
				sizeof(k->master), "sev-kik", NULL, 0);
	return rc;
}

int session_wrap(uint8_t blob[SEV_SESSION_LEN], struct session_keys *k,
		 const uint8_t nonce[16], const uint8_t iv[16], uint32_t policy)
{
	uint8_t policy_le[4];
	const struct bytes wrapped = { blob + BLOB_WRAP_TK, sizeof(k->tk) };
	const struct bytes bits = { policy_le, sizeof(policy_le) };
	int rc = derive_keys(k, nonce);

	put_le32(policy_le, policy);
	bytes_copy(blob + BLOB_NONCE, 16, nonce, 16);
	bytes_copy(blob + BLOB_WRAP_IV, 16, iv, 16);
	if (!rc)
		rc = crypto_aes_ctr(k->kek, iv, k->tk.tek, blob + BLOB_WRAP_TK,
				    sizeof(k->tk));
	if (!rc)
		rc = crypto_hmac(k->kik, sizeof(k->kik), &wrapped, 1,
				 blob + BLOB_WRAP_MAC);
	if (!rc)
		rc = crypto_hmac(k->tk.tik, sizeof(k->tk.tik), &bits, 1,
				 blob + BLOB_POLICY_MAC);
	return rc;
}

/* The shared secret, at full length: OpenSSL pads the x-coordinate. */
static int agree(uint8_t z[SEV_P384_LEN], EVP_PKEY *own, EVP_PKEY *peer)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
	size_t len = SEV_P384_LEN;
	bool ok = ctx && EVP_PKEY_derive_init(ctx) > 0 &&
		  EVP_PKEY_derive_set_peer(ctx, peer) > 0 &&
		  EVP_PKEY_derive(ctx, z, &len) > 0 && len == SEV_P384_LEN;

	EVP_PKEY_CTX_free(ctx);
	return ok ? 0 : crypto_fail("key agreement with the PDH");
}

int session_make(struct session *s, struct session_keys *k,
		 const struct sev_cert *pdh, uint32_t policy)
{
	EVP_PKEY *peer = sev_cert_key(pdh), *own = NULL;
	uint8_t nonce[16], iv[16];
	int rc;

	if (!peer) {
		log_error("the PDH's public key is no point on P-384");
		return -EINVAL;
	}
	own = EVP_EC_gen("P-384");
	rc = own ? agree(k->z, own, peer) : crypto_fail("making a key pair");
	if (!rc)
		rc = crypto_random(k->tk.tek, sizeof(k->tk.tek));
	if (!rc)
		rc = crypto_random(k->tk.tik, sizeof(k->tk.tik));
	if (!rc)
		rc = crypto_random(nonce, sizeof(nonce));
	if (!rc)
		rc = crypto_random(iv, sizeof(iv));
	if (!rc)
		rc = session_wrap(s->blob, k, nonce, iv, policy);
	if (!rc)
		rc = sev_cert_make_pdh(s->godh, own, pdh->api_major,
				       pdh->api_minor);
	EVP_PKEY_free(own);
	EVP_PKEY_free(peer);
	return rc;
}
