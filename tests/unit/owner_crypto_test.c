/* SPDX-License-Identifier: Apache-2.0 */
/*
 * owner_crypto_test: known answers for the key derivation, the session blob,
 * the measurement by both rules, and the secret packet by both.
 */
#include "sev/owner/crypto.h"

#include <errno.h>

#include "sev/owner/kdf.h"
#include "sev/owner/measure.h"
#include "sev/owner/secret.h"
#include "sev/owner/session.h"
#include "tests/unit/owner_rig.h"

static void key_derivation(void **state)
{
	uint8_t z[48], nonce[16], key[16], scratch[32];

	(void)state;
	rig_count(z, sizeof(z), 0x80);
	rig_count(nonce, sizeof(nonce), 0);
	assert_int_equal(kdf_derive(key, scratch, z, sizeof(z),
				    "sev-master-secret", nonce, sizeof(nonce)),
			 0);
	rig_is_hex(key, sizeof(key), "7b355867dcaef325448e293a8f9b532c");
	rig_is_hex(scratch, 16, "00000000000000000000000000000000");
	assert_int_equal(
		kdf_derive(z, scratch, key, sizeof(key), "sev-kik", NULL, 0),
		0);
	rig_is_hex(z, 16, "3ba7d0160335daaf775d6aee4c434389");
	/* In place, as the header allows. */
	assert_int_equal(
		kdf_derive(key, scratch, key, sizeof(key), "sev-kek", NULL, 0),
		0);
	rig_is_hex(key, sizeof(key), "a1cb44f473e1375dfbd779673f4cdb4f");
}

static void session_blob(void **state)
{
	struct session_keys k = { .tk = rig_tk() };
	uint8_t nonce[16], iv[16], blob[SEV_SESSION_LEN];

	(void)state;
	rig_count(k.z, sizeof(k.z), 0x80);
	rig_count(nonce, sizeof(nonce), 0);
	rig_count(iv, sizeof(iv), 0x20);
	assert_int_equal(session_wrap(blob, &k, nonce, iv, RIG_POLICY), 0);
	rig_is_hex(blob, sizeof(blob),
		   "000102030405060708090a0b0c0d0e0f"
		   "1cdd3a5046031e67817e891777543597"
		   "e4f388e607b6cdea6356078a8de4fee4"
		   "202122232425262728292a2b2c2d2e2f"
		   "8c6713931533c93a9c974ed48157ebd8"
		   "092163cbeb19ec3232443eceed026bde"
		   "ebd73de6315a8255ab922bc15f7246ad"
		   "03c569811c8117eac1ada3574e5d0b1d");
}

/* The other side of a real session: the PDH's owner unwraps it. */
static void session_agrees(void **state)
{
	EVP_PKEY *platform = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
	struct session_keys *k = keys_alloc(sizeof(*k));
	struct session_keys theirs = { 0 };
	uint8_t raw[SEV_CERT_LEN], blob[SEV_SESSION_LEN];
	struct sev_cert pdh, godh;
	struct session s;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(platform, NULL);
	size_t len = sizeof(theirs.z);
	const char *why;
	EVP_PKEY *peer;

	(void)state;
	assert_int_equal(sev_cert_make_pdh(raw, platform, 1, 55), 0);
	assert_int_equal(sev_cert_parse(&pdh, raw, sizeof(raw), &why), 0);
	assert_int_equal(session_make(&s, k, &pdh, RIG_POLICY), 0);
	assert_int_equal(sev_cert_parse(&godh, s.godh, SEV_CERT_LEN, &why), 0);
	assert_int_equal(godh.usage, USAGE_PDH);
	peer = sev_cert_key(&godh);
	assert_int_equal(EVP_PKEY_derive_init(ctx), 1);
	assert_int_equal(EVP_PKEY_derive_set_peer(ctx, peer), 1);
	assert_int_equal(EVP_PKEY_derive(ctx, theirs.z, &len), 1);
	theirs.tk = k->tk;
	assert_int_equal(
		session_wrap(blob, &theirs, s.blob, s.blob + 48, RIG_POLICY),
		0);
	assert_memory_equal(blob, s.blob, sizeof(blob));
	EVP_PKEY_free(peer);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(platform);
	keys_free(k, sizeof(*k));
}

static struct measure_input input(uint8_t major, uint8_t minor)
{
	struct measure_input in = {
		.api_major = major,
		.api_minor = minor,
		.build = 21,
		.policy = RIG_POLICY,
	};

	rig_count(in.nonce, sizeof(in.nonce), 0xf0);
	assert_int_equal(crypto_sha256("firmware", 8, in.digest), 0);
	return in;
}

