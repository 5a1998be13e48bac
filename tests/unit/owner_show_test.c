/* SPDX-License-Identifier: Apache-2.0 */
/*
 * owner_show_test: each kind of file is told apart, and keys are not shown.
 */
#include "sev/owner/show.h"

#include <stdlib.h>

#include "sev/owner/secret.h"
#include "tests/unit/owner_rig.h"

static json_t *show(const uint8_t *p, size_t len, const char *kind)
{
	json_t *o = show_describe(p, len, false);

	assert_non_null(o);
	assert_string_equal(json_string_value(json_object_get(o, "kind")),
			    kind);
	return o;
}

static void certificates(void **state)
{
	uint8_t buf[SEV_CHAIN_LEN];
	size_t len = rig_cert("turin", "ark", buf, sizeof(buf));
	json_t *o = show(buf, len, "AMD certificate");

	(void)state;
	assert_string_equal(json_string_value(json_object_get(o, "key-sha256")),
			    "1d1245f774fd7190e5380751a9338c3d"
			    "c63c89d75c44c1faa317bfffe4bd00c7");
	json_decref(o);
	len = rig_cert("rome", "pek", buf, sizeof(buf));
	o = show(buf, len, "SEV certificate");
	assert_string_equal(json_string_value(json_object_get(o, "usage")),
			    "PEK");
	assert_int_equal(json_array_size(json_object_get(o, "signatures")), 2);
	json_decref(o);
	rig_cert("rome", "oca", buf + SEV_CERT_LEN, SEV_CERT_LEN);
	rig_cert("rome", "cek", buf + 2 * SEV_CERT_LEN, SEV_CERT_LEN);
	o = show(buf, sizeof(buf), "certificate chain");
	assert_int_equal(json_array_size(json_object_get(o, "certificates")),
			 3);
	json_decref(o);
	buf[0] ^= 1;
	o = show(buf, SEV_CERT_LEN, "SEV certificate");
	assert_non_null(json_object_get(o, "broken"));
	json_decref(o);
}

static void sessions(void **state)
{
	uint8_t buf[256];
	json_t *o;

	(void)state;
	rig_count(buf, sizeof(buf), 0);
	o = show_describe(buf, SEV_SESSION_LEN, true);
	assert_string_equal(json_string_value(json_object_get(o, "nonce")),
			    "000102030405060708090a0b0c0d0e0f");
	json_decref(o);
	o = show_describe(buf, SEV_MEASUREMENT_LEN, true);
	assert_string_equal(json_string_value(json_object_get(o, "nonce")),
			    "202122232425262728292a2b2c2d2e2f");
	json_decref(o);
	put_le32(buf, 1);
	json_decref(show(buf, SEV_SECRET_HEADER_LEN, "secret packet header"));
	put_le32(buf, 2); /* no such flag */
	assert_null(show_describe(buf, SEV_SECRET_HEADER_LEN, true));
	assert_null(show_describe(buf, 0, true));
	assert_null(show_describe(buf, 256, true));
}

/* A secret may have a measurement's length, a session's, or a header's. */
static void no_unmarked(void **state)
{
	static const size_t len[] = { 48, 52, 128 };
	uint8_t secret[128];

	(void)state;
	memset(secret, 'S', sizeof(secret));
	for (size_t i = 0; i < ARRAY_LEN(len); i++) {
		json_t *o = show_describe(secret, len[i], false);
		char *text = o ? json_dumps(o, 0) : NULL;

		assert_true(!text || !strstr(text, "5353"));
		free(text);
		json_decref(o);
	}
}

/* Neither 32 bytes that may be keys nor a secret's bytes may be printed. */
static void no_secrets(void **state)
{
	static const char secret[] = "BEEFBEEFBEEF";
	struct secret_table *t = calloc(1, sizeof(*t));
	uint8_t keys[32];
	char *text;
	json_t *o;

	(void)state;
	rig_count(keys, sizeof(keys), 0xa0);
	o = show(keys, sizeof(keys), "32 bytes");
	text = json_dumps(o, 0);
	assert_null(strstr(text, "a0a1"));
	free(text);
	json_decref(o);
	secret_table_init(t);
	bytes_copy(t->bytes + 40, 12, secret, 12);
	put_le32(t->bytes + 36, 32);
	put_le32(t->bytes + 16, 52);
	o = show(t->bytes, 64, "secret table");
	assert_int_equal(json_array_size(json_object_get(o, "entries")), 1);
	text = json_dumps(o, 0);
	assert_null(strstr(text, "BEEF"));
	assert_null(strstr(text, "42454546"));
	free(text);
	json_decref(o);
	free(t);
}

static void hash_table(void **state)
{
	uint8_t p[176] = { 0x06, 0xd6, 0x38, 0x94, 0x22, 0x4f, 0xc9, 0x4c, 0xb4,
			   0x79, 0xa7, 0x93, 0xd4, 0x11, 0xfd, 0x21, 168 };
	json_t *o = show(p, sizeof(p), "kernel hash table");

	(void)state;
	assert_int_equal(json_array_size(json_object_get(o, "entries")), 3);
	json_decref(o);
	p[16] = 167;
	o = show(p, sizeof(p), "kernel hash table");
	assert_non_null(json_object_get(o, "broken"));
	json_decref(o);
	p[16] = 177;
	o = show(p, sizeof(p), "kernel hash table");
	assert_non_null(json_object_get(o, "broken"));
	json_decref(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificates), cmocka_unit_test(sessions),
		cmocka_unit_test(no_unmarked),	cmocka_unit_test(no_secrets),
		cmocka_unit_test(hash_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
