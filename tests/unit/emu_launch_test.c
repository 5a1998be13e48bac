/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emu_launch_test: a launch as the guest's owner sees it: the session, the
 * measurement and the secret, each recomputed here from the specification, and
 * each refused when one byte is wrong.
 */
#include "tests/unit/emu_rig.h"

#define POLICY 0x1

static enum psp_status command(struct rig *r, enum psp_command id,
			       uint32_t handle)
{
	struct psp_request q = { .id = id, .handle = handle };

	return rig_do(r, &q);
}

static enum psp_status update(struct rig *r, uint32_t handle, uint64_t at,
			      uint32_t len)
{
	struct psp_request q = { .id = PSP_LAUNCH_UPDATE_DATA,
				 .handle = handle,
				 .address = at,
				 .length = len };

	return rig_do(r, &q);
}

static void begin(struct rig *r, struct owner *o, uint32_t *handle)
{
	owner_begin(o, &r->psp.id.cert[PART_PDH], POLICY);
	assert_int_equal(owner_start(r, o, POLICY, handle), PSP_SUCCESS);
	memset(r->plain, 'x', 4096);
	assert_int_equal(update(r, *handle, 0, 4096), PSP_SUCCESS);
}

static void measure(struct rig *r, uint32_t handle, uint8_t m[48])
{
	struct psp_request q = { .id = PSP_LAUNCH_MEASURE,
				 .handle = handle,
				 .out[0] = { m, 48, 0 } };

	assert_int_equal(rig_do(r, &q), PSP_SUCCESS);
	assert_int_equal(q.out[0].len, 48);
}

struct bad {
	const char *name;
	size_t offset; /* of the byte that is changed */
	enum psp_status status;
};

static void session_is_checked(void **state)
{
	static const struct bad bad[] = {
		{ "nonce", offsetof(struct session, nonce),
		  PSP_BAD_MEASUREMENT },
		{ "keys", offsetof(struct session, wrapped) + 3,
		  PSP_BAD_MEASUREMENT },
		{ "iv", offsetof(struct session, iv), PSP_BAD_MEASUREMENT },
		{ "mac of the keys", offsetof(struct session, wrap_mac) + 31,
		  PSP_BAD_MEASUREMENT },
		{ "mac of the policy", offsetof(struct session, policy_mac),
		  PSP_BAD_MEASUREMENT },
	};
	struct rig *r = *state;
	struct owner o;
	uint32_t handle;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		owner_begin(&o, &r->psp.id.cert[PART_PDH], POLICY);
		((uint8_t *)&o.session)[bad[i].offset] ^= 1;
		assert_int_equal(owner_start(r, &o, POLICY, &handle),
				 bad[i].status);
	}
	owner_begin(&o, &r->psp.id.cert[PART_PDH], POLICY);
	assert_int_equal(owner_start(r, &o, POLICY | 8, &handle),
			 PSP_BAD_MEASUREMENT);
	assert_int_equal(r->psp.state, PLATFORM_INIT);
}

static void certificate_is_checked(void **state)
{
	static const struct bad bad[] = {
		{ "version", 0, PSP_INVALID_CERTIFICATE },
		{ "usage", 8, PSP_INVALID_CERTIFICATE },
		{ "algorithm", 0xc, PSP_INVALID_CERTIFICATE },
		{ "curve", 0x10, PSP_INVALID_CERTIFICATE },
		{ "not on the curve", 0x14, PSP_INVALID_CERTIFICATE },
		{ "a number too long", 0x14 + 71, PSP_INVALID_CERTIFICATE },
	};
	struct rig *r = *state;
	struct owner o;
	uint32_t handle;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		owner_begin(&o, &r->psp.id.cert[PART_PDH], POLICY);
		((uint8_t *)&o.cert)[bad[i].offset] ^= 0x40;
		assert_int_equal(owner_start(r, &o, POLICY, &handle),
				 bad[i].status);
	}
}

