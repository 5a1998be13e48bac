/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * grub_luks_fuzz: whatever a header says, one that is found fine has only sizes
 * that the module's buffers are made for.
 */
#include "boot/grub/luks.h"

#include <stdlib.h>

static void demand(bool ok)
{
	if (!ok)
		abort();
}

static void slot_check(const struct luks *l, const struct luks_slot *s)
{
	demand(s->kdf.salt_len && s->kdf.salt_len <= LUKS_SALT_MAX);
	demand(s->kdf.iterations);
	demand(s->area_key_len == 32 || s->area_key_len == 64);
	demand(s->area_offset % 512 == 0);
	demand(l->key_len == 32 || l->key_len == 64);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static struct luks l;
	size_t whole;

	if (len < LUKS_HEAD || luks_header_len(p, &whole) != LUKS_FINE)
		return 0;
	demand(whole >= LUKS_HEAD && whole <= LUKS_HEADER_MAX);
	if (luks_parse(p, len, &l) != LUKS_FINE)
		return 0;
	demand(l.slots <= LUKS_SLOTS_MAX);
	demand(l.digest_len >= 20 && l.digest_len <= LUKS_DIGEST_MAX);
	demand(l.digest_kdf.iterations && l.digest_kdf.salt_len);
	demand(l.data_offset && l.sector_size >= 512 && l.sector_size <= 4096);
	for (int i = 0; i < l.slots; i++)
		slot_check(&l, &l.slot[i]);
	return 0;
}
