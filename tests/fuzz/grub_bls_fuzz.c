/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * grub_bls_fuzz: an entry's words fit where they are written, and the order of
 * two versions is the opposite of the order the other way round.
 */
#include "boot/grub/bls.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct bls_text a = { (const char *)p, len / 2 };
	struct bls_text b = { (const char *)p + len / 2, len - len / 2 };
	char word[16];
	struct bls e;

	if (bls_version_compare(a, b) != -bls_version_compare(b, a))
		abort();
	if (bls_parse((const char *)p, len, &e) != BLS_FINE)
		return 0;
	for (int i = 0; i < e.options_n; i++)
		while (bls_word(&e.options[i], word, sizeof(word)))
			;
	return 0;
}
