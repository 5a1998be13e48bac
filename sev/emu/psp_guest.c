/* SPDX-License-Identifier: Apache-2.0 */
/*
 * psp_guest: the commands for a guest that exists: its status, a report about
 * it, the debugger's view where the policy allows one, and its end.
 */
#include "sev/emu/psp_commands.h"

#include <openssl/crypto.h>

#define PIECE (4 * KIB)

/* ATTESTATION's report (SEV API 6.8): signed by the PEK up to the policy. */
struct report {
	uint8_t nonce[16];
	uint8_t ld[MAC_LEN];
	uint32_t policy;
	uint32_t usage, algorithm, reserved;
	uint8_t signature[2 * CERT_EC_LEN];
};
static_assert(sizeof(struct report) == 208, "SEV API, 6.8");
#define REPORT_SIGNED offsetof(struct report, usage)

void psp_guest_clear(struct psp_guest *g)
{
	cipher_close(&g->cipher);
	EVP_MD_CTX_free(g->digest);
	OPENSSL_cleanse(g, sizeof *g);
}

enum psp_status psp_guest_status(struct psp *p, struct psp_guest *g,
				 struct psp_request *r,
				 const struct psp_memory *mem)
{
	(void)p, (void)mem;
	r->policy = g->policy;
	r->state = g->state;
	return PSP_SUCCESS;
}

enum psp_status psp_attestation(struct psp *p, struct psp_guest *g,
				struct psp_request *r,
				const struct psp_memory *mem)
{
	struct report a = { .policy = g->policy,
			    .usage = USAGE_PEK,
			    .algorithm = ALGO_ECDSA_SHA256 };

	(void)mem;
	if (r->in[0].len != sizeof a.nonce)
		return PSP_INVALID_LENGTH;
	bytes_copy(a.nonce, sizeof a.nonce, r->in[0].p, sizeof a.nonce);
	bytes_copy(a.ld, sizeof a.ld, g->ld, sizeof g->ld);
	if (cert_ecdsa(p->id.key[PART_PEK], &a, REPORT_SIGNED, a.signature))
		return PSP_HWERROR_PLATFORM;
	return psp_answer(&r->out[0], &a, sizeof a);
}

static enum psp_status debug(struct psp_guest *g, const struct psp_request *r,
			     bool decrypt)
{
	const struct psp_memory *m = &g->mem;
	uint8_t piece[PIECE];
	int rc = 0;

	if (g->policy & POLICY_NODBG)
		return PSP_POLICY_FAILURE;
	for (uint64_t at = 0; !rc && at < r->length; at += sizeof piece) {
		size_t n = (size_t)min_u64(sizeof piece, r->length - at);
		uint64_t guest = r->address + at, host = r->other + at;

		rc = decrypt ? m->read_private(m->ctx, &g->cipher, guest, piece,
					       n)
			     : m->read_plain(m->ctx, host, piece, n);
		if (!rc)
			rc = decrypt ? m->write_plain(m->ctx, host, piece, n)
				     : m->write_private(m->ctx, &g->cipher,
							guest, piece, n);
	}
	OPENSSL_cleanse(piece, sizeof piece);
	return rc ? PSP_INVALID_ADDRESS : PSP_SUCCESS;
}

enum psp_status psp_dbg_decrypt(struct psp *p, struct psp_guest *g,
				struct psp_request *r,
				const struct psp_memory *mem)
{
	(void)p, (void)mem;
	return debug(g, r, true);
}

enum psp_status psp_dbg_encrypt(struct psp *p, struct psp_guest *g,
				struct psp_request *r,
				const struct psp_memory *mem)
{
	(void)p, (void)mem;
	return debug(g, r, false);
}

enum psp_status psp_decommission(struct psp *p, struct psp_guest *g,
				 struct psp_request *r,
				 const struct psp_memory *mem)
{
	(void)r, (void)mem;
	psp_guest_clear(g);
	for (size_t i = 0; i < PSP_GUESTS; i++)
		if (p->guest[i].handle)
			return PSP_SUCCESS;
	p->state = PLATFORM_INIT;
	return PSP_SUCCESS;
}