static void measurement(void **state)
{
	static const struct {
		const char *name;
		uint8_t major, minor;
		const char *want;
	} t[] = {
		{ "before 0.17, which binds no version", 0, 16,
		  "fdfddd0b0086b45a364e1e335205bf75"
		  "b72edb59af0a419103c8a6df34442da3" },
		{ "0.17, the first new one", 0, 17,
		  "679661371d92b69e077277498c6c3e8d"
		  "7e33961292913f72874e6ebd6af75c69" },
		{ "1.55", 1, 55, RIG_M },
	};
	const struct tk tk = rig_tk();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct measure_input in = input(t[i].major, t[i].minor);
		uint8_t m[SEV_MEASUREMENT_LEN];

		print_message("%s\n", t[i].name);
		assert_int_equal(measure_make(m, &tk, &in), 0);
		rig_is_hex(m, SEV_MAC_LEN, t[i].want);
		rig_is_hex(m + SEV_MAC_LEN, SEV_NONCE_LEN,
			   "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
	}
}

/* Each single thing that the measurement binds, changed. */
static void measurement_mismatch(void **state)
{
	struct tk tk = rig_tk(), other = rig_tk();
	struct measure_input in = input(1, 55), bad;
	uint8_t m[SEV_MEASUREMENT_LEN];

	(void)state;
	assert_int_equal(measure_make(m, &tk, &in), 0);
	assert_int_equal(measure_check(m, &tk, &in), 0);
	bad = in;
	bad.api_minor++;
	assert_int_equal(measure_check(m, &tk, &bad), -EBADMSG);
	bad = in;
	bad.build++;
	assert_int_equal(measure_check(m, &tk, &bad), -EBADMSG);
	for (int bit = 0; bit < 32; bit++) {
		bad = in;
		bad.policy ^= 1u << bit;
		assert_int_equal(measure_check(m, &tk, &bad), -EBADMSG);
	}
	bad = in;
	bad.digest[31] ^= 1;
	assert_int_equal(measure_check(m, &tk, &bad), -EBADMSG);
	other.tik[0] ^= 1;
	assert_int_equal(measure_check(m, &other, &in), -EBADMSG);
	for (size_t i = 0; i < sizeof(m); i++) {
		m[i] ^= 0x80;
		assert_int_equal(measure_check(m, &tk, &in), -EBADMSG);
		m[i] ^= 0x80;
	}
}

#define PAYLOAD                                                                \
	"ce5f0b4647d1a8fba334aaa58d915460ff740073f8959338c383e75342284e1f"     \
	"6c9727851b07ad1273925e4a2a9783e928f9808452001d7d198f41360fd9c441"     \
	"18cd893d7c8b062ef633190a6732dd40"

static const uint8_t table[] =
	"\x42\xf5\x74\x1e\xdd\x71\x66\x4d\x96\x3e\xef\x42\x87\xff\x17\x3b"
	"\x46\0\0\0"
	"\xe5\x69\x68\x73\xf0\x84\x73\x49\x92\xec\x06\x87\x9c\xe3\xda\x0b"
	"\x1b\0\0\0hunter2"
	"\x33\x22\x11\0\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff"
	"\x17\0\0\0\0\1\2";

static void secret_packet(void **state)
{
	struct secret_table t = { .len = sizeof(table) - 1 };
	const struct tk tk = rig_tk();
	struct secret_packet p;
	uint8_t iv[16], m[32];

	(void)state;
	bytes_copy(t.bytes, sizeof(t.bytes), table, t.len);
	rig_count(iv, sizeof(iv), 0x20);
	assert_int_equal(text_hex(RIG_M, m, sizeof(m)), 0);
	assert_int_equal(secret_pack(&p, &t, &tk, iv, m), 0);
	assert_int_equal(p.len, 80);
	rig_is_hex(p.payload, p.len, PAYLOAD);
	rig_is_hex(p.header, sizeof(p.header),
		   "00000000202122232425262728292a2b2c2d2e2f"
		   "3015f07dd78aa73de6ff4e071e00ebd7"
		   "19165f4a48aa270817c2393db9b23553");
	/* A platform before 0.17: bound to no measurement. */
	assert_int_equal(secret_pack(&p, &t, &tk, iv, NULL), 0);
	rig_is_hex(p.header, sizeof(p.header),
		   "00000000202122232425262728292a2b2c2d2e2f"
		   "fb7bd79c212bcb3572e905c62334bbda"
		   "4fbe02dbe3dbf6c43b89b22780bfd851");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_derivation),
		cmocka_unit_test(session_blob),
		cmocka_unit_test(session_agrees),
		cmocka_unit_test(measurement),
		cmocka_unit_test(measurement_mismatch),
		cmocka_unit_test(secret_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
