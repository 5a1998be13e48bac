/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * luks: the binary parts. LUKS1 is one structure; LUKS2 begins with one that
 * says how much JSON follows.
 */
#include "boot/grub/luks.h"

/* Big-endian fields and where they are, in both versions. */
enum {
	AT_VERSION = 6,
	AT_HEADER_SIZE = 8, /* LUKS2 */
	AT_CIPHER = 8, /* LUKS1 from here */
	AT_MODE = 40,
	AT_HASH = 72,
	AT_PAYLOAD = 104,
	AT_KEY_BYTES = 108,
	AT_DIGEST = 112,
	AT_DIGEST_SALT = 132,
	AT_DIGEST_ITERATIONS = 164,
	AT_UUID = 168, /* both */
	AT_SLOTS = 208,
	SLOT_LEN = 48,
	SLOT_ITERATIONS = 4,
	SLOT_SALT = 8,
	SLOT_MATERIAL = 40,
	SLOT_STRIPES = 44,
	LUKS1_SLOTS = 8,
	LUKS1_LEN = AT_SLOTS + LUKS1_SLOTS * SLOT_LEN,
	DIGEST_LEN = 20,
	SALT_LEN = 32,
	NAME_LEN = 32,
	SECTOR = 512,
};

static const uint32_t slot_active = 0x00ac71f3;

static const char *const words[] = {
	[LUKS_FINE] = "is fine",
	[LUKS_NONE] = "is no LUKS volume",
	[LUKS_DAMAGED] = "has a damaged header",
	[LUKS_CIPHER] = "has a cipher other than aes-xts-plain64",
	[LUKS_HASH] = "has a hash other than sha256 and sha512",
	[LUKS_FEATURE] = "has a feature that is not supported here",
};

const char *luks_verdict_words(enum luks_verdict verdict)
{
	return words[verdict];
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static void copy(uint8_t *to, const uint8_t *from, size_t len)
{
	while (len--)
		*to++ = *from++;
}

/* A NUL-padded field of NAME_LEN bytes that is exactly this word. */
static bool name_is(const uint8_t *field, const char *word)
{
	size_t i = 0;

	for (; word[i]; i++)
		if (i == NAME_LEN || field[i] != (uint8_t)word[i])
			return false;
	return i < NAME_LEN && !field[i];
}

static int magic_version(const uint8_t *p)
{
	static const uint8_t magic[] = { 'L', 'U', 'K', 'S', 0xba, 0xbe };

	for (size_t i = 0; i < sizeof(magic); i++)
		if (p[i] != magic[i])
			return 0;
	return p[AT_VERSION] << 8 | p[AT_VERSION + 1];
}

enum luks_verdict luks_header_len(const uint8_t head[LUKS_HEAD], size_t *len)
{
	uint64_t size;

	switch (magic_version(head)) {
	case 1: *len = LUKS_HEAD; return LUKS_FINE;
	case 2:
		size = (uint64_t)be32(head + AT_HEADER_SIZE) << 32 |
		       be32(head + AT_HEADER_SIZE + 4);
		if (size <= LUKS_HEAD || size > LUKS_HEADER_MAX)
			return LUKS_DAMAGED;
		*len = (size_t)size;
		return LUKS_FINE;
	case 0: return LUKS_NONE;
	default: return LUKS_FEATURE;
	}
}

/* The UUID goes to the console: what is not of one ends it. */
static void uuid_copy(char *to, size_t room, const uint8_t *from)
{
	size_t i = 0;

	for (; i + 1 < room; i++) {
		if (!((from[i] >= '0' && from[i] <= '9') || from[i] == '-' ||
		      (from[i] >= 'a' && from[i] <= 'f')))
			break;
		to[i] = (char)from[i];
	}
	to[i] = 0;
}

static enum luks_verdict slot1_parse(const uint8_t *p, enum luks_hash hash,
				     struct luks *out)
{
	struct luks_slot *s = &out->slot[out->slots];

	if (be32(p) != slot_active)
		return LUKS_FINE;
	s->kdf.hash = s->split_hash = hash;
	s->kdf.iterations = be32(p + SLOT_ITERATIONS);
	copy(s->kdf.salt, p + SLOT_SALT, SALT_LEN);
	s->kdf.salt_len = SALT_LEN;
	s->area_key_len = out->key_len;
	s->area_offset = (uint64_t)be32(p + SLOT_MATERIAL) * SECTOR;
	if (!s->kdf.iterations || be32(p + SLOT_STRIPES) != LUKS_STRIPES)
		return LUKS_DAMAGED;
	out->slots++;
	return LUKS_FINE;
}

static enum luks_verdict luks1_parse(const uint8_t *p, struct luks *out)
{
	enum luks_verdict verdict = LUKS_FINE;
	enum luks_hash hash = LUKS_SHA256;

	out->key_len = be32(p + AT_KEY_BYTES);
	if (!name_is(p + AT_CIPHER, "aes") ||
	    !name_is(p + AT_MODE, "xts-plain64") ||
	    (out->key_len != LUKS_KEY_MAX && out->key_len != LUKS_KEY_MAX / 2))
		return LUKS_CIPHER;
	if (name_is(p + AT_HASH, "sha512"))
		hash = LUKS_SHA512;
	else if (!name_is(p + AT_HASH, "sha256"))
		return LUKS_HASH;
	out->sector_size = SECTOR;
	out->data_offset = (uint64_t)be32(p + AT_PAYLOAD) * SECTOR;
	out->digest_kdf.hash = hash;
	out->digest_kdf.iterations = be32(p + AT_DIGEST_ITERATIONS);
	copy(out->digest_kdf.salt, p + AT_DIGEST_SALT, SALT_LEN);
	out->digest_kdf.salt_len = SALT_LEN;
	copy(out->digest, p + AT_DIGEST, DIGEST_LEN);
	out->digest_len = DIGEST_LEN;
	if (!out->digest_kdf.iterations)
		return LUKS_DAMAGED;
	if (!out->data_offset)
		return LUKS_FEATURE;
	for (int i = 0; i < LUKS1_SLOTS && verdict == LUKS_FINE; i++)
		verdict = slot1_parse(p + AT_SLOTS + i * SLOT_LEN, hash, out);
	return verdict;
}

enum luks_verdict luks_parse(const uint8_t *header, size_t len,
			     struct luks *out)
{
	enum luks_verdict verdict;
	size_t whole, text = 0;

	*out = (struct luks){ 0 };
	if (len < LUKS_HEAD)
		return LUKS_DAMAGED;
	verdict = luks_header_len(header, &whole);
	if (verdict != LUKS_FINE)
		return verdict;
	if (len < whole)
		return LUKS_DAMAGED;
	out->version = magic_version(header);
	uuid_copy(out->uuid, sizeof(out->uuid), header + AT_UUID);
	if (out->version == 1)
		return luks1_parse(header, out);
	/* The JSON ends with a NUL, and so it ends before the area does. */
	header += LUKS_HEAD;
	whole -= LUKS_HEAD;
	while (text < whole && header[text])
		text++;
	if (text == whole)
		return LUKS_DAMAGED;
	return luks2_parse((const char *)header, text, out);
}
