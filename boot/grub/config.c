/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * config: grub.cfg runs, collects its menu, and the default entry is started
 * with no menu shown. A menu would let the host choose among the owner's
 * entries, one of which may be a rescue shell.
 */
#include "boot/grub/config.h"

#include "boot/grub/entries.h"
#include "boot/grub/say.h"

#include <grub/command.h>
#include <grub/env.h>
#include <grub/file.h>
#include <grub/loader.h>
#include <grub/menu.h>
#include <grub/misc.h>
#include <grub/mm.h>
#include <grub/normal.h>
#include <grub/script_sh.h>

/* Submenus inside submenus that a default may name. */
enum { DEPTH_MAX = 4 };

static grub_err_t cmd_nothing(grub_command_t cmd, int argc, char **argv)
{
	(void)cmd;
	(void)argc;
	(void)argv;
	return GRUB_ERR_NONE;
}

/* For what grub.cfg asks before it goes on without. */
static grub_err_t cmd_false(grub_command_t cmd, int argc, char **argv)
{
	(void)cmd;
	(void)argc;
	(void)argv;
	return GRUB_ERR_TEST_FAILURE;
}

/* Whatever is searched for, it is in the volume that the search stands in. */
static grub_err_t cmd_search(grub_command_t cmd, int argc, char **argv)
{
	const char *name = "root";

	for (int i = 0; i < argc; i++)
		if (!grub_strncmp(argv[i], "--set=", 6))
			name = argv[i] + 6;
	return grub_env_set(name, cmd->data);
}

static grub_err_t cmd_source(grub_command_t cmd, int argc, char **argv)
{
	(void)cmd;
	if (argc != 1)
		return grub_error(GRUB_ERR_BAD_ARGUMENT, "one file expected");
	grub_normal_execute(argv[0], 1, 1);
	return GRUB_ERR_NONE;
}

/*
 * Commands of grub.cfg that would read modules of another GRUB, look at other
 * disks, move the console, or open a menu or a command line.
 */
static const struct {
	const char *name;
	grub_command_func_t func;
} replaced[] = {
	{ "insmod", cmd_nothing },	   { "search", cmd_search },
	{ "source", cmd_source },	   { ".", cmd_source },
	{ "configfile", cmd_source },	   { "loadfont", cmd_false },
	{ "terminal_input", cmd_nothing }, { "terminal_output", cmd_nothing },
	{ "serial", cmd_nothing },	   { "background_image", cmd_false },
	{ "blscfg", cmd_nothing },	   { "normal", cmd_false },
	{ "normal_exit", cmd_false },
};

static void commands_replace(const char *volume)
{
	grub_command_t cmd;

	for (size_t i = 0; i < ARRAY_SIZE(replaced); i++) {
		while ((cmd = grub_command_find(replaced[i].name)))
			grub_unregister_command(cmd);
		cmd = grub_register_command(replaced[i].name, replaced[i].func,
					    0, 0);
		if (cmd)
			cmd->data = (void *)volume;
	}
}

/*
 * Does this step of a default, "A" of "A>B", name the entry? In it ">>" stands
 * for one '>'. *rest is what follows the step.
 */
static bool step_is(const char *step, const char *name, const char **rest)
{
	for (; *step && !(step[0] == '>' && step[1] != '>'); step++) {
		if (*step == '>')
			step++;
		if (*step != *name++)
			return false;
	}
	*rest = *step ? step + 1 : "";
	return !*name;
}

static grub_menu_entry_t entry_pick(grub_menu_t menu, const char *want,
				    const char **rest)
{
	grub_menu_entry_t e;
	char number[16];
	int n = 0;

	for (e = menu->entry_list; e; e = e->next) {
		grub_snprintf(number, sizeof(number), "%d", n++);
		if (step_is(want, number, rest) ||
		    step_is(want, e->title, rest) ||
		    (e->id && step_is(want, e->id, rest)))
			return e;
	}
	*rest = "";
	return menu->entry_list;
}

static void entry_boot(grub_menu_entry_t e)
{
	say("starting \"%s\"", e->title);
	grub_env_set("chosen", e->id ? e->id : e->title);
	grub_env_export("chosen");
	grub_script_execute_new_scope(e->sourcecode, e->argc, e->args);
	grub_print_error();
	if (grub_loader_is_loaded())
		grub_command_execute("boot", 0, 0);
	say("\"%s\" started nothing", e->title);
}

/* The default of the menu that was collected, and of submenus in it. */
static void menu_start(const char *want)
{
	grub_menu_t menu = grub_env_get_menu();
	grub_menu_entry_t e;

	for (int depth = 0; menu && menu->size && depth < DEPTH_MAX; depth++) {
		e = entry_pick(menu, want, &want);
		if (e->restricted && grub_env_get("superusers")) {
			say("\"%s\" is only for those who give a password, and "
			    "nobody is asked for one here",
			    e->title);
			return;
		}
		if (!e->submenu) {
			entry_boot(e);
			return;
		}
		menu = grub_zalloc(sizeof(*menu));
		if (!menu || grub_env_context_open())
			return;
		grub_env_set_menu(menu);
		grub_script_execute_new_scope(e->sourcecode, e->argc, e->args);
	}
	say("the configuration names nothing to start");
}

static bool file_exists(const char *path)
{
	grub_file_t file = grub_file_open(path, GRUB_FILE_TYPE_CONFIG);

	grub_errno = GRUB_ERR_NONE;
	if (file)
		grub_file_close(file);
	return file;
}

static bool grub_cfg_start(const char *volume, const char *folder)
{
	char *prefix = grub_xasprintf("(%s)%s", volume, folder);
	char *path = grub_xasprintf("(%s)%s/grub.cfg", volume, folder);
	const char *want;
	char *copy;

	if (!prefix || !path || !file_exists(path))
		return false;
	say("reading %s", path);
	grub_env_set("root", volume);
	grub_env_set("prefix", prefix);
	grub_normal_execute(path, 1, 1);
	if (grub_loader_is_loaded())
		grub_command_execute("boot", 0, 0);
	want = grub_env_get("default");
	copy = grub_strdup(want && *want ? want : "0");
	if (copy)
		menu_start(copy);
	return true;
}

bool config_start(const char *volume)
{
	/* The root file system's /boot, or a volume for /boot alone. */
	static const char *const folder[] = { "/boot/grub", "/boot/grub2",
					      "/grub", "/grub2" };
	bool found = false;

	commands_replace(volume);
	for (size_t i = 0; i < ARRAY_SIZE(folder) && !found; i++)
		found = grub_cfg_start(volume, folder[i]);
	/* Some leave it to loader entries and have no menu of their own. */
	return entries_start(volume) || found;
}
