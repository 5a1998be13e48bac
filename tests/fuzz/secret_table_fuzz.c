/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret_table_fuzz: tables whose lengths lie; every entry that is accepted
 * must lie inside the table, which reading its ends proves under ASan.
 */
#include "sev/owner/secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct secret_entry entry[SECRET_ENTRIES_MAX];
	volatile uint8_t sink = 0;
	int n = secret_table_parse(p, len, entry);

	for (int i = 0; i < n; i++)
		if (entry[i].len)
			sink = entry[i].data[0] ^
			       entry[i].data[entry[i].len - 1];
	(void)sink;
	return 0;
}
