/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chain: the rules by which a platform's certificates lead to AMD's root keys.
 */
#include "sev/owner/chain.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sev/owner/crypto.h"
#include "sev/owner/files.h"
#include "sev/owner/signature.h"
#include "vmm/log.h"

/* AMD's root keys: SHA-256 of exponent and modulus (amd_cert_fingerprint). */
static const struct {
	const char *name;
	uint8_t sha256[SHA256_LEN];
} roots[] = {
	{ "AMD Naples",
	  {
		  0xfb, 0x61, 0xbb, 0x1b, 0xf3, 0xb3, 0x99, 0xdf,
		  0xb7, 0xc8, 0x11, 0x39, 0x0c, 0x25, 0x84, 0x5d,
		  0x74, 0x36, 0x9a, 0xae, 0x5f, 0x2a, 0x77, 0xe2,
		  0x57, 0x10, 0xc8, 0x6c, 0xc2, 0xec, 0xb1, 0x58,
	  } },
	{ "AMD Rome",
	  {
		  0x22, 0x7c, 0xc9, 0x76, 0x40, 0x36, 0x34, 0x24,
		  0x69, 0x6c, 0x3e, 0x80, 0xd4, 0xd1, 0x79, 0x02,
		  0xa5, 0xe1, 0x78, 0x4c, 0xc5, 0x80, 0x5a, 0x9e,
		  0xb5, 0xac, 0xc0, 0x06, 0x20, 0x66, 0x1a, 0x71,
	  } },
	{ "AMD Milan",
	  {
		  0x52, 0x01, 0x49, 0x6b, 0x22, 0x32, 0xd8, 0x1c,
		  0xf2, 0xae, 0x75, 0xb8, 0x67, 0xe7, 0xb8, 0x51,
		  0x6f, 0x81, 0xa3, 0xd4, 0xd0, 0xdc, 0x87, 0x61,
		  0x38, 0x05, 0x19, 0x27, 0xa5, 0xa2, 0x0b, 0xab,
	  } },
	{ "AMD Genoa",
	  {
		  0x6b, 0xe9, 0xaa, 0x11, 0xd1, 0xb8, 0xc2, 0x46,
		  0xba, 0x0e, 0x67, 0xc8, 0xcb, 0x85, 0x0f, 0x24,
		  0x9e, 0x8f, 0xa0, 0x69, 0x0a, 0xdc, 0xba, 0x97,
		  0x18, 0x9f, 0x22, 0x38, 0x85, 0xe6, 0xa9, 0x1b,
	  } },
	{ "AMD Turin",
	  {
		  0x1d, 0x12, 0x45, 0xf7, 0x74, 0xfd, 0x71, 0x90,
		  0xe5, 0x38, 0x07, 0x51, 0xa9, 0x33, 0x8c, 0x3d,
		  0xc6, 0x3c, 0x89, 0xd7, 0x5c, 0x44, 0xc1, 0xfa,
		  0xa3, 0x17, 0xbf, 0xff, 0xe4, 0xbd, 0x00, 0xc7,
	  } },
};

static const char *const file_names[CHAIN_NAMES] = {
	"ark.cert", "ask.cert", "cek.cert", "oca.cert", "pek.cert", "pdh.cert",
};

static const uint32_t usages[CHAIN_NAMES] = {
	USAGE_ARK, USAGE_ASK, USAGE_CEK, USAGE_OCA, USAGE_PEK, USAGE_PDH,
};

void chain_init(struct chain *c)
{
	*c = (struct chain){ 0 };
	for (size_t i = 0; i < CHAIN_NAMES; i++)
		c->broken[i] = "the certificate is missing";
}

void chain_set(struct chain *c, enum chain_name name, const uint8_t *p,
	       size_t len)
{
	const char *why = NULL;
	uint32_t usage;
	int rc;

	if (name < CHAIN_CEK) {
		rc = amd_cert_parse(&c->amd[name], p, len, &why);
		usage = c->amd[name].usage;
	} else {
		rc = sev_cert_parse(&c->sev[name - CHAIN_CEK], p, len, &why);
		usage = c->sev[name - CHAIN_CEK].usage;
	}
	if (!rc && usage != usages[name])
		why = "its usage is another key's";
	c->broken[name] = why;
}

int chain_load(struct chain *c, const char *dir)
{
	uint8_t buf[4096];
	struct stat st;

	if (stat(dir, &st) || !S_ISDIR(st.st_mode)) {
		log_error("%s is not a directory of certificates", dir);
		return -ENOTDIR;
	}
	for (size_t i = 0; i < CHAIN_NAMES; i++) {
		char path[4096];
		size_t len;
		int n = snprintf(path, sizeof(path), "%s/%s", dir,
				 file_names[i]);

		if (n < 0 || (size_t)n >= sizeof(path) || access(path, F_OK))
			continue;
		if (files_read_either(path, buf, sizeof(buf), &len))
			c->broken[i] = "it cannot be read";
		else
			chain_set(c, (enum chain_name)i, buf, len);
	}
	return 0;
}

/* The slot that names this signer; the two slots have no fixed order. */
static const struct sev_sig *find_sig(const struct sev_cert *c, uint32_t usage)
{
	for (size_t i = 0; i < 2; i++)
		if (c->sig[i].usage == usage)
			return &c->sig[i];
	return NULL;
}

/* Whose root key this fingerprint is of: AMD's, or the one given. */
static const char *root_name(const uint8_t print[SHA256_LEN],
			     const struct amd_cert *root)
{
	uint8_t want[SHA256_LEN];

	if (root)
		return !amd_cert_fingerprint(root, want) &&
				       !memcmp(print, want, SHA256_LEN)
			       ? "the root given"
			       : NULL;
	for (size_t i = 0; i < ARRAY_LEN(roots); i++)
		if (!memcmp(print, roots[i].sha256, SHA256_LEN))
			return roots[i].name;
	return NULL;
}

