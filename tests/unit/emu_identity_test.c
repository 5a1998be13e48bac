/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emu_identity_test: the certificates, verified with OpenSSL from their raw
 * bytes, at the offsets of the specification; and the directory they live in.
 */
#include "tests/unit/emu_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <sys/stat.h>

static void turn(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len / 2; i++) {
		uint8_t t = p[i];

		p[i] = p[len - 1 - i];
		p[len - 1 - i] = t;
	}
}

static size_t slurp(struct rig *r, const char *name, uint8_t *p, size_t cap)
{
	char path[600];
	int fd;
	ssize_t n;

	(void)snprintf(path, sizeof path, "%s/%s", r->opt.identity, name);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	n = read(fd, p, cap);
	close(fd);
	assert_true(n >= 0);
	return (size_t)n;
}

static EVP_PKEY *amd_key(const uint8_t *cert)
{
	uint8_t n[512], e[512];
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *k = NULL;
	OSSL_PARAM *p;
	BIGNUM *bn, *be;

	memcpy(e, cert + 0x40, 512);
	memcpy(n, cert + 0x240, 512);
	turn(n, 512);
	turn(e, 512);
	bn = BN_bin2bn(n, 512, NULL);
	be = BN_bin2bn(e, 512, NULL);
	OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, bn);
	OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, be);
	p = OSSL_PARAM_BLD_to_param(b);
	assert_int_equal(EVP_PKEY_fromdata_init(c), 1);
	assert_int_equal(EVP_PKEY_fromdata(c, &k, EVP_PKEY_PUBLIC_KEY, p), 1);
	OSSL_PARAM_free(p);
	OSSL_PARAM_BLD_free(b);
	BN_free(bn);
	BN_free(be);
	EVP_PKEY_CTX_free(c);
	return k;
}

static bool pss_ok(EVP_PKEY *k, const uint8_t *p, size_t len,
		   const uint8_t *little)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *kc;
	uint8_t sig[512];
	bool ok;

	memcpy(sig, little, 512);
	turn(sig, 512);
	EVP_DigestVerifyInit(c, &kc, EVP_sha384(), NULL, k);
	EVP_PKEY_CTX_set_rsa_padding(kc, RSA_PKCS1_PSS_PADDING);
	EVP_PKEY_CTX_set_rsa_pss_saltlen(kc, 48);
	ok = EVP_DigestVerify(c, sig, 512, p, len) == 1;
	EVP_MD_CTX_free(c);
	return ok;
}

static void roots_are_amds_format(void **state)
{
	uint8_t ark[2000], ask[2000], cek[3000];
	EVP_PKEY *root, *signer;

	assert_int_equal(slurp(*state, "ark.cert", ark, sizeof ark), 1600);
	assert_int_equal(slurp(*state, "ask.cert", ask, sizeof ask), 1600);
	assert_int_equal(slurp(*state, "cek.cert", cek, sizeof cek), 2084);
	assert_int_equal(get_le32(ark), 1);
	assert_int_equal(get_le32(ark + 0x24), 0);
	assert_int_equal(get_le32(ask + 0x24), 0x13);
	assert_int_equal(get_le32(ark + 0x38), 4096);
	assert_int_equal(get_le32(ark + 0x3c), 4096);
	assert_memory_equal(ark + 4, ark + 0x14, 16);
	assert_memory_equal(ask + 0x14, ark + 4, 16);
	assert_memory_not_equal(ask + 4, ark + 4, 16);
	root = amd_key(ark);
	signer = amd_key(ask);
	assert_true(pss_ok(root, ark, 0x440, ark + 0x440));
	assert_true(pss_ok(root, ask, 0x440, ask + 0x440));
	assert_int_equal(get_le32(cek + 0x414), 0x13);
	assert_int_equal(get_le32(cek + 0x418), 0x101);
	assert_true(pss_ok(signer, cek, 0x414, cek + 0x41c));
	cek[0x20] ^= 1;
	assert_false(pss_ok(signer, cek, 0x414, cek + 0x41c));
	EVP_PKEY_free(root);
	EVP_PKEY_free(signer);
}

