/* SPDX-License-Identifier: Apache-2.0 */
/*
 * psp_platform: the commands for the platform itself (SEV API chapter 5): its
 * state, its identity, and who owns it.
 */
#include "sev/emu/psp_commands.h"

#define CERTS_IN_CHAIN 3 /* PEK, OCA, CEK */

/* Answer of PLATFORM_STATUS as the host's driver hands it on. */
struct status_answer {
	uint8_t api_major, api_minor, state;
	uint32_t flags; /* bit 0: somebody else owns the platform */
	uint8_t build;
	uint32_t guests;
} __attribute__((packed));
static_assert(sizeof(struct status_answer) == 12, "SEV API, table 13");

enum psp_status psp_answer(struct psp_room *out, const void *p, uint32_t len)
{
	out->len = len;
	if (!out->p || out->cap < len)
		return PSP_INVALID_LENGTH;
	bytes_copy(out->p, out->cap, p, len);
	return PSP_SUCCESS;
}

static enum psp_status changed(int rc)
{
	return rc ? PSP_HWERROR_PLATFORM : PSP_SUCCESS;
}

enum psp_status psp_factory_reset(struct psp *p, struct psp_guest *g,
				  struct psp_request *r,
				  const struct psp_memory *mem)
{
	(void)g, (void)r, (void)mem;
	return changed(identity_new_owner(&p->id));
}

enum psp_status psp_platform_status(struct psp *p, struct psp_guest *g,
				    struct psp_request *r,
				    const struct psp_memory *mem)
{
	struct status_answer a = {
		.api_major = p->opt->api_major,
		.api_minor = p->opt->api_minor,
		.build = p->opt->build,
		.state = (uint8_t)p->state,
		.flags = identity_owned(&p->id),
	};

	(void)g, (void)mem;
	for (size_t i = 0; i < PSP_GUESTS; i++)
		a.guests += p->guest[i].handle != 0;
	return psp_answer(&r->out[0], &a, sizeof a);
}

enum psp_status psp_pek_gen(struct psp *p, struct psp_guest *g,
			    struct psp_request *r, const struct psp_memory *mem)
{
	(void)g, (void)r, (void)mem;
	return changed(identity_new_owner(&p->id));
}

enum psp_status psp_pdh_gen(struct psp *p, struct psp_guest *g,
			    struct psp_request *r, const struct psp_memory *mem)
{
	(void)g, (void)r, (void)mem;
	return changed(identity_new_pdh(&p->id));
}

/* The PEK's certificate before anybody signed it (5.8). */
enum psp_status psp_pek_csr(struct psp *p, struct psp_guest *g,
			    struct psp_request *r, const struct psp_memory *mem)
{
	struct cert csr = p->id.cert[PART_PEK];

	(void)g, (void)mem;
	csr.sig[0] = (struct cert_signature){ .usage = USAGE_NONE };
	csr.sig[1] = csr.sig[0];
	return psp_answer(&r->out[0], &csr, sizeof csr);
}

/*
 * The owner's CA is self-signed; the PEK must be the key that is here already,
 * signed by that CA (5.9).
 */
static enum psp_status import_check(const struct psp *p, const struct cert *pek,
				    const struct cert *oca)
{
	const struct cert *mine = &p->id.cert[PART_PEK];
	enum psp_status s = PSP_SUCCESS;
	EVP_PKEY *key;

	if (cert_check(pek, USAGE_PEK) || cert_check(oca, USAGE_OCA) ||
	    !crypto_equal(pek->x, mine->x, sizeof mine->x) ||
	    !crypto_equal(pek->y, mine->y, sizeof mine->y))
		return PSP_INVALID_CERTIFICATE;
	key = cert_key(oca);
	if (!key || cert_verify(oca, 0, USAGE_OCA, key) ||
	    cert_verify(pek, 0, USAGE_OCA, key))
		s = PSP_BAD_SIGNATURE;
	EVP_PKEY_free(key);
	return s;
}

enum psp_status psp_pek_cert_import(struct psp *p, struct psp_guest *g,
				    struct psp_request *r,
				    const struct psp_memory *mem)
{
	struct cert pek, oca;
	enum psp_status s;

	(void)g, (void)mem;
	if (identity_owned(&p->id))
		return PSP_ALREADY_OWNED;
	if (r->in[0].len != sizeof pek || r->in[1].len != sizeof oca)
		return PSP_INVALID_LENGTH;
	bytes_copy(&pek, sizeof pek, r->in[0].p, sizeof pek);
	bytes_copy(&oca, sizeof oca, r->in[1].p, sizeof oca);
	s = import_check(p, &pek, &oca);
	return s ? s : changed(identity_import(&p->id, &pek, &oca));
}

enum psp_status psp_pdh_cert_export(struct psp *p, struct psp_guest *g,
				    struct psp_request *r,
				    const struct psp_memory *mem)
{
	const struct cert chain[CERTS_IN_CHAIN] = {
		p->id.cert[PART_PEK],
		p->id.cert[PART_OCA],
		p->id.cert[PART_CEK],
	};
	enum psp_status s, t;

	(void)g, (void)mem;
	s = psp_answer(&r->out[0], &p->id.cert[PART_PDH], sizeof(struct cert));
	t = psp_answer(&r->out[1], chain, sizeof chain);
	return s ? s : t;
}

enum psp_status psp_get_id(struct psp *p, struct psp_guest *g,
			   struct psp_request *r, const struct psp_memory *mem)
{
	(void)g, (void)mem;
	return psp_answer(&r->out[0], p->id.chip_id, CHIP_ID_LEN);
}
