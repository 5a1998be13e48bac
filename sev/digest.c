/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digest: the launch digest of an image (SEV API, 6.3 and 6.5).
 */
#include "sev/digest.h"

#include <errno.h>
#include <openssl/evp.h>

#include "vmm/log.h"

static bool hash_parts(EVP_MD_CTX *ctx, const struct image *im, uint8_t *out)
{
	if (!EVP_DigestInit_ex2(ctx, EVP_sha256(), NULL))
		return false;
	for (size_t i = 0; i < im->n_parts; i++) {
		const struct image_part *p = &im->part[i];

		if (p->kind == PART_MEASURED &&
		    !EVP_DigestUpdate(ctx, p->bytes, p->len))
			return false;
	}
	return EVP_DigestFinal_ex(ctx, out, NULL);
}

int digest_image(const struct image *im, uint8_t out[DIGEST_LEN])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && hash_parts(ctx, im, out);

	EVP_MD_CTX_free(ctx);
	if (!ok)
		log_error("OpenSSL: SHA-256 failed");
	return ok ? 0 : -EIO;
}
