/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Firmware errors in words: numbers are compared with the kernel's own, each
 * code has a text and a hint, and none is mistaken for another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "sev/fwerr.h"
#include "sev/uapi.h"

static const struct {
	uint32_t fw;
	const char *name;
} names[] = {
	{ SEV_RET_SUCCESS, "SUCCESS" },
	{ SEV_RET_INVALID_PLATFORM_STATE, "INVALID_PLATFORM_STATE" },
	{ SEV_RET_INVALID_GUEST_STATE, "INVALID_GUEST_STATE" },
	{ SEV_RET_INAVLID_CONFIG, "INVALID_CONFIG" },
	{ SEV_RET_INVALID_LEN, "INVALID_LENGTH" },
	{ SEV_RET_ALREADY_OWNED, "ALREADY_OWNED" },
	{ SEV_RET_INVALID_CERTIFICATE, "INVALID_CERTIFICATE" },
	{ SEV_RET_POLICY_FAILURE, "POLICY_FAILURE" },
	{ SEV_RET_INACTIVE, "INACTIVE" },
	{ SEV_RET_INVALID_ADDRESS, "INVALID_ADDRESS" },
	{ SEV_RET_BAD_SIGNATURE, "BAD_SIGNATURE" },
	{ SEV_RET_BAD_MEASUREMENT, "BAD_MEASUREMENT" },
	{ SEV_RET_ASID_OWNED, "ASID_OWNED" },
	{ SEV_RET_INVALID_ASID, "INVALID_ASID" },
	{ SEV_RET_WBINVD_REQUIRED, "WBINVD_REQUIRED" },
	{ SEV_RET_DFFLUSH_REQUIRED, "DF_FLUSH_REQUIRED" },
	{ SEV_RET_INVALID_GUEST, "INVALID_GUEST" },
	{ SEV_RET_INVALID_COMMAND, "INVALID_COMMAND" },
	{ SEV_RET_ACTIVE, "ACTIVE" },
	{ SEV_RET_HWSEV_RET_PLATFORM, "HWERROR_PLATFORM" },
	{ SEV_RET_HWSEV_RET_UNSAFE, "HWERROR_UNSAFE" },
	{ SEV_RET_UNSUPPORTED, "UNSUPPORTED" },
	{ SEV_RET_INVALID_PARAM, "INVALID_PARAM" },
	{ SEV_RET_RESOURCE_LIMIT, "RESOURCE_LIMIT" },
	{ SEV_RET_SECURE_DATA_INVALID, "SECURE_DATA_INVALID" },
	{ 0x1e, "unknown status" },
	{ 0x28, "unknown status" },
	{ 0x12345678, "unknown status" },
	{ (uint32_t)SEV_RET_NO_FW_CALL, "NO_FIRMWARE_CALL" },
};

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_string_equal(fwerr_name(names[i].fw), names[i].name);
		assert_true(strlen(fwerr_text(names[i].fw)) > 5);
		assert_true(strlen(fwerr_hint(names[i].fw)) > 5);
	}
	assert_int_equal(FWERR_INVALID_LENGTH, SEV_RET_INVALID_LEN);
}

static const struct {
	struct sev_error e;
	const char *text; /* what it begins with */
} sentences[] = {
	{ { -EIO, 0x0b },
	  "X: firmware error 0x0b BAD_MEASUREMENT, a MAC is "
	  "wrong; the session or secret" },
	{ { -EIO, 0xffffffff },
	  "X: firmware error 0xffffffff "
	  "NO_FIRMWARE_CALL" },
	{ { -EBUSY, 0 }, "X: Device or resource busy (all SEV guests" },
	{ { -ENOTTY, 0 }, "X: Inappropriate ioctl for device (this kernel" },
	{ { -ENOENT, 0 }, "X: No such file or directory" },
};

static void test_describe(void **state)
{
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sentences); i++) {
		fwerr_describe("X", sentences[i].e, text, sizeof(text));
		assert_memory_equal(text, sentences[i].text,
				    strlen(sentences[i].text));
	}
	/* The longest sentence fits, and a short buffer is not overrun. */
	for (uint32_t fw = 0; fw < 0x40; fw++) {
		fwerr_describe("KVM_MEMORY_ENCRYPT_REG_REGION",
			       (struct sev_error){ -EIO, fw }, text,
			       sizeof(text));
		assert_true(strlen(text) < sizeof(text) - 1);
	}
	text[8] = 'x';
	fwerr_describe("X", sentences[0].e, text, 8);
	assert_int_equal(strlen(text), 7);
	assert_int_equal(text[8], 'x');
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_describe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
