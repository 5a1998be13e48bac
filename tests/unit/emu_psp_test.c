/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emu_psp_test: which command is allowed in which state, what the platform
 * answers, and what becomes of its identity.
 */
#include "tests/unit/emu_rig.h"

static enum psp_status command(struct rig *r, enum psp_command id,
			       uint32_t handle)
{
	uint8_t m[48];
	struct psp_request q = { .id = id,
				 .handle = handle,
				 .length = 16,
				 .out[0] = { m, sizeof m, 0 } };

	return rig_do(r, &q);
}

static uint32_t start(struct rig *r)
{
	struct psp_request q = { .id = PSP_LAUNCH_START, .policy = 1 };

	assert_int_equal(rig_do(r, &q), PSP_SUCCESS);
	return q.handle;
}

/* Every command of a guest's, in every state that it is illegal in. */
static void order_is_kept(void **state)
{
	static const struct {
		enum psp_command id;
		uint8_t legal; /* mask of 1 << state */
	} table[] = {
		{ PSP_LAUNCH_UPDATE_DATA, 1 << GUEST_LUPDATE },
		{ PSP_LAUNCH_MEASURE, 1 << GUEST_LUPDATE },
		{ PSP_LAUNCH_SECRET, 1 << GUEST_LSECRET },
		{ PSP_LAUNCH_FINISH, 1 << GUEST_LSECRET },
		{ PSP_ATTESTATION, 1 << GUEST_LSECRET | 1 << GUEST_RUNNING },
	};
	static const enum psp_command way[] = { PSP_LAUNCH_MEASURE,
						PSP_LAUNCH_FINISH };
	struct rig *r = *state;
	uint32_t h = start(r);

	for (int s = GUEST_LUPDATE; s <= GUEST_RUNNING; s++) {
		for (size_t i = 0; i < ARRAY_LEN(table); i++)
			if (!(table[i].legal & 1 << s))
				assert_int_equal(command(r, table[i].id, h),
						 PSP_INVALID_GUEST_STATE);
		if (s < GUEST_RUNNING)
			assert_int_equal(command(r, way[s - GUEST_LUPDATE], h),
					 PSP_SUCCESS);
	}
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		assert_int_equal(command(r, table[i].id, h + 1),
				 PSP_INVALID_GUEST);
	assert_int_equal(command(r, PSP_DECOMMISSION, h), PSP_SUCCESS);
	assert_int_equal(command(r, PSP_DECOMMISSION, h), PSP_INVALID_GUEST);
	assert_int_equal(command(r, PSP_GUEST_STATUS, 0), PSP_INVALID_GUEST);
}

static void sizes_are_checked(void **state)
{
	static const struct {
		uint64_t at;
		uint32_t len;
		enum psp_status status;
	} table[] = {
		{ 0, 0, PSP_INVALID_LENGTH },
		{ 0, 15, PSP_INVALID_LENGTH },
		{ 0, 17, PSP_INVALID_LENGTH },
		{ 8, 16, PSP_INVALID_ADDRESS },
		{ RIG_BYTES, 16, PSP_INVALID_ADDRESS },
		{ RIG_BYTES - 16, 32, PSP_INVALID_ADDRESS },
		{ ~0ull - 15, 16, PSP_INVALID_ADDRESS },
		{ RIG_BYTES - 16, 16, PSP_SUCCESS },
		{ 0, RIG_BYTES, PSP_SUCCESS },
	};
	struct rig *r = *state;
	struct psp_request q = { .id = PSP_LAUNCH_UPDATE_DATA,
				 .handle = start(r) };
	struct psp_request m = { .id = PSP_LAUNCH_MEASURE, .handle = q.handle };
	uint8_t buf[48];

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		q.address = table[i].at;
		q.length = table[i].len;
		assert_int_equal(rig_do(r, &q), table[i].status);
	}
	m.out[0] = (struct psp_room){ buf, 47, 0 };
	assert_int_equal(rig_do(r, &m), PSP_INVALID_LENGTH);
	assert_int_equal(m.out[0].len, 48);
	m.out[0] = (struct psp_room){ NULL, 0, 0 };
	assert_int_equal(rig_do(r, &m), PSP_INVALID_LENGTH);
	assert_int_equal(m.out[0].len, 48);
	assert_int_equal(command(r, PSP_DECOMMISSION, q.handle), PSP_SUCCESS);
}

static void guests_are_limited(void **state)
{
	struct rig *r = *state;
	struct psp_request q = { .id = PSP_LAUNCH_START };
	uint32_t h[PSP_GUESTS];

	for (size_t i = 0; i < PSP_GUESTS; i++)
		h[i] = start(r);
	assert_int_equal(rig_do(r, &q), PSP_RESOURCE_LIMIT);
	q.handle = h[0];
	assert_int_equal(rig_do(r, &q), PSP_UNSUPPORTED);
	for (size_t i = 0; i < PSP_GUESTS; i++)
		assert_int_equal(command(r, PSP_DECOMMISSION, h[i]),
				 PSP_SUCCESS);
	assert_int_equal(r->psp.state, PLATFORM_INIT);
}

