/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * volumes: see the header. A header is read once, into memory of this guest,
 * and what was checked there is what is used.
 */
#include "boot/grub/volumes.h"

#include "boot/grub/say.h"
#include "boot/grub/unlock.h"

#include <grub/device.h>
#include <grub/disk.h>
#include <grub/misc.h>
#include <grub/mm.h>

/* Disks and partitions that are looked at. */
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

static enum luks_verdict header_read(grub_disk_t disk, struct luks *l)
{
	enum luks_verdict verdict = LUKS_NONE;
	uint8_t *head = grub_malloc(LUKS_HEAD);
	uint8_t *whole = NULL;
	size_t len;

	if (!head || grub_disk_read(disk, 0, 0, LUKS_HEAD, head))
		goto out;
	verdict = luks_header_len(head, &len);
	if (verdict != LUKS_FINE)
		goto out;
	whole = grub_malloc(len);
	verdict = LUKS_DAMAGED;
	if (whole && !grub_disk_read(disk, 0, 0, len, whole))
		verdict = luks_parse(whole, len, l);
out:
	grub_errno = GRUB_ERR_NONE;
	grub_free(head);
	grub_free(whole);
	return verdict;
}

/* Why a volume with a fine header did not open. */
static void explain(const char *name, const struct luks *l,
		    enum unlock_result result)
{
	if (result == UNLOCK_FAILED)
		say("%s (LUKS%d) could not be read", name, l->version);
	else if (l->slots)
		say("%s (LUKS%d): the passphrase fits none of %d key slot%s",
		    name, l->version, l->slots, l->slots == 1 ? "" : "s");
	else if (!l->argon2)
		say("%s (LUKS%d) has no key slot", name, l->version);
	if (!l->argon2)
		return;
	say("%s: %d key slot%s Argon2, which GRUB 2.12 does not have", name,
	    l->argon2, l->argon2 == 1 ? " uses" : "s use");
	say("make one that it has: cryptsetup luksConvertKey --pbkdf pbkdf2");
}

static void try_one(struct volumes *v, const char *name,
		    const struct secret_span *pass)
{
	struct luks *l = grub_zalloc(sizeof(*l));
	grub_disk_t disk = grub_disk_open(name);
	enum unlock_result result;
	enum luks_verdict verdict;
	unsigned long id;

	if (!l || !disk || disk->dev->id == GRUB_DISK_DEVICE_CRYPTODISK_ID ||
	    v->opened == VOLUMES_MAX)
		goto out;
	verdict = header_read(disk, l);
	if (verdict == LUKS_NONE)
		goto out;
	v->luks++;
	if (verdict != LUKS_FINE) {
		say("%s %s", name, luks_verdict_words(verdict));
		goto out;
	}
	result = unlock(disk, name, l, pass, &id);
	if (result != UNLOCK_OPEN) {
		explain(name, l, result);
		goto out;
	}
	say("%s (LUKS%d %s) is open", name, l->version, l->uuid);
	v->open[v->opened] = grub_xasprintf("crypto%lu", id);
	v->opened += v->open[v->opened] != NULL;
out:
	grub_errno = GRUB_ERR_NONE;
	if (disk)
		grub_disk_close(disk);
	grub_free(l);
}

void volumes_unlock(struct volumes *v, const struct secret_span *pass)
{
	struct names all = { .n = 0 };

	v->luks = 0;
	grub_device_iterate(name_add, &all);
	for (int i = 0; i < all.n; i++) {
		if (all.name[i])
			try_one(v, all.name[i], pass);
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
