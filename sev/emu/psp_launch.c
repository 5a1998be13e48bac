/* SPDX-License-Identifier: Apache-2.0 */
/*
 * psp_launch: the commands that bring a guest up (SEV API chapter 6).
 */
#include "sev/emu/psp_commands.h"

#include <errno.h>
#include <openssl/crypto.h>

#define SECRET_MAX (16 * KIB) /* 6.6 */
#define PIECE (64 * KIB)

/* From this version on, measurement and secret are bound to each other. */
static bool binds_version(const struct options *o)
{
	return o->api_major > 0 || o->api_minor >= 17;
}

static enum psp_status guest_keys(struct psp *p, struct psp_guest *g,
				  const struct psp_request *r)
{
	struct cert owner;
	struct session session;
	int rc;

	/* No session: nobody outside knows the keys, or can send a secret. */
	if (!r->in[0].p && !r->in[1].p)
		return crypto_random(&g->keys, sizeof g->keys)
			       ? PSP_HWERROR_PLATFORM
			       : PSP_SUCCESS;
	if (!r->in[0].p || !r->in[1].p)
		return PSP_INVALID_ADDRESS;
	if (r->in[0].len < sizeof owner || r->in[1].len < sizeof session)
		return PSP_INVALID_LENGTH;
	bytes_copy(&owner, sizeof owner, r->in[0].p, sizeof owner);
	bytes_copy(&session, sizeof session, r->in[1].p, sizeof session);
	rc = session_open(p->id.key[PART_PDH], &owner, &session, r->policy,
			  &g->keys);
	switch (rc) {
	case 0: return PSP_SUCCESS;
	case -EINVAL: return PSP_INVALID_CERTIFICATE;
	case -EBADMSG: return PSP_BAD_MEASUREMENT;
	default: return PSP_HWERROR_PLATFORM;
	}
}

/* A guest may ask for a firmware that is new enough, and for SEV-ES. */
static enum psp_status policy_check(const struct psp *p, uint32_t policy)
{
	uint32_t have = (uint32_t)p->opt->api_major << 8 | p->opt->api_minor;
	uint32_t want = POLICY_API_MAJOR(policy) << 8 |
			POLICY_API_MINOR(policy);

	if (want > have || (policy & POLICY_ES))
		return PSP_POLICY_FAILURE;
	return PSP_SUCCESS;
}

static enum psp_status guest_begin(struct psp_guest *g)
{
	uint8_t key[KEY_LEN];
	int rc = crypto_random(key, sizeof key);

	g->digest = EVP_MD_CTX_new();
	if (!rc)
		rc = cipher_open(&g->cipher, key);
	OPENSSL_cleanse(key, sizeof key);
	if (rc || !g->digest || !EVP_DigestInit(g->digest, EVP_sha256()))
		return PSP_HWERROR_PLATFORM;
	return PSP_SUCCESS;
}

enum psp_status psp_launch_start(struct psp *p, struct psp_guest *none,
				 struct psp_request *r,
				 const struct psp_memory *mem)
{
	enum psp_status s = policy_check(p, r->policy);
	struct psp_guest *g = NULL;

	(void)none;
	if (s)
		return s;
	if (r->handle) /* to share another guest's key */
		return PSP_UNSUPPORTED;
	for (size_t i = 0; !g && i < PSP_GUESTS; i++)
		if (!p->guest[i].handle)
			g = &p->guest[i];
	if (!g)
		return PSP_RESOURCE_LIMIT;
	*g = (struct psp_guest){ .policy = r->policy };
	s = guest_keys(p, g, r);
	if (!s)
		s = guest_begin(g);
	if (s) {
		psp_guest_clear(g);
		return s;
	}
	g->mem = *mem;
	g->state = GUEST_LUPDATE;
	g->handle = r->handle = ++p->last_handle;
	p->state = PLATFORM_WORKING;
	return PSP_SUCCESS;
}

/* Encrypts in place what the host put there, and measures it. */
enum psp_status psp_launch_update_data(struct psp *p, struct psp_guest *g,
				       struct psp_request *r,
				       const struct psp_memory *mem)
{
	static const size_t most = PIECE;
	uint8_t *piece = OPENSSL_malloc(most);
	enum psp_status s = piece ? PSP_SUCCESS : PSP_HWERROR_PLATFORM;

	(void)p, (void)mem;
	for (uint64_t at = 0; !s && at < r->length; at += most) {
		size_t n = (size_t)min_u64(most, r->length - at);

		if (g->mem.read_plain(g->mem.ctx, r->address + at, piece, n) ||
		    g->mem.write_private(g->mem.ctx, &g->cipher,
					 r->address + at, piece, n))
			s = PSP_INVALID_ADDRESS;
		else if (!EVP_DigestUpdate(g->digest, piece, n))
			s = PSP_HWERROR_PLATFORM;
	}
	OPENSSL_free(piece);
	if (!s)
		g->measured_bytes += r->length;
	return s;
}

