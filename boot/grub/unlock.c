/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * unlock: "LUKS1 On-Disk Format", 5: derive the key of a slot's area from the
 * passphrase, decrypt the area, merge its stripes, compare with the digest.
 */
#include "boot/grub/unlock.h"

#include <grub/crypto.h>
#include <grub/cryptodisk.h>
#include <grub/disk.h>
#include <grub/misc.h>
#include <grub/mm.h>

enum { AREA_MAX = LUKS_KEY_MAX * LUKS_STRIPES, SECTOR = 512 };

/* GRUB has it in no header. */
gcry_err_code_t AF_merge(const gcry_md_spec_t *hash, grub_uint8_t *src,
			 grub_uint8_t *dst, grub_size_t blocksize,
			 grub_size_t blocknumbers);

static void wipe(void *p, size_t len)
{
	volatile uint8_t *b = p;

	while (len--)
		*b++ = 0;
}

static const gcry_md_spec_t *hash_of(enum luks_hash hash)
{
	return grub_crypto_lookup_md_by_name(hash == LUKS_SHA512 ? "sha512"
								 : "sha256");
}

static bool derive(const struct luks_kdf *kdf, const uint8_t *in, size_t in_len,
		   uint8_t *out, size_t out_len)
{
	const gcry_md_spec_t *hash = hash_of(kdf->hash);

	return hash &&
	       !grub_crypto_pbkdf2(hash, in, in_len, kdf->salt, kdf->salt_len,
				   kdf->iterations, out, out_len);
}

/* A cipher with this key, as GRUB's decrypting disks have one. */
static grub_cryptodisk_t cipher_open(uint8_t *key, size_t len)
{
	grub_cryptodisk_t dev = grub_zalloc(sizeof(*dev));

	if (!dev)
		return NULL;
	if (!grub_cryptodisk_setcipher(dev, "aes", "xts-plain64") &&
	    !grub_cryptodisk_setkey(dev, key, len))
		return dev;
	wipe(dev, sizeof(*dev));
	grub_free(dev);
	return NULL;
}

static void cipher_close(grub_cryptodisk_t dev)
{
	wipe(dev->cipher->ctx, dev->cipher->cipher->contextsize);
	wipe(dev->secondary_cipher->ctx,
	     dev->secondary_cipher->cipher->contextsize);
	grub_crypto_cipher_close(dev->cipher);
	grub_crypto_cipher_close(dev->secondary_cipher);
	wipe(dev, sizeof(*dev));
	grub_free(dev);
}

/* The slot's area, decrypted in place. The area has sectors of 512 bytes. */
static bool area_read(grub_disk_t disk, const struct luks_slot *slot,
		      const struct secret_span *pass, uint8_t *area, size_t len)
{
	uint8_t key[LUKS_KEY_MAX];
	grub_cryptodisk_t dev;
	bool ok = false;

	if (!derive(&slot->kdf, pass->data, pass->len, key, slot->area_key_len))
		return false;
	dev = cipher_open(key, slot->area_key_len);
	wipe(key, sizeof(key));
	if (!dev)
		return false;
	if (!grub_disk_read(disk, slot->area_offset / SECTOR, 0, len, area))
		ok = !grub_cryptodisk_decrypt(dev, area, len, 0, 9);
	cipher_close(dev);
	return ok;
}

/* The volume's key, if the passphrase fits this slot. */
static enum unlock_result slot_open(grub_disk_t disk, const struct luks *l,
				    const struct luks_slot *slot,
				    const struct secret_span *pass,
				    uint8_t *area, uint8_t key[LUKS_KEY_MAX])
{
	size_t len = l->key_len * LUKS_STRIPES;
	uint8_t digest[LUKS_DIGEST_MAX];

	if (!area_read(disk, slot, pass, area, len) ||
	    AF_merge(hash_of(slot->split_hash), area, key, l->key_len,
		     LUKS_STRIPES) ||
	    !derive(&l->digest_kdf, key, l->key_len, digest, l->digest_len))
		return UNLOCK_FAILED;
	return grub_crypto_memcmp(digest, l->digest, l->digest_len)
		       ? UNLOCK_NO_FIT
		       : UNLOCK_OPEN;
}

static enum unlock_result disk_add(grub_disk_t disk, const char *name,
				   const struct luks *l, uint8_t *key,
				   unsigned long *id)
{
	uint64_t sectors = grub_disk_native_sectors(disk);
	uint64_t data = l->data_offset / SECTOR;
	grub_cryptodisk_t dev;

	if (sectors == GRUB_DISK_SIZE_UNKNOWN || data >= sectors) {
		grub_error(GRUB_ERR_OUT_OF_RANGE, "%s is too small", name);
		return UNLOCK_FAILED;
	}
	dev = cipher_open(key, l->key_len);
	if (!dev)
		return UNLOCK_FAILED;
	dev->log_sector_size = 9;
	while (1u << dev->log_sector_size < l->sector_size)
		dev->log_sector_size++;
	dev->offset_sectors = l->data_offset >> dev->log_sector_size;
	dev->total_sectors = (sectors - data) >> (dev->log_sector_size - 9);
	dev->modname = "carrel";
	grub_strncpy(dev->uuid, l->uuid, sizeof(dev->uuid) - 1);
	if (grub_cryptodisk_insert(dev, name, disk)) {
		cipher_close(dev);
		return UNLOCK_FAILED;
	}
	*id = dev->id;
	return UNLOCK_OPEN;
}

enum unlock_result unlock(grub_disk_t disk, const char *name,
			  const struct luks *l, const struct secret_span *pass,
			  unsigned long *id)
{
	enum unlock_result result = UNLOCK_NO_FIT;
	uint8_t key[LUKS_KEY_MAX];
	uint8_t *area = grub_malloc(AREA_MAX);

	if (!area)
		return UNLOCK_FAILED;
	for (int i = 0; i < l->slots && result != UNLOCK_OPEN; i++)
		result = slot_open(disk, l, &l->slot[i], pass, area, key);
	if (result == UNLOCK_OPEN)
		result = disk_add(disk, name, l, key, id);
	wipe(key, sizeof(key));
	wipe(area, AREA_MAX);
	grub_free(area);
	return result;
}
