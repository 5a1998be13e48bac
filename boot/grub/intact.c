/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * intact: a verifier of GRUB's. It sees the very bytes that are handed to
 * whoever opened the file: a second reading may bring others.
 */
#include "boot/grub/intact.h"

#include "boot/grub/say.h"
#include "boot/grub/text.h"

#include <grub/file.h>
#include <grub/mm.h>
#include <grub/verify.h>

/* grub.cfg, what it sources, loader entries; grubenv. */
static grub_err_t file_opened(grub_file_t io, enum grub_file_type type,
			      void **context, enum grub_verify_flags *flags)
{
	int kind = type & GRUB_FILE_TYPE_MASK;

	*context = io->name;
	*flags = kind == GRUB_FILE_TYPE_CONFIG || kind == GRUB_FILE_TYPE_LOADENV
			 ? GRUB_VERIFY_FLAGS_SINGLE_CHUNK
			 : GRUB_VERIFY_FLAGS_SKIP_VERIFICATION;
	return GRUB_ERR_NONE;
}

static grub_err_t file_check(void *context, void *bytes, grub_size_t size)
{
	if (text_is_whole(bytes, size))
		return GRUB_ERR_NONE;
	say("%s is damaged: there are bytes in it that are no text",
	    (const char *)context);
	power_off();
}

void intact_demand(void)
{
	struct grub_file_verifier *v = grub_zalloc(sizeof(*v));

	if (!v) {
		say("no memory is left");
		power_off();
	}
	v->name = "carrel";
	v->init = file_opened;
	v->write = file_check;
	grub_verifier_register(v);
}
