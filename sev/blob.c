/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of exactly the size is taken as it is: base64 of the same bytes is a
 * third longer, so the two cannot be confused.
 */
#include "sev/blob.h"

#include <errno.h>
#include <stdlib.h>

#include "sev/base64.h"
#include "vmm/file.h"
#include "vmm/log.h"

int blob_read(const char *path, const char *what, uint8_t *out, size_t len)
{
	/* Room for base64 with a line break after each few characters. */
	uint64_t max = 2 * BASE64_SIZE(len);
	size_t got, n = 0;
	uint8_t *buf;
	int rc;

	rc = file_read(path, what, max, &buf, &got);
	if (rc)
		return rc;
	if (got == len) {
		bytes_copy(out, len, buf, got);
	} else if (base64_decode((char *)buf, got, out, len, &n) || n != len) {
		log_error("%s %s: %zu bytes, which is neither %zu bytes nor "
			  "their base64",
			  what, path, got, len);
		rc = -EINVAL;
	}
	free(buf);
	return rc;
}
