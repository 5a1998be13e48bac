/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chain: verification of a platform's certificates up to AMD's root keys.
 */
#include "sev/owner/chain.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sev/owner/crypto.h"
#include "sev/owner/files.h"
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

/* RSA-PSS, salt as long as the hash, which MGF1 uses too. */
static bool set_pss(EVP_PKEY_CTX *ctx)
{
	int pad = RSA_PKCS1_PSS_PADDING, salt = RSA_PSS_SALTLEN_DIGEST;

	return EVP_PKEY_CTX_set_rsa_padding(ctx, pad) > 0 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt) > 0;
}

/* One signature check; sig is DER for EC, big-endian for RSA. */
static bool signature_ok(EVP_PKEY *key, const EVP_MD *md, bool rsa,
			 const uint8_t *sig, size_t sig_len, const uint8_t *msg,
			 size_t len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	bool ok = key && ctx &&
		  EVP_DigestVerifyInit(ctx, &pctx, md, NULL, key) > 0;

	if (ok && rsa)
		ok = set_pss(pctx);
	ok = ok && EVP_DigestVerify(ctx, sig, sig_len, msg, len) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

/* AMD's RSA keys: 2048 bits sign with SHA-256, 4096 with SHA-384. */
static bool amd_signed(const struct amd_cert *by, const uint8_t *sig,
		       const uint8_t *msg, size_t len)
{
	const EVP_MD *md = by->key_len == 256 ? EVP_sha256() : EVP_sha384();
	EVP_PKEY *key = amd_cert_key(by);
	uint8_t big[512];
	bool ok;

	for (size_t i = 0; i < by->key_len; i++)
		big[by->key_len - 1 - i] = sig[i];
	ok = signature_ok(key, md, true, big, by->key_len, msg, len);
	EVP_PKEY_free(key);
	return ok;
}

/* r and s, little-endian, to the DER that OpenSSL verifies; NULL: no memory. */
static uint8_t *ecdsa_der(const uint8_t *rs, size_t *len)
{
	BIGNUM *r = BN_lebin2bn(rs, SEV_EC_LEN, NULL);
	BIGNUM *s = BN_lebin2bn(rs + SEV_EC_LEN, SEV_EC_LEN, NULL);
	ECDSA_SIG *sig = ECDSA_SIG_new();
	uint8_t *der = NULL;
	int n = 0;

	if (r && s && sig && ECDSA_SIG_set0(sig, r, s)) {
		r = s = NULL; /* the signature's now */
		n = i2d_ECDSA_SIG(sig, &der);
	}
	*len = n > 0 ? (size_t)n : 0;
	ECDSA_SIG_free(sig);
	BN_free(r);
	BN_free(s);
	return der;
}

static bool sev_signed(const struct sev_cert *by, const struct sev_sig *sig,
		       const struct sev_cert *c)
{
	const EVP_MD *md = sig->algo == ALGO_ECDSA_SHA384 ? EVP_sha384()
							  : EVP_sha256();
	EVP_PKEY *key = sev_cert_key(by);
	size_t len;
	uint8_t *der = ecdsa_der(c->raw + sig->at, &len);
	bool ok = der && signature_ok(key, md, false, der, len, c->raw,
				      SEV_CERT_SIGNED);

	OPENSSL_free(der);
	EVP_PKEY_free(key);
	return ok;
}

/* The slot that names this signer; the two slots have no fixed order. */
static const struct sev_sig *find_sig(const struct sev_cert *c, uint32_t usage)
{
	for (size_t i = 0; i < 2; i++)
		if (c->sig[i].usage == usage)
			return &c->sig[i];
	return NULL;
}

/*
 * The checks of each kind of link: NULL or a remark if it holds, and whether
 * it does in *ok.
 */
static const char *check_root(const struct chain *c,
			      const struct amd_cert *root, bool *ok)
{
	const struct amd_cert *ark = &c->amd[CHAIN_ARK];
	uint8_t print[SHA256_LEN], want[SHA256_LEN];

	*ok = false;
	if (memcmp(ark->signer_id, ark->key_id, AMD_ID_LEN))
		return "its key id is not its signer's";
	if (!amd_signed(ark, ark->raw + ark->len - ark->key_len, ark->raw,
			ark->len - ark->key_len))
		return "bad signature";
	if (amd_cert_fingerprint(ark, print))
		return "its fingerprint cannot be computed";
	if (root) {
		*ok = !amd_cert_fingerprint(root, want) &&
		      !memcmp(print, want, SHA256_LEN);
		return *ok ? "the root given" : "it is not the root given";
	}
	for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
		if (memcmp(print, roots[i].sha256, SHA256_LEN))
			continue;
		*ok = true;
		return roots[i].name;
	}
	return "it is none of AMD's root keys (Naples to Turin); "
	       "name another root by --root";
}

