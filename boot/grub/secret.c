/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * secret: the firmware names the area in its configuration table (edk2,
 * OvmfPkg/AmdSev/SecretDxe). The secure processor has put the table there,
 * encrypted for this guest alone.
 */
#include "boot/grub/secret.h"

#include "boot/grub/say.h"

#include <grub/efi/efi.h>
#include <grub/misc.h>

/* Far more than any firmware has; what is named beyond it is not an area. */
#define AREA_MAX (1u << 20)

/* CONFIDENTIAL_COMPUTING_SECRET_LOCATION */
struct location {
	uint64_t base;
	uint64_t size;
};

static bool area_find(struct secret *s)
{
	static const grub_guid_t guid = {
		0xadf956ad,
		0xe98c,
		0x484c,
		{ 0xae, 0x11, 0xb5, 0x1c, 0x7d, 0x33, 0x64, 0x47 },
	};
	const struct location *at = grub_efi_find_configuration_table(&guid);

	if (!at) {
		say("this firmware has no place for a secret");
		return false;
	}
	if (!at->base || !at->size || at->size > AREA_MAX ||
	    at->base > UINT64_MAX - at->size) {
		say("the firmware names an impossible area for the secret");
		return false;
	}
	s->area = (volatile uint8_t *)(uintptr_t)at->base;
	s->area_size = (size_t)at->size;
	return true;
}

bool secret_take(struct secret *s)
{
	*s = (struct secret){ 0 };
	if (!area_find(s))
		return false;
	switch (secret_table_find((const uint8_t *)s->area, s->area_size,
				  secret_luks_guid, &s->pass)) {
	case SECRET_FOUND: break;
	case SECRET_NO_TABLE:
		say("no secret was sent to this guest");
		return false;
	case SECRET_NO_ENTRY:
		say("the secret that was sent has no LUKS passphrase in it");
		return false;
	case SECRET_DAMAGED:
		say("the secret is damaged: a length in it does not fit");
		return false;
	}
	switch (passphrase_trim(&s->pass)) {
	case PASSPHRASE_EMPTY:
		say("the passphrase that arrived is empty");
		return false;
	case PASSPHRASE_LINE_END: s->line_end = true; break;
	case PASSPHRASE_PLAIN: break;
	}
	return true;
}

void secret_wipe(struct secret *s)
{
	for (size_t i = 0; i < s->area_size; i++)
		s->area[i] = 0;
	*s = (struct secret){ 0 };
}
