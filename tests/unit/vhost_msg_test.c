/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhost_msg_test: what a vhost-user peer may say, field by field.
 */
#include "devices/vhost_msg.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define REPLY (VHOST_VERSION | VHOST_REPLY)

static void answers(void **state)
{
	static const struct {
		const char *name;
		struct vhost_header h;
		uint32_t asked, size;
		int rc;
	} t[] = {
		{ "another", { 2, REPLY, 8 }, 1, 8, -EPROTO },
		{ "none", { 1, VHOST_VERSION, 8 }, 1, 8, -EPROTO },
		{ "version 0", { 1, VHOST_REPLY, 8 }, 1, 8, -EPROTO },
		{ "version 3", { 1, REPLY | 2, 8 }, 1, 8, -EPROTO },
		{ "wants one",
		  { 1, REPLY | VHOST_NEED_REPLY, 8 },
		  1,
		  8,
		  -EPROTO },
		{ "a byte less", { 1, REPLY, 7 }, 1, 8, -EPROTO },
		{ "a byte more", { 1, REPLY, 9 }, 1, 8, -EPROTO },
		{ "4 GiB", { 1, REPLY, UINT32_MAX }, 1, 8, -EPROTO },
		{ "empty", { 1, REPLY, 0 }, 1, 8, -EPROTO },
		{ "no config",
		  { VHOST_GET_CONFIG, REPLY, 0 },
		  VHOST_GET_CONFIG,
		  72,
		  -EOPNOTSUPP },
		{ "good", { 1, REPLY, 8 }, 1, 8, 0 },
		{ "config",
		  { VHOST_GET_CONFIG, REPLY, 72 },
		  VHOST_GET_CONFIG,
		  72,
		  0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		if (vhost_answer(&t[i].h, t[i].asked, t[i].size) != t[i].rc)
			fail_msg("%s", t[i].name);
}

static void requests(void **state)
{
	static const struct {
		const char *name;
		struct vhost_header h;
		bool acks;
		int rc;
		bool answer;
	} t[] = {
		{ "IOTLB", { 1, VHOST_VERSION, 0 }, true, -EPROTO, false },
		{ "notifier", { 3, VHOST_VERSION, 0 }, true, -EPROTO, false },
		{ "reply", { 2, REPLY, 0 }, true, -EPROTO, false },
		{ "payload", { 2, VHOST_VERSION, 8 }, true, -EPROTO, false },
		{ "unknown flag",
		  { 2, VHOST_VERSION | 16, 0 },
		  true,
		  -EPROTO,
		  false },
		{ "good", { 2, VHOST_VERSION, 0 }, true, 0, false },
		{ "asks",
		  { 2, VHOST_VERSION | VHOST_NEED_REPLY, 0 },
		  true,
		  0,
		  true },
		{ "asks, not negotiated",
		  { 2, VHOST_VERSION | VHOST_NEED_REPLY, 0 },
		  false,
		  0,
		  false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		bool answer = false;

		if (vhost_asked(&t[i].h, t[i].acks, &answer) != t[i].rc ||
		    answer != t[i].answer)
			fail_msg("%s", t[i].name);
	}
}

static void books(void **state)
{
	const struct vhost_inflight asked = { .queues = 2, .queue_size = 256 };
	static const struct {
		const char *name;
		struct vhost_inflight got;
		bool fd;
		int rc;
	} t[] = {
		{ "no descriptor", { 4096, 0, 2, 256, 0 }, false, -EPROTO },
		{ "nothing", { 0, 0, 2, 256, 0 }, true, -EPROTO },
		{ "wraps", { UINT64_MAX, 1, 2, 256, 0 }, true, -EPROTO },
		{ "other queues", { 4096, 0, 3, 256, 0 }, true, -EPROTO },
		{ "other size", { 4096, 0, 2, 128, 0 }, true, -EPROTO },
		{ "good", { 4096, 4096, 2, 256, 0 }, true, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		if (vhost_inflight_ok(&asked, &t[i].got, t[i].fd) != t[i].rc)
			fail_msg("%s", t[i].name);
}

static void config_and_base(void **state)
{
	const struct vhost_config asked = { .size = 60 };
	const struct vhost_state ring = { 1, 0 };

	(void)state;
	assert_int_equal(
		vhost_config_ok(&asked, &(struct vhost_config){ .offset = 1,
								.size = 60 }),
		-EPROTO);
	assert_int_equal(
		vhost_config_ok(&asked, &(struct vhost_config){ .size = 61 }),
		-EPROTO);
	assert_int_equal(
		vhost_config_ok(&asked, &(struct vhost_config){ .size = 60 }),
		0);
	assert_int_equal(vhost_base_ok(&ring, &(struct vhost_state){ 0, 0 }),
			 -EPROTO);
	assert_int_equal(
		vhost_base_ok(&ring, &(struct vhost_state){ 1, 0x10000 }),
		-EPROTO);
	assert_int_equal(
		vhost_base_ok(&ring, &(struct vhost_state){ 1, 0xffff }), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(requests),
		cmocka_unit_test(books),
		cmocka_unit_test(config_and_base),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
