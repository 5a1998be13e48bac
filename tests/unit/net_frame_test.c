/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_frame_test: features that rest on none, headers that ask for what was not
 * negotiated, and lengths in passt's stream that no frame has.
 */
#include "devices/net_frame.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "devices/passt.h"

#define HOST_TSO (NET_F_CSUM | NET_F_HOST_TSO4 | NET_F_HOST_TSO6)

static void features(void **state)
{
	static const struct {
		const char *name;
		uint64_t accepted;
		bool ok;
	} table[] = {
		{ "GUEST_TSO4 alone", NET_F_GUEST_TSO4, false },
		{ "GUEST_TSO6 on CSUM", NET_F_GUEST_TSO6 | NET_F_CSUM, false },
		{ "GUEST_ECN without TSO", NET_F_GUEST_ECN | NET_F_GUEST_CSUM,
		  false },
		{ "HOST_TSO4 alone", NET_F_HOST_TSO4, false },
		{ "HOST_TSO6 on GUEST_CSUM", NET_F_HOST_TSO6 | NET_F_GUEST_CSUM,
		  false },
		{ "HOST_ECN without TSO", NET_F_HOST_ECN | NET_F_CSUM, false },
		{ "MQ without a control queue", NET_F_MQ, false },
		{ "nothing", 0, true },
		{ "sums", NET_F_CSUM | NET_F_GUEST_CSUM, true },
		{ "ECN on either TSO",
		  NET_F_GUEST_ECN | NET_F_GUEST_TSO6 | NET_F_GUEST_CSUM, true },
		{ "all", NET_GUEST_OFFLOADS | HOST_TSO | NET_F_HOST_ECN, true },
		{ "MQ", NET_F_MQ | NET_F_CTRL_VQ, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (net_features_ok(table[i].accepted) != table[i].ok)
			fail_msg("%s", table[i].name);
}

static void headers(void **state)
{
	static const struct {
		const char *name;
		struct net_hdr h;
		uint64_t accepted;
		int rc;
	} table[] = {
		{ "a sum, not negotiated", { .flags = 1 }, 0, -EBADMSG },
		{ "TSO4, not negotiated",
		  { .flags = 1, .gso_type = NET_GSO_TCPV4 },
		  NET_F_CSUM | NET_F_HOST_TSO6,
		  -EBADMSG },
		{ "TSO6, not negotiated",
		  { .flags = 1, .gso_type = NET_GSO_TCPV6 },
		  NET_F_CSUM | NET_F_HOST_TSO4,
		  -EBADMSG },
		{ "ECN, not negotiated",
		  { .flags = 1, .gso_type = NET_GSO_TCPV4 | NET_GSO_ECN },
		  HOST_TSO,
		  -EBADMSG },
		{ "UDP fragments",
		  { .flags = 1, .gso_type = 3 },
		  ~0ull,
		  -EBADMSG },
		{ "an unknown type", { .gso_type = 0x40 }, ~0ull, -EBADMSG },
		{ "nothing asked",
		  { .num_buffers = 7, .csum_start = 9 },
		  0,
		  0 },
		{ "flags of the other direction", { .flags = 0xfe }, 0, 0 },
		{ "a sum", { .flags = 1, .csum_start = 34 }, NET_F_CSUM, 0 },
		{ "TSO4 with ECN",
		  { .flags = 1, .gso_type = NET_GSO_TCPV4 | NET_GSO_ECN },
		  HOST_TSO | NET_F_HOST_ECN,
		  0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct net_hdr h = table[i].h;

		if (net_hdr_check(&h, table[i].accepted) != table[i].rc)
			fail_msg("%s", table[i].name);
		if (table[i].rc)
			continue;
		assert_int_equal(h.flags, table[i].h.flags & 1);
		assert_int_equal(h.num_buffers, 0);
		assert_int_equal(h.csum_start,
				 h.flags ? table[i].h.csum_start : 0);
	}
}

static void stream(void **state)
{
	static const struct {
		const char *name;
		uint8_t bytes[8];
		size_t n;
		int rc;
	} table[] = {
		{ "zero", { 0, 0, 0, 0 }, 4, -EPROTO },
		{ "13", { 0, 0, 0, 13 }, 4, -EPROTO },
		{ "one too many", { 0, 1, 0, 18 }, 4, -EPROTO },
		{ "little-endian", { 60, 0, 0, 0 }, 4, -EPROTO },
		{ "all ones", { 255, 255, 255, 255 }, 4, -EPROTO },
		{ "no length yet", { 0, 0, 0 }, 3, 0 },
		{ "nothing", { 0 }, 0, 0 },
		{ "no frame yet", { 0, 0, 0, 14, 1, 2, 3, 4 }, 8, 0 },
		{ "the longest, not yet", { 0, 1, 0, 17 }, 4, 0 },
	};
	uint8_t whole[18] = { 0, 0, 0, 14 };
	size_t len = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (passt_frame(table[i].bytes, table[i].n, &len) !=
		    table[i].rc)
			fail_msg("%s", table[i].name);
	assert_int_equal(passt_frame(whole, 17, &len), 0);
	assert_int_equal(passt_frame(whole, 18, &len), 1);
	assert_int_equal(len, 14);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(features),
		cmocka_unit_test(headers),
		cmocka_unit_test(stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
