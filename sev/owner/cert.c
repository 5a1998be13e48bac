/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cert: parsing of SEV certificates (SEV API, appendix C.1) and of AMD's own
 * (appendix B.1), and their public keys for OpenSSL.
 */
#include "sev/owner/cert.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "sev/owner/crypto.h"

enum {
	SEV_SIG_SLOT = 8 + 512, /* usage, algorithm, signature */
	SEV_QX = SEV_CERT_KEY + 4,
	SEV_QY = SEV_QX + SEV_EC_LEN,
	SEV_KEY_END = SEV_QY + SEV_EC_LEN,
	RSA_EXPONENT = 65537,
};

static const struct {
	uint32_t value;
	const char *name;
} usage_names[] = {
	{ USAGE_ARK, "ARK" },	{ USAGE_ASK, "ASK" },	{ USAGE_NONE, "none" },
	{ USAGE_OCA, "OCA" },	{ USAGE_PEK, "PEK" },	{ USAGE_PDH, "PDH" },
	{ USAGE_CEK, "CEK" },
}, algo_names[] = {
	{ ALGO_NONE, "none" },
	{ ALGO_RSA_SHA256, "RSA-SHA256" },
	{ ALGO_RSA_SHA384, "RSA-SHA384" },
	{ ALGO_ECDSA_SHA256, "ECDSA-SHA256" },
	{ ALGO_ECDSA_SHA384, "ECDSA-SHA384" },
	{ ALGO_ECDH_SHA256, "ECDH-SHA256" },
	{ ALGO_ECDH_SHA384, "ECDH-SHA384" },
};

const char *cert_usage_name(uint32_t usage)
{
	for (size_t i = 0; i < ARRAY_LEN(usage_names); i++)
		if (usage_names[i].value == usage)
			return usage_names[i].name;
	return "unknown";
}

const char *cert_algo_name(uint32_t algo)
{
	for (size_t i = 0; i < ARRAY_LEN(algo_names); i++)
		if (algo_names[i].value == algo)
			return algo_names[i].name;
	return "unknown";
}

static int refuse(const char **why, const char *phrase)
{
	*why = phrase;
	return -EINVAL;
}

static bool all_zero(const uint8_t *p, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (p[i])
			return false;
	return true;
}

/* An EC value is 48 bytes for P-384; the field has room for 72. */
static bool ec_value_ok(const uint8_t *p)
{
	return all_zero(p, SEV_P384_LEN, SEV_EC_LEN);
}

static int parse_sev_key(const struct sev_cert *c, const char **why)
{
	bool dh = c->algo == ALGO_ECDH_SHA256 || c->algo == ALGO_ECDH_SHA384;
	bool dsa = c->algo == ALGO_ECDSA_SHA256 || c->algo == ALGO_ECDSA_SHA384;

	if (c->usage < USAGE_OCA || c->usage > USAGE_CEK)
		return refuse(why, "its key usage is none of OCA, PEK, PDH, "
				   "CEK");
	if (c->usage == USAGE_PDH ? !dh : !dsa)
		return refuse(why, "its key algorithm does not fit its usage");
	if (get_le32(c->raw + SEV_CERT_KEY) != CURVE_P384)
		return refuse(why, "its key is not on curve P-384");
	if (!ec_value_ok(c->raw + SEV_QX) || !ec_value_ok(c->raw + SEV_QY) ||
	    !all_zero(c->raw, SEV_KEY_END, SEV_CERT_SIGNED))
		return refuse(why, "bytes beyond its key are not zero");
	return 0;
}

/* How many bytes of a slot the signature itself may use. */
static size_t sig_len(uint32_t algo)
{
	switch (algo) {
	case ALGO_NONE: return 0;
	case ALGO_RSA_SHA256: return 256;
	case ALGO_RSA_SHA384: return 512;
	case ALGO_ECDSA_SHA256:
	case ALGO_ECDSA_SHA384: return 2 * SEV_EC_LEN;
	default: return SIZE_MAX;
	}
}

static int parse_sev_sig(struct sev_cert *c, size_t i, const char **why)
{
	const size_t start = SEV_CERT_SIGNED + i * SEV_SIG_SLOT;
	const uint8_t *slot = c->raw + start, *bytes = slot + 8;
	struct sev_sig *s = &c->sig[i];
	size_t len;

	s->usage = get_le32(slot);
	s->algo = get_le32(slot + 4);
	s->at = start + 8;
	len = sig_len(s->algo);
	if (len == SIZE_MAX)
		return refuse(why, "a signature's algorithm is unknown");
	if ((s->usage == USAGE_NONE) != (s->algo == ALGO_NONE))
		return refuse(why, "a signature's usage and algorithm "
				   "contradict each other");
	if (!all_zero(slot, 8 + len, SEV_SIG_SLOT))
		return refuse(why, "bytes beyond a signature are not zero");
	if (len == 2 * SEV_EC_LEN &&
	    (!ec_value_ok(bytes) || !ec_value_ok(bytes + SEV_EC_LEN)))
		return refuse(why, "a signature's values exceed 384 bits");
	return 0;
}

