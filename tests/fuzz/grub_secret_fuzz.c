/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * grub_secret_fuzz: whatever the area holds, an entry that is handed out lies
 * inside it, which reading its ends proves under ASan.
 */
#include "boot/grub/secret_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct secret_span got;
	volatile uint8_t sink = 0;

	if (secret_table_find(p, len, secret_luks_guid, &got) != SECRET_FOUND)
		return 0;
	if (passphrase_trim(&got) != PASSPHRASE_EMPTY)
		sink = got.data[0] ^ got.data[got.len - 1];
	(void)sink;
	return 0;
}
