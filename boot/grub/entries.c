/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * entries: files in loader/entries of a /boot folder or a /boot volume. Words
 * with a '$' in them, which some distributions have GRUB fill in, are left out.
 */
#include "boot/grub/entries.h"

#include "boot/grub/bls.h"
#include "boot/grub/say.h"

#include <grub/command.h>
#include <grub/device.h>
#include <grub/env.h>
#include <grub/file.h>
#include <grub/fs.h>
#include <grub/loader.h>
#include <grub/misc.h>
#include <grub/mm.h>

enum {
	FILE_MAX = 16384,
	ENTRIES_MAX = 64,
	PATH_MAX = 512,
	WORDS_MAX = 128,
	WORD_MAX = 1024,
};

struct list {
	char *name[ENTRIES_MAX];
	int n;
};

struct entry {
	char *text;
	struct bls bls;
};

static int name_add(const char *name, const struct grub_dirhook_info *info,
		    void *data)
{
	struct list *all = data;
	size_t len = grub_strlen(name);

	if (info->dir || len < 6 || grub_strcmp(name + len - 5, ".conf"))
		return 0;
	if (all->n == ENTRIES_MAX)
		return 1;
	all->name[all->n] = grub_strdup(name);
	return !all->name[all->n++];
}

static void list_read(struct list *all, const char *volume, const char *dir)
{
	grub_device_t device = grub_device_open(volume);
	grub_fs_t fs = device ? grub_fs_probe(device) : NULL;

	if (fs)
		fs->fs_dir(device, dir, name_add, all);
	if (device)
		grub_device_close(device);
	grub_errno = GRUB_ERR_NONE;
}

static char *file_read(const char *path, size_t *len)
{
	grub_file_t file = grub_file_open(path, GRUB_FILE_TYPE_CONFIG);
	char *text = NULL;
	grub_ssize_t n;

	if (!file)
		return NULL;
	text = grub_malloc(FILE_MAX);
	n = text ? grub_file_read(file, text, FILE_MAX) : -1;
	grub_file_close(file);
	if (n < 0 || n == FILE_MAX) {
		grub_free(text);
		return NULL;
	}
	*len = (size_t)n;
	return text;
}

static bool entry_read(struct entry *e, const char *path)
{
	size_t len;

	e->text = file_read(path, &len);
	if (e->text && bls_parse(e->text, len, &e->bls) == BLS_FINE)
		return true;
	say("%s starts no kernel here", path);
	grub_free(e->text);
	return false;
}

static bool is_newer(const struct entry *a, const struct entry *b)
{
	return !b->text ||
	       bls_version_compare(a->bls.version, b->bls.version) > 0;
}

/* The newest of the list, or an entry with no text. */
static struct entry newest(const struct list *all, const char *volume,
			   const char *dir)
{
	struct entry best = { 0 }, one;
	char path[PATH_MAX];

	for (int i = 0; i < all->n; i++) {
		if (!all->name[i])
			continue;
		grub_snprintf(path, sizeof(path), "(%s)%s/%s", volume, dir,
			      all->name[i]);
		if (!entry_read(&one, path))
			continue;
		if (is_newer(&one, &best)) {
			grub_free(best.text);
			best = one;
		} else {
			grub_free(one.text);
		}
	}
	return best;
}

/*
 * A path in an entry is one in the file system that the entries are in, which
 * is $root. Where /boot is a folder, some tools leave it out all the same.
 */
static char *path_of(const char *boot, struct bls_text t)
{
	char name[PATH_MAX];
	grub_file_t file;

	if (!bls_word(&t, name, sizeof(name)))
		return NULL;
	file = grub_file_open(name, GRUB_FILE_TYPE_NONE);
	grub_errno = GRUB_ERR_NONE;
	if (!file)
		return grub_xasprintf("%s%s", boot, name);
	grub_file_close(file);
	return grub_strdup(name);
}

/* How many args there are then; -1 if an option would have to be left out. */
static int options_add(const struct bls *b, char **args, int n)
{
	char word[WORD_MAX];
	struct bls_text line;

	for (int i = 0; i < b->options_n; i++) {
		line = b->options[i];
		while (n < WORDS_MAX && bls_word(&line, word, sizeof(word))) {
			if (grub_strchr(word, '$')) {
				say("leaving out %s", word);
				continue;
			}
			args[n] = grub_strdup(word);
			if (!args[n++])
				return -1;
		}
		if (line.len)
			return -1;
	}
	return n;
}

static void entry_start(const char *boot, const struct bls *b)
{
	char **args = grub_zalloc(sizeof(*args) * WORDS_MAX);
	int n;

	if (!args)
		return;
	args[0] = path_of(boot, b->kernel);
	if (!args[0])
		return;
	n = options_add(b, args, 1);
	if (n < 0) {
		say("%s has too many options, or too long ones", args[0]);
		return;
	}
	say("starting %s", args[0]);
	if (grub_command_execute("linux", n, args))
		return;
	n = 0;
	for (int i = 0; i < b->initrds; i++) {
		if (*b->initrd[i].p == '$')
			continue;
		args[n] = path_of(boot, b->initrd[i]);
		if (!args[n++])
			return;
	}
	if (n && grub_command_execute("initrd", n, args))
		return;
	if (grub_loader_is_loaded())
		grub_command_execute("boot", 0, 0);
}

bool entries_start(const char *volume)
{
	static const struct {
		const char *dir, *boot;
	} place[] = {
		{ "/boot/loader/entries", "/boot" },
		{ "/loader/entries", "" },
	};
	struct entry e = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(place) && !e.text; i++) {
		struct list all = { .n = 0 };

		list_read(&all, volume, place[i].dir);
		e = newest(&all, volume, place[i].dir);
		if (!e.text)
			continue;
		grub_env_set("root", volume);
		entry_start(place[i].boot, &e.bls);
		say("the newest loader entry of %s started nothing", volume);
	}
	return e.text;
}
