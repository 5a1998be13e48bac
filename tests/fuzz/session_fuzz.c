/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_fuzz: a PDH that a host made up, with which a session is made. A
 * point off the curve must be refused, not multiplied.
 */
#include "sev/owner/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct session_keys k = { 0 };
	struct sev_cert pdh;
	struct session s;
	const char *why;

	if (sev_cert_parse(&pdh, p, len, &why))
		return 0;
	(void)!session_make(&s, &k, &pdh, 1);
	return 0;
}