/* The policy's own demands: SEV-ES, and a firmware that is new enough. */
static void policy_is_checked(void **state)
{
	static const struct {
		uint32_t policy;
		enum psp_status status;
	} table[] = {
		{ POLICY | 4, PSP_POLICY_FAILURE },
		{ POLICY | 2u << 16, PSP_POLICY_FAILURE },
		{ POLICY | 1u << 16 | 56u << 24, PSP_POLICY_FAILURE },
		{ POLICY | 1u << 16 | 55u << 24, PSP_SUCCESS },
		{ POLICY | 0u << 16 | 255u << 24, PSP_SUCCESS },
	};
	struct rig *r = *state;
	struct owner o;
	uint32_t handle;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		owner_begin(&o, &r->psp.id.cert[PART_PDH], table[i].policy);
		assert_int_equal(owner_start(r, &o, table[i].policy, &handle),
				 table[i].status);
		if (table[i].status == PSP_SUCCESS)
			assert_int_equal(command(r, PSP_DECOMMISSION, handle),
					 PSP_SUCCESS);
	}
}

static void measurement_is_the_owners(void **state)
{
	struct rig *r = *state;
	uint8_t message[8 + 32 + 16] = { 4, 1, 55, 21, POLICY }, data[4096];
	uint8_t m[48], mac[32], ld[32];
	struct owner o;
	uint32_t h;

	begin(r, &o, &h);
	memset(data, 'x', sizeof data);
	assert_memory_equal(r->secret, data, sizeof data);
	assert_memory_not_equal(r->plain, data, 16);
	measure(r, h, m);
	EVP_Digest(data, sizeof data, ld, NULL, EVP_sha256(), NULL);
	memcpy(message + 8, ld, 32);
	memcpy(message + 40, m + 32, 16);
	owner_mac(o.keys.tik, message, sizeof message, mac);
	assert_memory_equal(mac, m, 32);
	assert_int_equal(command(r, PSP_DECOMMISSION, h), PSP_SUCCESS);
}

static void old_platforms_measure_less(void **state)
{
	struct rig *r = *state;
	uint8_t message[4 + 32 + 16] = { POLICY }, data[4096], m[48], mac[32];
	struct owner o;
	uint32_t h;

	r->opt.api_major = 0;
	r->opt.api_minor = 16;
	begin(r, &o, &h);
	measure(r, h, m);
	memset(data, 'x', sizeof data);
	EVP_Digest(data, sizeof data, message + 4, NULL, EVP_sha256(), NULL);
	memcpy(message + 36, m + 32, 16);
	owner_mac(o.keys.tik, message, sizeof message, mac);
	assert_memory_equal(mac, m, 32);
	assert_int_equal(command(r, PSP_DECOMMISSION, h), PSP_SUCCESS);
	r->opt.api_major = 1;
	r->opt.api_minor = 55;
}

struct packet {
	uint8_t header[52], data[32];
};

static void wrap(const struct owner *o, const uint8_t m[48],
		 const char text[32], struct packet *p)
{
	uint8_t message[1 + 4 + 16 + 8 + 32 + 32] = { 1 };

	memset(p, 0, sizeof *p);
	memset(p->header + 4, 3, 16);
	owner_ctr(o->keys.tek, p->header + 4, text, 32, p->data);
	memcpy(message + 1, p->header, 20);
	put_le32(message + 21, 32);
	put_le32(message + 25, 32);
	memcpy(message + 29, p->data, 32);
	memcpy(message + 61, m, 32);
	owner_mac(o->keys.tik, message, sizeof message, p->header + 20);
}

static enum psp_status inject(struct rig *r, uint32_t handle,
			      const struct packet *p, uint64_t at, uint32_t len)
{
	struct psp_request q = {
		.id = PSP_LAUNCH_SECRET,
		.handle = handle,
		.address = at,
		.length = len,
		.in = { { p->header, sizeof p->header }, { p->data, 32 } },
	};

	return rig_do(r, &q);
}

static void secret_is_the_owners(void **state)
{
	static const char text[32] = "nobody else can read this word";
	struct rig *r = *state;
	struct packet p, bad;
	struct owner o;
	uint8_t m[48];
	uint32_t h;

	begin(r, &o, &h);
	measure(r, h, m);
	wrap(&o, m, text, &p);
	for (size_t i = 0; i < sizeof p; i += 4) {
		bad = p;
		((uint8_t *)&bad)[i] ^= 0x80;
		assert_int_equal(inject(r, h, &bad, 4096, 32),
				 i < 4 ? PSP_INVALID_PARAM
				       : PSP_BAD_MEASUREMENT);
	}
	assert_int_equal(inject(r, h, &p, 4096, 16), PSP_INVALID_LENGTH);
	assert_int_equal(inject(r, h, &p, 4096, 31), PSP_INVALID_LENGTH);
	assert_int_equal(inject(r, h, &p, 4096, 0), PSP_INVALID_LENGTH);
	assert_int_equal(inject(r, h, &p, 4100, 32), PSP_INVALID_ADDRESS);
	assert_int_equal(inject(r, h, &p, RIG_BYTES, 32), PSP_INVALID_ADDRESS);
	assert_int_equal(r->secret[4096], 0);
	assert_int_equal(inject(r, h, &p, 4096, 32), PSP_SUCCESS);
	assert_memory_equal(r->secret + 4096, text, 32);
	assert_memory_not_equal(r->plain + 4096, text, 16);
	assert_int_equal(command(r, PSP_LAUNCH_FINISH, h), PSP_SUCCESS);
	assert_int_equal(inject(r, h, &p, 4096, 32), PSP_INVALID_GUEST_STATE);
	assert_int_equal(command(r, PSP_DECOMMISSION, h), PSP_SUCCESS);
}

