/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digest_test: only measured parts count, in the order of the list.
 */
#include "sev/digest.h"

#include "tests/unit/owner_rig.h"

static void is(const struct image *im, const char *want)
{
	uint8_t digest[DIGEST_LEN];

	assert_int_equal(digest_image(im, digest), 0);
	rig_is_hex(digest, sizeof(digest), want);
}

/* Answers by sha256sum: of nothing, of "abc", and of "abcxyz". */
static void measured_parts(void **state)
{
	const struct image_part abc = { .kind = PART_MEASURED,
					.bytes = (const uint8_t *)"abc",
					.len = 3 };
	const struct image_part xyz = { .kind = PART_MEASURED,
					.bytes = (const uint8_t *)"xyz",
					.len = 3 };
	const struct image_part plain = { .kind = PART_PLAIN,
					  .bytes = (const uint8_t *)"plain",
					  .len = 5 };
	struct image im;

	(void)state;
	image_open(&im);
	is(&im, "e3b0c44298fc1c149afbf4c8996fb924"
		"27ae41e4649b934ca495991b7852b855");
	assert_int_equal(image_add_part(&im, &abc), 0);
	assert_int_equal(image_add_part(&im, &plain), 0);
	is(&im, "ba7816bf8f01cfea414140de5dae2223"
		"b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(image_add_part(&im, &xyz), 0);
	is(&im, "f312795e322c87461a6f3c49e09897c5"
		"9ca0d5a36245d2a00f08cbc66eee976d");
	image_close(&im);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(measured_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
