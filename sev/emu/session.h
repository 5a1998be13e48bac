/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session: how the owner's transport keys get into the processor: the owner's
 * Diffie-Hellman certificate and the 128 bytes of session data (SEV API 2.2.2
 * and table 28). Both come from outside; a MAC decides before anything is used.
 */
#ifndef CARREL_EMU_SESSION_H
#define CARREL_EMU_SESSION_H

#include "sev/emu/cert.h"

struct session {
	uint8_t nonce[16];
	uint8_t wrapped[2 * KEY_LEN]; /* AES-128-CTR(KEK, IV, TEK, TIK) */
	uint8_t iv[16];
	uint8_t wrap_mac[MAC_LEN]; /* HMAC(KIK, wrapped) */
	uint8_t policy_mac[MAC_LEN]; /* HMAC(TIK, policy) */
};
static_assert(sizeof(struct session) == 128, "SEV API, table 28");

struct transport_keys {
	uint8_t tek[KEY_LEN], tik[KEY_LEN];
};

/*
 * -EINVAL: no such certificate; -EBADMSG: a MAC is wrong, for the keys or for
 * the policy; -EIO: OpenSSL failed.
 */
int session_open(EVP_PKEY *pdh, const struct cert *owner,
		 const struct session *s, uint32_t policy,
		 struct transport_keys *out) MUST_USE;

#endif
