/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * module: the command `carrel`, which is all of GRUB's embedded configuration.
 * It never returns, so GRUB's own menu and rescue prompt are never reached.
 */
#include "boot/grub/config.h"
#include "boot/grub/intact.h"
#include "boot/grub/say.h"
#include "boot/grub/secret.h"
#include "boot/grub/volumes.h"

#include <grub/command.h>
#include <grub/crypto.h>
#include <grub/dl.h>
#include <grub/misc.h>

GRUB_MOD_LICENSE("GPLv3+");

enum { TYPED_MAX = 256, TRIES = 3 };

static void explain(const struct volumes *v, bool line_end)
{
	if (!v->luks)
		say("there is no LUKS volume on any disk");
	else
		say("the passphrase opens none of %d LUKS volume%s", v->luks,
		    v->luks == 1 ? "" : "s");
	if (v->luks && line_end)
		say("the passphrase that arrived ends with a line end: "
		    "is it part of it?");
}

static void ask(struct volumes *v)
{
	char typed[TYPED_MAX];
	struct secret_span pass = { (const uint8_t *)typed, 0 };
	volatile char *wipe = typed;

	for (int i = 0; i < TRIES && !v->opened; i++) {
		grub_printf("carrel-grub: passphrase: ");
		pass.len = grub_password_get(typed, sizeof(typed))
				   ? grub_strlen(typed)
				   : 0;
		if (pass.len)
			volumes_unlock(v, &pass);
		else
			say("nothing was typed");
		for (size_t k = 0; k < sizeof(typed); k++)
			wipe[k] = 0;
		if (pass.len && !v->opened)
			explain(v, false);
	}
}

static void __attribute__((noreturn)) boot(bool prompt)
{
	struct volumes v = { .opened = 0 };
	struct secret s;
	bool found = false;

	if (secret_take(&s)) {
		volumes_unlock(&v, &s.pass);
		if (!v.opened)
			explain(&v, s.line_end);
	}
	secret_wipe(&s);
	if (!v.opened && prompt)
		ask(&v);
	if (!v.opened)
		power_off();
	volumes_seal(&v);
	intact_demand();
	for (int i = 0; i < v.opened; i++)
		found |= config_start(v.open[i]);
	if (!found)
		say("%d volume%s open, but no grub.cfg, no loader entries",
		    v.opened, v.opened == 1 ? "" : "s");
	power_off();
}

static grub_err_t cmd_carrel(grub_command_t cmd, int argc, char **argv)
{
	(void)cmd;
	boot(argc == 1 && !grub_strcmp(argv[0], "yes"));
}

GRUB_MOD_INIT(carrel)
{
	grub_register_command("carrel", cmd_carrel, 0, 0);
}
