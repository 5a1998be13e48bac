/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * luks2: the JSON of a LUKS2 header: one segment, the digest that is for it,
 * and the key slots that the digest is for.
 */
#include "boot/grub/json.h"
#include "boot/grub/luks.h"

static const char cipher_name[] = "aes-xts-plain64";

static bool key_len_fits(uint64_t len)
{
	return len == LUKS_KEY_MAX || len == LUKS_KEY_MAX / 2;
}

static bool number(struct json object, const char *name, uint64_t *out)
{
	struct json value;

	return json_member(object, name, &value) && json_number(value, out);
}

static bool is(struct json object, const char *name, const char *word)
{
	struct json value;

	return json_member(object, name, &value) && json_is(value, word);
}

static enum luks_verdict hash_of(struct json object, enum luks_hash *out)
{
	if (is(object, "hash", "sha256"))
		*out = LUKS_SHA256;
	else if (is(object, "hash", "sha512"))
		*out = LUKS_SHA512;
	else
		return LUKS_HASH;
	return LUKS_FINE;
}

/* Members that a key slot's kdf and a digest have alike. */
static enum luks_verdict kdf_parse(struct json object, struct luks_kdf *out)
{
	struct json salt;
	uint64_t n;

	if (!number(object, "iterations", &n) || !n || n > INT32_MAX ||
	    !json_member(object, "salt", &salt) ||
	    !json_base64(salt, out->salt, sizeof(out->salt), &out->salt_len) ||
	    !out->salt_len)
		return LUKS_DAMAGED;
	out->iterations = (uint32_t)n;
	return hash_of(object, &out->hash);
}

/* Re-encryption and multi-part volumes have more segments than one. */
static enum luks_verdict segment_parse(struct json root, struct luks *out)
{
	struct json segments, name, segment, rest;
	uint64_t tweak, size;

	if (!json_member(root, "segments", &segments) ||
	    !json_next(&segments, &name, &segment) || !json_is(name, "0"))
		return LUKS_DAMAGED;
	if (json_next(&segments, &name, &rest) ||
	    json_member(segment, "integrity", &rest) ||
	    !is(segment, "type", "crypt"))
		return LUKS_FEATURE;
	if (!is(segment, "encryption", cipher_name))
		return LUKS_CIPHER;
	if (!number(segment, "offset", &out->data_offset) ||
	    out->data_offset % 4096 || !number(segment, "iv_tweak", &tweak) ||
	    !number(segment, "sector_size", &size))
		return LUKS_DAMAGED;
	if (tweak || !out->data_offset || !is(segment, "size", "dynamic"))
		return LUKS_FEATURE;
	if (size != 512 && size != 1024 && size != 2048 && size != 4096)
		return LUKS_DAMAGED;
	out->sector_size = (uint32_t)size;
	return LUKS_FINE;
}

/* A digest shorter than LUKS1's would verify too little of a key. */
static enum luks_verdict digest_parse(struct json digest, struct luks *out)
{
	enum luks_verdict verdict = kdf_parse(digest, &out->digest_kdf);
	struct json value;

	if (!is(digest, "type", "pbkdf2"))
		return LUKS_FEATURE;
	if (verdict != LUKS_FINE)
		return verdict;
	if (!json_member(digest, "digest", &value) ||
	    !json_base64(value, out->digest, sizeof(out->digest),
			 &out->digest_len) ||
	    out->digest_len < 20)
		return LUKS_DAMAGED;
	return LUKS_FINE;
}

/* Is the name (a string of digits) in the list of them? */
static bool listed(struct json object, const char *list, struct json name)
{
	struct json all, none, one;
	uint64_t want, n;

	if (!json_member(object, list, &all) || !json_number(name, &want))
		return false;
	while (json_next(&all, &none, &one))
		if (json_number(one, &n) && n == want)
			return true;
	return false;
}

static bool digest_find(struct json root, struct json *digest)
{
	static const struct json zero = { "\"0\"", 3 };
	struct json all, name;

	if (!json_member(root, "digests", &all))
		return false;
	while (json_next(&all, &name, digest))
		if (listed(*digest, "segments", zero))
			return true;
	return false;
}

static enum luks_verdict slot_parse(struct json slot, struct luks *out)
{
	struct luks_slot *s = &out->slot[out->slots];
	uint64_t key_len, area_key_len, size, stripes;
	struct json kdf, area, af;
	enum luks_verdict verdict;

	if (!json_member(slot, "kdf", &kdf) ||
	    !json_member(slot, "area", &area) ||
	    !json_member(slot, "af", &af) ||
	    !number(slot, "key_size", &key_len))
		return LUKS_DAMAGED;
	if (is(kdf, "type", "argon2id") || is(kdf, "type", "argon2i")) {
		out->argon2++;
		return LUKS_FINE;
	}
	if (!is(slot, "type", "luks2") || !is(kdf, "type", "pbkdf2") ||
	    !is(area, "type", "raw") || !is(af, "type", "luks1"))
		return LUKS_FEATURE;
	if (!is(area, "encryption", cipher_name) ||
	    !number(area, "key_size", &area_key_len) ||
	    !key_len_fits(area_key_len) || !key_len_fits(key_len))
		return LUKS_CIPHER;
	if (!number(area, "offset", &s->area_offset) || s->area_offset % 512 ||
	    !number(area, "size", &size) || !number(af, "stripes", &stripes) ||
	    stripes != LUKS_STRIPES || size < key_len * LUKS_STRIPES ||
	    (out->key_len && out->key_len != key_len))
		return LUKS_DAMAGED;
	verdict = kdf_parse(kdf, &s->kdf);
	if (verdict == LUKS_FINE)
		verdict = hash_of(af, &s->split_hash);
	if (verdict != LUKS_FINE)
		return verdict;
	out->key_len = (size_t)key_len;
	s->area_key_len = (size_t)area_key_len;
	out->slots++;
	return LUKS_FINE;
}

/* A header that says which features a reader must know has some we do not. */
static bool demands(struct json root)
{
	struct json config, list, name, value;

	return json_member(root, "config", &config) &&
	       json_member(config, "requirements", &list) &&
	       json_member(list, "mandatory", &list) &&
	       json_next(&list, &name, &value);
}

enum luks_verdict luks2_parse(const char *text, size_t len, struct luks *out)
{
	struct json root, digest, slots, name, slot;
	enum luks_verdict verdict;

	if (!json_document(text, len, &root) ||
	    !json_member(root, "keyslots", &slots) ||
	    !digest_find(root, &digest))
		return LUKS_DAMAGED;
	if (demands(root))
		return LUKS_FEATURE;
	verdict = segment_parse(root, out);
	if (verdict == LUKS_FINE)
		verdict = digest_parse(digest, out);
	while (verdict == LUKS_FINE && json_next(&slots, &name, &slot)) {
		if (!listed(digest, "keyslots", name))
			continue;
		if (out->slots + out->argon2 == LUKS_SLOTS_MAX)
			return LUKS_DAMAGED;
		verdict = slot_parse(slot, out);
	}
	return verdict;
}
