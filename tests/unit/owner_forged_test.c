/* SPDX-License-Identifier: Apache-2.0 */
/*
 * owner_forged_test: chains by somebody who can sign whatever he likes with
 * keys of his own. Each forgery is signed correctly after the change, so that
 * only the one check named can refuse it.
 */
#include "sev/owner/chain.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>

#include "tests/unit/owner_rig.h"

enum { RSA_LEN = 256, AMD_LEN = 64 + 3 * RSA_LEN, SLOT = 520 };

struct forge {
	EVP_PKEY *key[CHAIN_NAMES];
	uint8_t cert[CHAIN_NAMES][SEV_CERT_LEN];
};

static void put_number(uint8_t *out, size_t len, const EVP_PKEY *key,
		       const char *name)
{
	BIGNUM *v = NULL;

	assert_int_equal(EVP_PKEY_get_bn_param(key, name, &v), 1);
	assert_int_equal(BN_bn2lebinpad(v, out, (int)len), len);
	BN_free(v);
}

static void make_amd(struct forge *f, enum chain_name n, uint8_t id)
{
	uint8_t *p = f->cert[n];

	memset(p, 0, SEV_CERT_LEN);
	put_le32(p, 1);
	memset(p + 4, id, AMD_ID_LEN);
	memset(p + 0x14, 0xaa, AMD_ID_LEN);
	put_le32(p + 0x24, n == CHAIN_ARK ? USAGE_ARK : USAGE_ASK);
	put_le32(p + 0x38, 8 * RSA_LEN);
	put_le32(p + 0x3c, 8 * RSA_LEN);
	put_number(p + 64, RSA_LEN, f->key[n], OSSL_PKEY_PARAM_RSA_E);
	put_number(p + 64 + RSA_LEN, RSA_LEN, f->key[n], OSSL_PKEY_PARAM_RSA_N);
}

static void make_sev(struct forge *f, enum chain_name n, uint32_t usage)
{
	assert_int_equal(sev_cert_make_pdh(f->cert[n], f->key[n], 1, 55), 0);
	put_le32(f->cert[n] + 8, usage);
	if (n != CHAIN_PDH)
		put_le32(f->cert[n] + 0xc, ALGO_ECDSA_SHA256);
}

static size_t sign(EVP_PKEY *key, bool pss, const uint8_t *msg, size_t len,
		   uint8_t *sig, size_t cap)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx;

	assert_int_equal(
		EVP_DigestSignInit(ctx, &pctx, EVP_sha256(), NULL, key), 1);
	if (pss) {
		EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING);
		EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST);
	}
	assert_int_equal(EVP_DigestSign(ctx, sig, &cap, msg, len), 1);
	EVP_MD_CTX_free(ctx);
	return cap;
}

static void sign_rsa(const struct forge *f, enum chain_name by, uint8_t *out,
		     const uint8_t *msg, size_t len)
{
	uint8_t sig[RSA_LEN];

	sign(f->key[by], true, msg, len, sig, sizeof(sig));
	for (size_t i = 0; i < RSA_LEN; i++)
		out[i] = sig[RSA_LEN - 1 - i];
}

static void sign_ec(struct forge *f, enum chain_name n, enum chain_name by,
		    int slot, uint32_t usage)
{
	uint8_t der[256], *out = f->cert[n] + SEV_CERT_SIGNED + slot * SLOT;
	const uint8_t *at = der;
	size_t len = sign(f->key[by], false, f->cert[n], SEV_CERT_SIGNED, der,
			  sizeof(der));
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)len);

	put_le32(out, usage);
	put_le32(out + 4, ALGO_ECDSA_SHA256);
	BN_bn2lebinpad(ECDSA_SIG_get0_r(sig), out + 8, SEV_EC_LEN);
	BN_bn2lebinpad(ECDSA_SIG_get0_s(sig), out + 8 + 72, SEV_EC_LEN);
	ECDSA_SIG_free(sig);
}

