/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cert_fuzz: certificates that a host made up, parsed, shown, and verified as
 * a chain of themselves.
 */
#include "sev/owner/chain.h"
#include "sev/owner/show.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct chain_link link[CHAIN_LINKS];
	const size_t sev = len < SEV_CERT_LEN ? len : SEV_CERT_LEN;
	struct chain c;

	chain_init(&c);
	for (size_t i = 0; i < CHAIN_NAMES; i++)
		chain_set(&c, (enum chain_name)i, p, i < CHAIN_CEK ? len : sev);
	(void)!chain_verify(&c, NULL, link);
	json_decref(show_describe(p, len, true));
	return 0;
}