static EVP_PKEY *platform_key(const uint8_t *cert)
{
	uint8_t x[72], y[72];

	assert_int_equal(get_le32(cert + 0x10), 2);
	memcpy(x, cert + 0x14, 72);
	memcpy(y, cert + 0x5c, 72);
	turn(x, 72);
	turn(y, 72);
	return crypto_p384_from(x + 24, y + 24);
}

static bool ecdsa_ok(EVP_PKEY *k, const uint8_t *cert, size_t slot)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	const uint8_t *s = cert + slot + 8;
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	uint8_t *der = NULL;
	int n;
	bool ok;

	ECDSA_SIG_set0(sig, BN_lebin2bn(s, 72, NULL),
		       BN_lebin2bn(s + 72, 72, NULL));
	n = i2d_ECDSA_SIG(sig, &der);
	EVP_DigestVerifyInit(c, NULL, EVP_sha256(), NULL, k);
	ok = n > 0 && EVP_DigestVerify(c, der, (size_t)n, cert, 0x414) == 1;
	EVP_MD_CTX_free(c);
	OPENSSL_free(der);
	ECDSA_SIG_free(sig);
	return ok;
}

static void chain_holds(void **state)
{
	static const struct {
		const char *name, *signer;
		size_t slot;
		uint32_t usage, signer_usage;
	} links[] = {
		{ "oca.cert", "oca.cert", 0x414, 0x1001, 0x1001 },
		{ "pek.cert", "oca.cert", 0x414, 0x1002, 0x1001 },
		{ "pek.cert", "cek.cert", 0x61c, 0x1002, 0x1004 },
		{ "pdh.cert", "pek.cert", 0x414, 0x1003, 0x1002 },
	};
	uint8_t cert[3000], signer[3000];

	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		EVP_PKEY *k;

		assert_int_equal(
			slurp(*state, links[i].name, cert, sizeof cert), 2084);
		assert_int_equal(
			slurp(*state, links[i].signer, signer, sizeof signer),
			2084);
		assert_int_equal(get_le32(cert + 8), links[i].usage);
		assert_int_equal(get_le32(cert + links[i].slot),
				 links[i].signer_usage);
		k = platform_key(signer);
		assert_true(ecdsa_ok(k, cert, links[i].slot));
		cert[0x100] ^= 1;
		assert_false(ecdsa_ok(k, cert, links[i].slot));
		EVP_PKEY_free(k);
	}
}

static void identity_lasts(void **state)
{
	struct rig *r = *state;
	struct identity again;
	struct stat st;
	char path[600];

	assert_int_equal(identity_open(&again, r->opt.identity, 1, 55), 0);
	assert_memory_equal(&again.cert[PART_PDH], &r->psp.id.cert[PART_PDH],
			    sizeof(struct cert));
	assert_memory_equal(again.chip_id, r->psp.id.chip_id, CHIP_ID_LEN);
	identity_close(&again);
	(void)snprintf(path, sizeof path, "%s/cek.key", r->opt.identity);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* A directory that lacks a part is not quietly replaced. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(identity_open(&again, r->opt.identity, 1, 55),
			 -ENOENT);
	(void)snprintf(path, sizeof path, "%s/pek.cert", r->opt.identity);
	assert_int_equal(truncate(path, 2083), 0);
	assert_int_equal(identity_open(&again, r->opt.identity, 1, 55),
			 -ENOENT);
}

/* Keys that became nobody's identity are not left lying about. */
static void failure_leaves_nothing(void **state)
{
	struct rig *r = *state;
	char parent[80], name[96];
	struct identity id;

	(void)snprintf(parent, sizeof parent, "%s/fails", r->dir);
	(void)snprintf(name, sizeof name, "%s/id", parent);
	assert_int_equal(mkdir(parent, 0700), 0);
	assert_int_equal(symlink("nowhere", name), 0); /* in the way */
	assert_int_equal(identity_open(&id, name, 1, 55), -ENOTDIR);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(rmdir(parent), 0); /* is empty */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots_are_amds_format),
		cmocka_unit_test(chain_holds),
		cmocka_unit_test(identity_lasts),
		cmocka_unit_test(failure_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