static const char *check_ask(const struct chain *c, bool *ok)
{
	const struct amd_cert *ark = &c->amd[CHAIN_ARK];
	const struct amd_cert *ask = &c->amd[CHAIN_ASK];

	*ok = false;
	if (ask->key_len != ark->key_len)
		return "its key size is not its signer's";
	if (memcmp(ask->signer_id, ark->key_id, AMD_ID_LEN))
		return "it names another key as its signer";
	*ok = amd_signed(ark, ask->raw + ask->len - ask->key_len, ask->raw,
			 ask->len - ask->key_len);
	return *ok ? NULL : "bad signature";
}

static const char *check_cek(const struct chain *c, bool *ok)
{
	const struct amd_cert *ask = &c->amd[CHAIN_ASK];
	const struct sev_cert *cek = &c->sev[CHAIN_CEK - CHAIN_CEK];
	const struct sev_sig *sig = find_sig(cek, USAGE_ASK);
	uint32_t algo = ask->key_len == 256 ? ALGO_RSA_SHA256 : ALGO_RSA_SHA384;

	*ok = false;
	if (!sig)
		return "it carries no signature by an ASK";
	if (sig->algo != algo)
		return "its signature's algorithm does not fit the ASK";
	*ok = amd_signed(ask, cek->raw + sig->at, cek->raw, SEV_CERT_SIGNED);
	return *ok ? NULL : "bad signature";
}

static const char *check_sev(const struct chain *c, enum chain_name subject,
			     enum chain_name signer, bool *ok)
{
	const struct sev_cert *cert = &c->sev[subject - CHAIN_CEK];
	const struct sev_sig *sig = find_sig(cert, usages[signer]);

	*ok = false;
	if (!sig)
		return "it carries no signature by that key";
	if (sig->algo != ALGO_ECDSA_SHA256 && sig->algo != ALGO_ECDSA_SHA384)
		return "its signature's algorithm is not ECDSA";
	*ok = sev_signed(&c->sev[signer - CHAIN_CEK], sig, cert);
	return *ok ? NULL : "bad signature";
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

int chain_verify(const struct chain *c, const struct amd_cert *root,
		 struct chain_link link[CHAIN_LINKS])
{
	int rc = 0;

	for (size_t i = 0; i < CHAIN_LINKS; i++) {
		enum chain_name subject = links[i].subject;
		enum chain_name signer = links[i].signer;
		struct chain_link *l = &link[i];

		*l = (struct chain_link){ .name = links[i].name };
		if (c->broken[subject])
			l->why = c->broken[subject];
		else if (c->broken[signer])
			l->why = "its signer's certificate is of no use";
		else if (subject == CHAIN_ARK)
			l->why = check_root(c, root, &l->ok);
		else if (subject == CHAIN_ASK)
			l->why = check_ask(c, &l->ok);
		else if (subject == CHAIN_CEK)
			l->why = check_cek(c, &l->ok);
		else
			l->why = check_sev(c, subject, signer, &l->ok);
		if (!l->ok)
			rc = -EKEYREJECTED;
	}
	return rc;
}
