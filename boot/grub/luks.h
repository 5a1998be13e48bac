/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * luks: what a LUKS1 or LUKS2 header says, as far as it is needed to unlock.
 * Pure: bytes in, struct or a verdict out. Who trusts whom: the header is not
 * encrypted, so the host can write one that suits it. It must not get GRUB to
 * read past an area, to verify less than a whole key, or to use a cipher other
 * than the one that everybody uses; so everything else is refused.
 *
 * Formats: "LUKS1 On-Disk Format" 1.2.3 and "LUKS2 On-Disk Format" 1.1.1.
 */
#ifndef CARREL_GRUB_LUKS_H
#define CARREL_GRUB_LUKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	LUKS_HEAD = 4096, /* enough to see how long the header is */
	LUKS_HEADER_MAX = 4 << 20, /* LUKS2, 2.1 */
	LUKS_SLOTS_MAX = 32,
	LUKS_STRIPES = 4000, /* what cryptsetup has always written */
	LUKS_SALT_MAX = 64,
	LUKS_DIGEST_MAX = 64,
	LUKS_KEY_MAX = 64, /* AES-256 in XTS mode: two keys */
};

enum luks_verdict {
	LUKS_FINE,
	LUKS_NONE, /* no LUKS volume at all */
	LUKS_DAMAGED, /* something is missing, or a length cannot be */
	LUKS_CIPHER, /* not aes-xts-plain64 with a key of 256 or 512 bits */
	LUKS_HASH, /* neither SHA-256 nor SHA-512 */
	LUKS_FEATURE, /* integrity, re-encryption, a token's requirement */
};

enum luks_hash { LUKS_SHA256, LUKS_SHA512 };

struct luks_kdf {
	enum luks_hash hash;
	uint32_t iterations;
	uint8_t salt[LUKS_SALT_MAX];
	size_t salt_len;
};

struct luks_slot {
	struct luks_kdf kdf;
	enum luks_hash split_hash;
	size_t area_key_len;
	uint64_t area_offset; /* in bytes; LUKS_STRIPES keys lie there */
};

struct luks {
	int version;
	char uuid[40]; /* hexadecimal digits and dashes only */
	size_t key_len;
	uint64_t data_offset; /* in bytes */
	uint32_t sector_size;
	struct luks_kdf digest_kdf;
	uint8_t digest[LUKS_DIGEST_MAX];
	size_t digest_len;
	struct luks_slot slot[LUKS_SLOTS_MAX];
	int slots;
	int argon2; /* slots left out because they use it */
};

/* How many bytes the header takes, seen from its first LUKS_HEAD. */
enum luks_verdict luks_header_len(const uint8_t head[LUKS_HEAD], size_t *len);

/* The header itself. *out is complete only with LUKS_FINE. */
enum luks_verdict luks_parse(const uint8_t *header, size_t len,
			     struct luks *out);

/* A verdict in words that end a sentence. */
const char *luks_verdict_words(enum luks_verdict verdict);

/* The part of luks_parse that reads a LUKS2 header's JSON (luks2.c). */
enum luks_verdict luks2_parse(const char *text, size_t len, struct luks *out);

#endif
