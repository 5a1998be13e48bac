/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session: the owner's half of LAUNCH_START. A fresh key pair meets the
 * platform's PDH; from the shared secret come the keys that wrap a fresh TEK
 * and TIK. Nobody but this platform's secure processor can unwrap them, which
 * holds only if the PDH was verified: see chain.h.
 */
#ifndef CARREL_SEV_OWNER_SESSION_H
#define CARREL_SEV_OWNER_SESSION_H

#include "sev/owner/cert.h"
#include "sev/owner/keys.h"

/* What goes to the host: nothing secret. */
struct session {
	uint8_t godh[SEV_CERT_LEN];
	uint8_t blob[SEV_SESSION_LEN];
};

/* Every secret of the derivation; allocate it by keys_alloc. */
struct session_keys {
	struct tk tk;
	uint8_t z[SEV_P384_LEN]; /* ECDH x-coordinate, big-endian */
	uint8_t master[16], kek[16], kik[16];
	uint8_t scratch[32];
};

/*
 * The blob for k->z and k->tk, which are set, and a nonce and iv that were
 * never used before. Deterministic: the known-answer tests call it.
 */
int session_wrap(uint8_t blob[SEV_SESSION_LEN], struct session_keys *k,
		 const uint8_t nonce[16], const uint8_t iv[16],
		 uint32_t policy) MUST_USE;

/* All of it with fresh randomness; on return k->tk are the keys to keep. */
int session_make(struct session *s, struct session_keys *k,
		 const struct sev_cert *pdh, uint32_t policy) MUST_USE;

#endif