/* All signatures that a chain needs, over what the certificates hold now. */
static void sign_all(struct forge *f)
{
	uint8_t *cek = f->cert[CHAIN_CEK];

	sign_rsa(f, CHAIN_ARK, f->cert[CHAIN_ARK] + AMD_LEN - RSA_LEN,
		 f->cert[CHAIN_ARK], AMD_LEN - RSA_LEN);
	sign_rsa(f, CHAIN_ARK, f->cert[CHAIN_ASK] + AMD_LEN - RSA_LEN,
		 f->cert[CHAIN_ASK], AMD_LEN - RSA_LEN);
	put_le32(cek + SEV_CERT_SIGNED, USAGE_ASK);
	put_le32(cek + SEV_CERT_SIGNED + 4, ALGO_RSA_SHA256);
	sign_rsa(f, CHAIN_ASK, cek + SEV_CERT_SIGNED + 8, cek, SEV_CERT_SIGNED);
	sign_ec(f, CHAIN_OCA, CHAIN_OCA, 0, USAGE_OCA);
	sign_ec(f, CHAIN_PEK, CHAIN_OCA, 0, USAGE_OCA);
	sign_ec(f, CHAIN_PEK, CHAIN_CEK, 1, USAGE_CEK);
	sign_ec(f, CHAIN_PDH, CHAIN_PEK, 0, USAGE_PEK);
}

static void make_all(struct forge *f)
{
	make_amd(f, CHAIN_ARK, 0xaa);
	make_amd(f, CHAIN_ASK, 0xbb);
	make_sev(f, CHAIN_CEK, USAGE_CEK);
	make_sev(f, CHAIN_OCA, USAGE_OCA);
	make_sev(f, CHAIN_PEK, USAGE_PEK);
	make_sev(f, CHAIN_PDH, USAGE_PDH);
}

static unsigned verify(const struct forge *f, bool trusted)
{
	struct chain_link link[CHAIN_LINKS];
	struct amd_cert root;
	const char *why;
	unsigned ok = 0;
	struct chain c;
	int rc;

	chain_init(&c);
	for (size_t i = 0; i < CHAIN_NAMES; i++)
		chain_set(&c, (enum chain_name)i, f->cert[i],
			  i < CHAIN_CEK ? AMD_LEN : SEV_CERT_LEN);
	if (trusted)
		trusted = !amd_cert_parse(&root, f->cert[CHAIN_ARK], AMD_LEN,
					  &why);
	rc = chain_verify(&c, trusted ? &root : NULL, link);
	for (size_t i = 0; i < CHAIN_LINKS; i++)
		ok |= (unsigned)!link[i].bad << i;
	assert_int_equal(rc, ok == 0x7f ? 0 : -EKEYREJECTED);
	return ok;
}

static void unpinned_root(void **state)
{
	struct forge *f = *state;

	make_all(f);
	sign_all(f);
	assert_int_equal(verify(f, false), 0x7e);
	assert_int_equal(verify(f, true), 0x7f);
}

/* One byte changed before everything is signed again. */
static void signed_lies(void **state)
{
	static const struct {
		const char *name;
		enum chain_name file;
		size_t at;
		uint8_t value;
		unsigned holds;
	} t[] = {
		{ "ARK of another signer, 16th byte", CHAIN_ARK, 0x14 + 15, 0,
		  0x7e },
		{ "ARK of another key id, 9th byte", CHAIN_ARK, 4 + 8, 0,
		  0x7c },
		{ "ASK of another signer, 9th byte", CHAIN_ASK, 0x14 + 8, 0,
		  0x7d },
		{ "ASK of another signer, 1st byte", CHAIN_ASK, 0x14, 0, 0x7d },
		{ "ASK that says ARK", CHAIN_ASK, 0x24, USAGE_ARK, 0x79 },
		{ "PEK that says OCA", CHAIN_PEK, 8, 0x01, 0x0f },
		{ "CEK that says PEK", CHAIN_CEK, 8, 0x02, 0x6b },
		{ "PDH that says PEK", CHAIN_PDH, 8, 0x02, 0x3f },
		{ "PDH that may sign", CHAIN_PDH, 0xc, ALGO_ECDSA_SHA256,
		  0x3f },
		{ "PEK that may agree on keys", CHAIN_PEK, 0xc,
		  ALGO_ECDH_SHA256, 0x0f },
		{ "PDH on another curve", CHAIN_PDH, 0x10, 1, 0x3f },
		{ "PEK of version 2", CHAIN_PEK, 0, 2, 0x0f },
		{ "nothing", CHAIN_PDH, 0, 1, 0x7f },
	};
	struct forge *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		make_all(f);
		f->cert[t[i].file][t[i].at] = t[i].value;
		sign_all(f);
		print_message("%s\n", t[i].name);
		assert_int_equal(verify(f, true), t[i].holds);
	}
}