/* Signed by the PEK over everything up to the policy. */
static void report_is_signed(void **state)
{
	struct rig *r = *state;
	uint8_t m[48], nonce[16] = { 1, 2, 3 }, a[208], rs[144];
	struct psp_request q = { .id = PSP_ATTESTATION,
				 .in[0] = { nonce, sizeof nonce },
				 .out[0] = { a, sizeof a, 0 } };
	struct cert carrier = { .version = 1 };
	struct owner o;

	begin(r, &o, &q.handle);
	assert_int_equal(rig_do(r, &q), PSP_INVALID_GUEST_STATE);
	measure(r, q.handle, m);
	q.out[0].cap = 207;
	assert_int_equal(rig_do(r, &q), PSP_INVALID_LENGTH);
	assert_int_equal(q.out[0].len, 208);
	q.out[0].cap = 208;
	assert_int_equal(rig_do(r, &q), PSP_SUCCESS);
	assert_memory_equal(a, nonce, sizeof nonce);
	assert_int_equal(get_le32(a + 0x30), POLICY);
	assert_int_equal(get_le32(a + 0x34), USAGE_PEK);
	/* The bytes are no certificate's: it must not verify as one. */
	memcpy(rs, a + 0x40, sizeof rs);
	memcpy(carrier.sig[0].bytes, rs, sizeof rs);
	carrier.sig[0].usage = USAGE_PEK;
	carrier.sig[0].algorithm = ALGO_ECDSA_SHA256;
	assert_int_not_equal(
		cert_verify(&carrier, 0, USAGE_PEK, r->psp.id.key[PART_PEK]),
		0);
	assert_int_equal(command(r, PSP_DECOMMISSION, q.handle), PSP_SUCCESS);
}

static void debug_follows_the_policy(void **state)
{
	struct rig *r = *state;
	struct psp_request q = {
		.id = PSP_DBG_DECRYPT, .address = 0, .other = 8192, .length = 32
	};
	struct psp_request open = { .id = PSP_LAUNCH_START, .policy = 0 };
	struct owner o;

	begin(r, &o, &q.handle);
	assert_int_equal(rig_do(r, &q), PSP_POLICY_FAILURE);
	assert_int_equal(command(r, PSP_DECOMMISSION, q.handle), PSP_SUCCESS);

	assert_int_equal(rig_do(r, &open), PSP_SUCCESS);
	q.handle = open.handle;
	memset(r->plain, 'y', 32);
	assert_int_equal(update(r, q.handle, 0, 32), PSP_SUCCESS);
	assert_int_not_equal(r->plain[0], 'y');
	assert_int_equal(rig_do(r, &q), PSP_SUCCESS);
	assert_int_equal(r->plain[8192], 'y');
	assert_int_equal(r->plain[8192 + 31], 'y');
	q.id = PSP_DBG_ENCRYPT;
	q.address = 4096;
	assert_int_equal(rig_do(r, &q), PSP_SUCCESS);
	assert_int_equal(r->secret[4096], 'y');
	assert_int_equal(command(r, PSP_DECOMMISSION, q.handle), PSP_SUCCESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(session_is_checked),
		cmocka_unit_test(certificate_is_checked),
		cmocka_unit_test(policy_is_checked),
		cmocka_unit_test(measurement_is_the_owners),
		cmocka_unit_test(old_platforms_measure_less),
		cmocka_unit_test(secret_is_the_owners),
		cmocka_unit_test(report_is_signed),
		cmocka_unit_test(debug_follows_the_policy),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
