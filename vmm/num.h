/* SPDX-License-Identifier: Apache-2.0 */
/*
 * num: checked arithmetic, little-endian access and the few byte helpers that
 * everything else uses. Trusts nobody: every size here may come from a guest
 * or a file, so each sum that can overflow says so in its result.
 */
#ifndef CARREL_VMM_NUM_H
#define CARREL_VMM_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define KIB (1024ull)
#define MIB (1024ull * KIB)
#define GIB (1024ull * MIB)

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* An invariant of our own: never compiled out, never on a guest's data. */
#define CHECK(x) ((x) ? (void)0 : check_failed(#x, __FILE__, __LINE__))
_Noreturn void check_failed(const char *what, const char *file, int line);

/* Each returns false, and leaves *out alone, when the result does not fit. */
static inline bool add_u64(uint64_t a, uint64_t b, uint64_t *out)
{
	uint64_t r;

	if (__builtin_add_overflow(a, b, &r))
		return false;
	*out = r;
	return true;
}

static inline bool mul_u64(uint64_t a, uint64_t b, uint64_t *out)
{
	uint64_t r;

	if (__builtin_mul_overflow(a, b, &r))
		return false;
	*out = r;
	return true;
}

/* Is [off, off + len) inside [0, size)? By subtraction: nothing can wrap. */
static inline bool range_ok(uint64_t off, uint64_t len, uint64_t size)
{
	return off <= size && len <= size - off;
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* align is a power of two; false when the result does not fit. */
static inline bool align_up(uint64_t v, uint64_t align, uint64_t *out)
{
	return add_u64(v, align - 1, &v) ? (*out = v & ~(align - 1), true)
					 : false;
}

/* A whole text of decimal digits, up to max: no sign, no space. */
static inline bool decimal_u64(const char *text, uint64_t max, uint64_t *out)
{
	const char *p = text;
	uint64_t v = 0;

	for (; *p >= '0' && *p <= '9'; p++)
		if (!mul_u64(v, 10, &v) ||
		    !add_u64(v, (uint64_t)(*p - '0'), &v))
			return false;
	if (p == text || *p || v > max)
		return false;
	*out = v;
	return true;
}

/*
 * The one memcpy of the tree (lint bans the others): len must have been
 * checked against both ends, which is why cap, the room at dst, is named here
 * once more and CHECKed.
 */
static inline void bytes_copy(void *dst, size_t cap, const void *src,
			      size_t len)
{
	CHECK(len <= cap);
	if (len)
		memcpy(dst, src, len);
}

/* Like the above, for overlapping ranges. */
static inline void bytes_move(void *dst, size_t cap, const void *src,
			      size_t len)
{
	CHECK(len <= cap);
	if (len)
		memmove(dst, src, len);
}

static inline uint16_t get_le16(const void *p)
{
	const uint8_t *b = p;

	return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t get_le32(const void *p)
{
	const uint8_t *b = p;

	return (uint32_t)get_le16(b) | (uint32_t)get_le16(b + 2) << 16;
}

static inline uint64_t get_le64(const void *p)
{
	const uint8_t *b = p;

	return (uint64_t)get_le32(b) | (uint64_t)get_le32(b + 4) << 32;
}

static inline void put_le16(void *p, uint16_t v)
{
	uint8_t *b = p;

	b[0] = (uint8_t)v;
	b[1] = (uint8_t)(v >> 8);
}

static inline void put_le32(void *p, uint32_t v)
{
	uint8_t *b = p;

	put_le16(b, (uint16_t)v);
	put_le16(b + 2, (uint16_t)(v >> 16));
}

static inline void put_le64(void *p, uint64_t v)
{
	uint8_t *b = p;

	put_le32(b, (uint32_t)v);
	put_le32(b + 4, (uint32_t)(v >> 32));
}

/* Little-endian value of a 1, 2, 4 or 8 byte access; other lengths: 0. */
static inline uint64_t get_le(const void *p, size_t len)
{
	switch (len) {
	case 1: return *(const uint8_t *)p;
	case 2: return get_le16(p);
	case 4: return get_le32(p);
	case 8: return get_le64(p);
	default: return 0;
	}
}

/* Stores the low len bytes (1, 2, 4 or 8) of v; other lengths: nothing. */
static inline void put_le(void *p, size_t len, uint64_t v)
{
	switch (len) {
	case 1: *(uint8_t *)p = (uint8_t)v; break;
	case 2: put_le16(p, (uint16_t)v); break;
	case 4: put_le32(p, (uint32_t)v); break;
	case 8: put_le64(p, v); break;
	default: break;
	}
}

#endif
