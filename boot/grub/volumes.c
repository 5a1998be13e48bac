/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * volumes: see the header.
 */
#include "boot/grub/volumes.h"

#include "boot/grub/say.h"

#include <grub/command.h>
#include <grub/cryptodisk.h>
#include <grub/device.h>
#include <grub/disk.h>
#include <grub/mm.h>
#include <grub/misc.h>

enum { NAMES_MAX = 128 };

struct names {
	char *name[NAMES_MAX];
	int n;
};

static int name_add(const char *name, void *data)
{
	struct names *all = data;

	if (all->n == NAMES_MAX)
		return 1;
	all->name[all->n] = grub_strdup(name);
	return !all->name[all->n++];
}

static bool is_luks(grub_disk_t disk)
{
	static const uint8_t magic[] = { 'L', 'U', 'K', 'S', 0xba, 0xbe };
	uint8_t head[sizeof(magic)];

	return !grub_disk_read(disk, 0, 0, sizeof(head), head) &&
	       !grub_memcmp(head, magic, sizeof(magic));
}

static void try_one(struct volumes *v, const char *name,
		    const struct secret_span *pass)
{
	grub_disk_t disk = grub_disk_open(name);
	grub_cryptodisk_t dev;
	char word[512];
	char *args[] = { (char *)"-p", word, (char *)name };

	if (!disk)
		return;
	if (disk->dev->id != GRUB_DISK_DEVICE_CRYPTODISK_ID && is_luks(disk) &&
	    pass->len < sizeof(word)) {
		v->luks++;
		grub_memcpy(word, pass->data, pass->len);
		word[pass->len] = 0;
		grub_command_execute("cryptomount", 3, args);
		dev = grub_cryptodisk_get_by_source_disk(disk);
		if (dev && v->opened < VOLUMES_MAX)
			v->open[v->opened++] =
				grub_xasprintf("crypto%lu", dev->id);
	}
	grub_disk_close(disk);
}

void volumes_unlock(struct volumes *v, const struct secret_span *pass)
{
	struct names all = { .n = 0 };

	v->luks = v->argon2 = 0;
	grub_device_iterate(name_add, &all);
	for (int i = 0; i < all.n; i++) {
		if (all.name[i])
			try_one(v, all.name[i], pass);
		grub_errno = GRUB_ERR_NONE;
		grub_free(all.name[i]);
	}
}

void volumes_seal(struct volumes *v)
{
	grub_disk_dev_t dev, next;

	/*
	 * An opened volume keeps its source for as long as one handle on it is
	 * open: this one is never closed.
	 */
	for (int i = 0; i < v->opened; i++)
		if (!grub_disk_open(v->open[i]))
			say("%s cannot be opened again", v->open[i]);
	for (dev = grub_disk_dev_list; dev; dev = next) {
		next = dev->next;
		if (dev->id != GRUB_DISK_DEVICE_CRYPTODISK_ID)
			grub_disk_dev_unregister(dev);
	}
}