static void status_tells_version_and_guests(void **state)
{
	struct rig *r = *state;
	uint8_t s[12];
	struct psp_request q = { .id = PSP_PLATFORM_STATUS,
				 .out[0] = { s, sizeof s, 0 } };
	uint32_t h;

	assert_int_equal(rig_do(r, &q), PSP_SUCCESS);
	assert_memory_equal(
		s, ((uint8_t[]){ 1, 55, 1, 0, 0, 0, 0, 21, 0, 0, 0, 0 }), 12);
	h = start(r);
	assert_int_equal(rig_do(r, &q), PSP_SUCCESS);
	assert_int_equal(s[2], PLATFORM_WORKING);
	assert_int_equal(get_le32(s + 8), 1);
	assert_int_equal(command(r, PSP_PEK_GEN, 0),
			 PSP_INVALID_PLATFORM_STATE);
	assert_int_equal(command(r, PSP_DECOMMISSION, h), PSP_SUCCESS);
}

static void export_needs_room(void **state)
{
	struct rig *r = *state;
	uint8_t pdh[2084], chain[6252];
	struct psp_request q = { .id = PSP_PDH_CERT_EXPORT };

	assert_int_equal(rig_do(r, &q), PSP_INVALID_LENGTH);
	assert_int_equal(q.out[0].len, sizeof pdh);
	assert_int_equal(q.out[1].len, sizeof chain);
	q.out[0] = (struct psp_room){ pdh, sizeof pdh, 0 };
	q.out[1] = (struct psp_room){ chain, sizeof chain - 1, 0 };
	assert_int_equal(rig_do(r, &q), PSP_INVALID_LENGTH);
	q.out[1].cap = sizeof chain;
	assert_int_equal(rig_do(r, &q), PSP_SUCCESS);
	assert_int_equal(get_le32(pdh + 8), USAGE_PDH);
	assert_int_equal(get_le32(chain + 8), USAGE_PEK);
	assert_int_equal(get_le32(chain + 2084 + 8), USAGE_OCA);
	assert_int_equal(get_le32(chain + 2 * 2084 + 8), USAGE_CEK);
}

/* An owner of its own: signs the PEK's request, hands both in. */
static void owner_can_be_imported(void **state)
{
	struct rig *r = *state;
	EVP_PKEY *key = EVP_EC_gen("P-384"), *other = EVP_EC_gen("P-384");
	struct cert csr, pek, oca, before = r->psp.id.cert[PART_PDH];
	struct psp_request q = { .id = PSP_PEK_CSR,
				 .out[0] = { (uint8_t *)&csr, sizeof csr, 0 } };

	assert_int_equal(rig_do(r, &q), PSP_SUCCESS);
	assert_int_equal(csr.sig[0].usage, USAGE_NONE);
	assert_int_equal(cert_make(&oca, USAGE_OCA, key, 1, 55), 0);
	assert_int_equal(cert_sign(&oca, 0, USAGE_OCA, key), 0);
	pek = csr;
	assert_int_equal(cert_sign(&pek, 0, USAGE_OCA, other), 0);
	q = (struct psp_request){ .id = PSP_PEK_CERT_IMPORT,
				  .in = { { &pek, sizeof pek },
					  { &oca, sizeof oca - 1 } } };
	assert_int_equal(rig_do(r, &q), PSP_INVALID_LENGTH);
	q.in[1].len = sizeof oca;
	assert_int_equal(rig_do(r, &q), PSP_BAD_SIGNATURE);
	assert_int_equal(cert_sign(&pek, 0, USAGE_OCA, key), 0);
	q.in[0].p = &oca;
	assert_int_equal(rig_do(r, &q), PSP_INVALID_CERTIFICATE);
	q.in[0].p = &pek;
	assert_false(identity_owned(&r->psp.id));
	assert_int_equal(rig_do(r, &q), PSP_SUCCESS);
	assert_true(identity_owned(&r->psp.id));
	assert_int_equal(rig_do(r, &q), PSP_ALREADY_OWNED);
	assert_memory_not_equal(&before, &r->psp.id.cert[PART_PDH],
				sizeof before);
	assert_int_equal(cert_verify(&r->psp.id.cert[PART_PEK], 1, USAGE_CEK,
				     r->psp.id.key[PART_CEK]),
			 0);
	assert_int_equal(command(r, PSP_FACTORY_RESET, 0), PSP_SUCCESS);
	assert_false(identity_owned(&r->psp.id));
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_is_kept),
		cmocka_unit_test(sizes_are_checked),
		cmocka_unit_test(guests_are_limited),
		cmocka_unit_test(status_tells_version_and_guests),
		cmocka_unit_test(export_needs_room),
		cmocka_unit_test(owner_can_be_imported),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