/* Signatures that hold, but by another key than the rules want. */
static void other_signers(void **state)
{
	struct forge *f = *state;

	make_all(f);
	sign_all(f);
	sign_ec(f, CHAIN_OCA, CHAIN_CEK, 0, USAGE_OCA);
	assert_int_equal(verify(f, true), 0x77);
	sign_all(f);
	sign_ec(f, CHAIN_OCA, CHAIN_CEK, 0, USAGE_CEK);
	assert_int_equal(verify(f, true), 0x77);
	sign_all(f);
	sign_ec(f, CHAIN_PDH, CHAIN_OCA, 0, USAGE_OCA);
	assert_int_equal(verify(f, true), 0x3f);
	sign_all(f);
	sign_ec(f, CHAIN_PEK, CHAIN_OCA, 1, USAGE_OCA);
	assert_int_equal(verify(f, true), 0x4f);
	/* The second slot alone serves as well as the first. */
	make_all(f);
	sign_all(f);
	memset(f->cert[CHAIN_PDH] + SEV_CERT_SIGNED, 0, SLOT);
	put_le32(f->cert[CHAIN_PDH] + SEV_CERT_SIGNED, USAGE_NONE);
	sign_ec(f, CHAIN_PDH, CHAIN_PEK, 1, USAGE_PEK);
	assert_int_equal(verify(f, true), 0x7f);
}

/* Beside the signature that holds, one that nobody would look at. */
static void stray_signatures(void **state)
{
	struct forge *f = *state;

	make_all(f);
	sign_all(f);
	sign_ec(f, CHAIN_PDH, CHAIN_OCA, 1, USAGE_OCA);
	assert_int_equal(verify(f, true), 0x3f);
	sign_ec(f, CHAIN_PDH, CHAIN_PEK, 1, USAGE_PEK);
	assert_int_equal(verify(f, true), 0x3f);
	make_all(f);
	sign_all(f);
	sign_ec(f, CHAIN_CEK, CHAIN_OCA, 1, USAGE_OCA);
	assert_int_equal(verify(f, true), 0x7b);
	make_all(f);
	sign_all(f);
	sign_ec(f, CHAIN_OCA, CHAIN_PEK, 1, 0xdead);
	assert_int_equal(verify(f, true), 0x77);
}

/* A public key that is no point of the curve is refused, not used. */
static void off_the_curve(void **state)
{
	struct forge *f = *state;
	struct sev_cert c;
	const char *why;

	make_all(f);
	memset(f->cert[CHAIN_PDH] + 0x14, 0, 144);
	assert_int_equal(
		sev_cert_parse(&c, f->cert[CHAIN_PDH], SEV_CERT_LEN, &why), 0);
	assert_null(sev_cert_key(&c));
	f->cert[CHAIN_PDH][0x14] = 1;
	assert_int_equal(
		sev_cert_parse(&c, f->cert[CHAIN_PDH], SEV_CERT_LEN, &why), 0);
	assert_null(sev_cert_key(&c));
}

static int make_keys(void **state)
{
	static struct forge f;

	for (size_t i = 0; i < CHAIN_NAMES; i++)
		f.key[i] =
			i < CHAIN_CEK
				? EVP_PKEY_Q_keygen(NULL, NULL, "RSA",
						    (size_t)8 * RSA_LEN)
				: EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
	*state = &f;
	return 0;
}

static int free_keys(void **state)
{
	struct forge *f = *state;

	for (size_t i = 0; i < CHAIN_NAMES; i++)
		EVP_PKEY_free(f->key[i]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unpinned_root),
		cmocka_unit_test(signed_lies),
		cmocka_unit_test(other_signers),
		cmocka_unit_test(stray_signatures),
		cmocka_unit_test(off_the_curve),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