/* The checks of each kind of link: NULL if it holds, else the reason. */
static const char *check_root(const struct chain *c,
			      const struct amd_cert *root, const char **note)
{
	const struct amd_cert *ark = &c->amd[CHAIN_ARK];
	uint8_t print[SHA256_LEN];

	if (memcmp(ark->signer_id, ark->key_id, AMD_ID_LEN))
		return "its key id is not its signer's";
	if (!signature_amd_ok(ark, ark->raw + ark->len - ark->key_len, ark->raw,
			      ark->len - ark->key_len))
		return "bad signature";
	if (amd_cert_fingerprint(ark, print))
		return "its fingerprint cannot be computed";
	*note = root_name(print, root);
	if (*note)
		return NULL;
	return root ? "it is not the root given"
		    : "it is none of AMD's root keys (Naples to Turin); "
		      "name another root by --root";
}

static const char *check_ask(const struct chain *c)
{
	const struct amd_cert *ark = &c->amd[CHAIN_ARK];
	const struct amd_cert *ask = &c->amd[CHAIN_ASK];

	if (ask->key_len != ark->key_len)
		return "its key size is not its signer's";
	if (memcmp(ask->signer_id, ark->key_id, AMD_ID_LEN))
		return "it names another key as its signer";
	if (!signature_amd_ok(ark, ask->raw + ask->len - ask->key_len, ask->raw,
			      ask->len - ask->key_len))
		return "bad signature";
	return NULL;
}

static const char *check_cek(const struct chain *c)
{
	const struct amd_cert *ask = &c->amd[CHAIN_ASK];
	const struct sev_cert *cek = &c->sev[CHAIN_CEK - CHAIN_CEK];
	const struct sev_sig *sig = find_sig(cek, USAGE_ASK);
	uint32_t algo = ask->key_len == 256 ? ALGO_RSA_SHA256 : ALGO_RSA_SHA384;

	if (!sig)
		return "it carries no signature by an ASK";
	if (sig->algo != algo)
		return "its signature's algorithm does not fit the ASK";
	if (!signature_amd_ok(ask, cek->raw + sig->at, cek->raw,
			      SEV_CERT_SIGNED))
		return "bad signature";
	return NULL;
}

static const char *check_sev(const struct chain *c, enum chain_name subject,
			     enum chain_name signer)
{
	const struct sev_cert *cert = &c->sev[subject - CHAIN_CEK];
	const struct sev_sig *sig = find_sig(cert, usages[signer]);

	if (!sig)
		return "it carries no signature by that key";
	if (sig->algo != ALGO_ECDSA_SHA256 && sig->algo != ALGO_ECDSA_SHA384)
		return "its signature's algorithm is not ECDSA";
	if (!signature_sev_ok(&c->sev[signer - CHAIN_CEK], sig, cert))
		return "bad signature";
	return NULL;
}

static const struct {
	const char *name;
	enum chain_name subject, signer;
} links[CHAIN_LINKS] = {
	{ "ARK <- ARK", CHAIN_ARK, CHAIN_ARK },
	{ "ASK <- ARK", CHAIN_ASK, CHAIN_ARK },
	{ "CEK <- ASK", CHAIN_CEK, CHAIN_ASK },
	{ "OCA <- OCA", CHAIN_OCA, CHAIN_OCA },
	{ "PEK <- CEK", CHAIN_PEK, CHAIN_CEK },
	{ "PEK <- OCA", CHAIN_PEK, CHAIN_OCA },
	{ "PDH <- PEK", CHAIN_PDH, CHAIN_PEK },
};

static bool may_sign(enum chain_name subject, uint32_t usage)
{
	for (size_t i = 0; i < CHAIN_LINKS; i++)
		if (links[i].subject == subject &&
		    usages[links[i].signer] == usage)
			return true;
	return false;
}

/* A signature that no link verifies would be bytes that can change unseen. */
static bool has_stray_sig(const struct sev_cert *c, enum chain_name subject)
{
	for (size_t i = 0; i < 2; i++)
		if (c->sig[i].usage != USAGE_NONE &&
		    !may_sign(subject, c->sig[i].usage))
			return true;
	return c->sig[0].usage == c->sig[1].usage;
}

static const char *check_link(const struct chain *c, size_t i,
			      const struct amd_cert *root, const char **note)
{
	enum chain_name subject = links[i].subject, signer = links[i].signer;

	if (c->broken[subject])
		return c->broken[subject];
	if (c->broken[signer])
		return "its signer's certificate is of no use";
	if (subject >= CHAIN_CEK &&
	    has_stray_sig(&c->sev[subject - CHAIN_CEK], subject))
		return "it carries other signatures than its signers'";
	switch (subject) {
	case CHAIN_ARK: return check_root(c, root, note);
	case CHAIN_ASK: return check_ask(c);
	case CHAIN_CEK: return check_cek(c);
	default: return check_sev(c, subject, signer);
	}
}

int chain_verify(const struct chain *c, const struct amd_cert *root,
		 struct chain_link link[CHAIN_LINKS])
{
	int rc = 0;

	for (size_t i = 0; i < CHAIN_LINKS; i++) {
		link[i] = (struct chain_link){ .name = links[i].name };
		link[i].bad = check_link(c, i, root, &link[i].note);
		if (link[i].bad)
			rc = -EKEYREJECTED;
	}
	return rc;
}