int sev_cert_parse(struct sev_cert *c, const uint8_t *p, size_t len,
		   const char **why)
{
	int rc;

	if (len != SEV_CERT_LEN)
		return refuse(why, "it is not 2084 bytes long");
	bytes_copy(c->raw, sizeof(c->raw), p, len);
	if (get_le32(c->raw) != 1)
		return refuse(why, "its version is not 1");
	if (get_le16(c->raw + 6))
		return refuse(why, "a reserved field is not zero");
	c->api_major = c->raw[4];
	c->api_minor = c->raw[5];
	c->usage = get_le32(c->raw + 8);
	c->algo = get_le32(c->raw + 0xc);
	rc = parse_sev_key(c, why);
	for (size_t i = 0; i < 2 && !rc; i++)
		rc = parse_sev_sig(c, i, why);
	return rc;
}

int amd_cert_parse(struct amd_cert *c, const uint8_t *p, size_t len,
		   const char **why)
{
	size_t key_len;

	if (len != AMD_CERT_KEY + 3 * 256 && len != AMD_CERT_KEY + 3 * 512)
		return refuse(why, "it is neither 832 nor 1600 bytes long");
	key_len = (len - AMD_CERT_KEY) / 3;
	*c = (struct amd_cert){ .len = len, .key_len = key_len };
	bytes_copy(c->raw, sizeof(c->raw), p, len);
	if (get_le32(c->raw) != 1)
		return refuse(why, "its version is not 1");
	bytes_copy(c->key_id, AMD_ID_LEN, c->raw + 0x4, AMD_ID_LEN);
	bytes_copy(c->signer_id, AMD_ID_LEN, c->raw + 0x14, AMD_ID_LEN);
	c->usage = get_le32(c->raw + 0x24);
	if (c->usage != USAGE_ARK && c->usage != USAGE_ASK)
		return refuse(why, "its key usage is neither ARK nor ASK");
	if (get_le32(c->raw + 0x38) != 8 * key_len ||
	    get_le32(c->raw + 0x3c) != 8 * key_len)
		return refuse(why, "its key sizes do not fit its length");
	if (get_le32(c->raw + AMD_CERT_KEY) != RSA_EXPONENT ||
	    !all_zero(c->raw, AMD_CERT_KEY + 4, AMD_CERT_KEY + key_len))
		return refuse(why, "its public exponent is not 65537");
	return 0;
}

/* Steals nothing: the parameters are copied into the key. */
static EVP_PKEY *key_from(const char *type, OSSL_PARAM_BLD *bld)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY *key = NULL;

	if (!ctx || !params || EVP_PKEY_fromdata_init(ctx) <= 0 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		key = NULL;
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

EVP_PKEY *sev_cert_key(const struct sev_cert *c)
{
	/* SEC 1, 2.3.3: an uncompressed point, big-endian. */
	uint8_t point[1 + 2 * SEV_P384_LEN] = { 4 };
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;

	for (size_t i = 0; i < SEV_P384_LEN; i++) {
		point[SEV_P384_LEN - i] = c->raw[SEV_QX + i];
		point[2 * SEV_P384_LEN - i] = c->raw[SEV_QY + i];
	}
	if (bld &&
	    OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME,
					    "P-384", 0) &&
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY,
					     point, sizeof(point)))
		key = key_from("EC", bld);
	OSSL_PARAM_BLD_free(bld);
	return key;
}

EVP_PKEY *amd_cert_key(const struct amd_cert *c)
{
	const uint8_t *at = c->raw + AMD_CERT_KEY;
	int len = (int)c->key_len;
	BIGNUM *e = BN_lebin2bn(at, len, NULL);
	BIGNUM *n = BN_lebin2bn(at + c->key_len, len, NULL);
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;

	if (e && n && bld &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e) &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n))
		key = key_from("RSA", bld);
	OSSL_PARAM_BLD_free(bld);
	BN_free(e);
	BN_free(n);
	return key;
}

int amd_cert_fingerprint(const struct amd_cert *c, uint8_t out[32])
{
	return crypto_sha256(c->raw + AMD_CERT_KEY, 2 * c->key_len, out);
}

static bool put_coordinate(uint8_t *out, const EVP_PKEY *key, const char *name)
{
	BIGNUM *v = NULL;
	bool ok = EVP_PKEY_get_bn_param(key, name, &v) &&
		  BN_bn2lebinpad(v, out, SEV_EC_LEN) == SEV_EC_LEN;

	BN_free(v);
	return ok;
}

int sev_cert_make_pdh(uint8_t out[SEV_CERT_LEN], const EVP_PKEY *key,
		      uint8_t api_major, uint8_t api_minor)
{
	memset(out, 0, SEV_CERT_LEN);
	put_le32(out, 1);
	out[4] = api_major;
	out[5] = api_minor;
	put_le32(out + 8, USAGE_PDH);
	put_le32(out + 0xc, ALGO_ECDH_SHA256);
	put_le32(out + SEV_CERT_KEY, CURVE_P384);
	put_le32(out + SEV_CERT_SIGNED, USAGE_NONE);
	put_le32(out + SEV_CERT_SIGNED + SEV_SIG_SLOT, USAGE_NONE);
	if (!put_coordinate(out + SEV_QX, key, OSSL_PKEY_PARAM_EC_PUB_X) ||
	    !put_coordinate(out + SEV_QY, key, OSSL_PKEY_PARAM_EC_PUB_Y))
		return crypto_fail("reading a public key");
	return 0;
}
