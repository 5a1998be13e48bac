/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signature: does this key's signature over these bytes hold? Nothing more:
 * whether the key may sign them is chain.h's business. Bytes and keys come from
 * the host; whatever is wrong with them, the answer is no.
 */
#ifndef CARREL_SEV_OWNER_SIGNATURE_H
#define CARREL_SEV_OWNER_SIGNATURE_H

#include "sev/owner/cert.h"

/* RSA-PSS by an ARK or ASK; sig is as long as its key, little-endian. */
bool signature_amd_ok(const struct amd_cert *by, const uint8_t *sig,
		      const uint8_t *msg, size_t len);

/* ECDSA over the signed part of c, by the key of another or its own. */
bool signature_sev_ok(const struct sev_cert *by, const struct sev_sig *sig,
		      const struct sev_cert *c);

#endif
