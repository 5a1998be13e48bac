/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bzimage_fuzz: any bytes as a kernel. What is accepted must split into a
 * setup part and a rest, both inside the file.
 */
#include "boot/bzimage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(const struct bzimage *bz, size_t len)
{
	CHECK(bz->setup_bytes >= 1024 && bz->setup_bytes < len);
	if (bz->entry64)
		CHECK(bz->header_end > BZIMAGE_HEADER &&
		      bz->header_end <= BZIMAGE_HEADER_MAX &&
		      bz->header_end <= bz->setup_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct bzimage bz;
	const char *why = NULL;

	if (bzimage_parse(&bz, data, len, &why))
		CHECK(why);
	else
		check(&bz, len);
	return 0;
}