static int measure(const struct psp *p, struct psp_guest *g)
{
	const struct options *o = p->opt;
	const uint8_t context[] = { 0x04, o->api_major, o->api_minor,
				    o->build };
	uint8_t policy[4];
	uint8_t *nonce = g->measurement + MAC_LEN;
	const struct span part[] = {
		{ context, binds_version(o) ? sizeof context : 0 },
		{ policy, sizeof policy },
		{ g->ld, sizeof g->ld },
		{ nonce, MEASUREMENT_LEN - MAC_LEN },
	};
	int rc = crypto_random(nonce, MEASUREMENT_LEN - MAC_LEN);

	put_le32(policy, g->policy);
	return rc ? rc
		  : crypto_hmac(g->keys.tik, part, ARRAY_LEN(part),
				g->measurement);
}

enum psp_status psp_launch_measure(struct psp *p, struct psp_guest *g,
				   struct psp_request *r,
				   const struct psp_memory *mem)
{
	struct psp_room *out = &r->out[0];

	(void)mem;
	out->len = MEASUREMENT_LEN;
	if (!out->p || out->cap < MEASUREMENT_LEN)
		return PSP_INVALID_LENGTH;
	if (!EVP_DigestFinal(g->digest, g->ld, NULL) || measure(p, g))
		return PSP_HWERROR_PLATFORM;
	return psp_answer(out, g->measurement, MEASUREMENT_LEN);
}

/* Table 47: how the data is wrapped. */
struct secret_header {
	uint32_t flags; /* bit 0: compressed */
	uint8_t iv[16];
	uint8_t mac[MAC_LEN];
};
static_assert(sizeof(struct secret_header) == 52, "SEV API, table 47");

static enum psp_status secret_check(const struct psp *p,
				    const struct psp_guest *g,
				    const struct secret_header *h,
				    const struct psp_request *r)
{
	uint8_t head[1 + 4] = { 0x01 }, length[8], mac[MAC_LEN];
	const struct span part[] = {
		{ head, sizeof head },
		{ h->iv, sizeof h->iv },
		{ length, sizeof length },
		{ r->in[1].p, r->in[1].len },
		{ g->measurement, binds_version(p->opt) ? MAC_LEN : 0 },
	};

	put_le32(head + 1, h->flags);
	put_le32(length, r->length);
	put_le32(length + 4, (uint32_t)r->in[1].len);
	if (crypto_hmac(g->keys.tik, part, ARRAY_LEN(part), mac))
		return PSP_HWERROR_PLATFORM;
	return crypto_equal(mac, h->mac, sizeof mac) ? PSP_SUCCESS
						     : PSP_BAD_MEASUREMENT;
}

enum psp_status psp_launch_secret(struct psp *p, struct psp_guest *g,
				  struct psp_request *r,
				  const struct psp_memory *mem)
{
	struct secret_header h;
	uint8_t plain[SECRET_MAX];
	enum psp_status s;
	int rc;

	(void)mem;
	if (r->in[0].len < sizeof h || r->length > SECRET_MAX ||
	    r->in[1].len != r->length)
		return PSP_INVALID_LENGTH;
	bytes_copy(&h, sizeof h, r->in[0].p, sizeof h);
	if (h.flags) /* no compression here */
		return PSP_INVALID_PARAM;
	s = secret_check(p, g, &h, r);
	if (s)
		return s;
	rc = crypto_ctr(g->keys.tek, h.iv, r->in[1].p, r->length, plain);
	if (!rc)
		rc = g->mem.write_private(g->mem.ctx, &g->cipher, r->address,
					  plain, r->length);
	OPENSSL_cleanse(plain, sizeof plain);
	return rc ? PSP_INVALID_ADDRESS : PSP_SUCCESS;
}

/* The transport keys have done their work. */
enum psp_status psp_launch_finish(struct psp *p, struct psp_guest *g,
				  struct psp_request *r,
				  const struct psp_memory *mem)
{
	(void)p, (void)r, (void)mem;
	OPENSSL_cleanse(&g->keys, sizeof g->keys);
	return PSP_SUCCESS;
}
