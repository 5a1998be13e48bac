/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer: appends little-endian fields to a buffer, for tables that we write
 * ourselves. Nothing hostile decides a length here, so running out of room is
 * a mistake of ours and CHECKed.
 */
#ifndef CARREL_BOOT_WRITER_H
#define CARREL_BOOT_WRITER_H

#include <stdint.h>

#include "vmm/num.h"

struct writer {
	uint8_t *bytes;
	size_t cap, len;
};

/* len more bytes, to be filled by the caller. */
static inline uint8_t *writer_grow(struct writer *b, size_t len)
{
	uint8_t *at = b->bytes + b->len;

	CHECK(range_ok(b->len, len, b->cap));
	b->len += len;
	return at;
}

static inline void writer_bytes(struct writer *b, const void *src, size_t len)
{
	bytes_copy(writer_grow(b, len), len, src, len);
}

static inline void writer_zero(struct writer *b, size_t len)
{
	uint8_t *at = writer_grow(b, len);

	while (len--)
		*at++ = 0;
}

static inline void writer_u8(struct writer *b, uint8_t v)
{
	*writer_grow(b, 1) = v;
}

static inline void writer_u16(struct writer *b, uint16_t v)
{
	put_le16(writer_grow(b, 2), v);
}

static inline void writer_u32(struct writer *b, uint32_t v)
{
	put_le32(writer_grow(b, 4), v);
}

static inline void writer_u64(struct writer *b, uint64_t v)
{
	put_le64(writer_grow(b, 8), v);
}

/* What a checksum byte must be so that len bytes with it sum to zero. */
static inline uint8_t writer_checksum(const uint8_t *bytes, size_t len)
{
	uint8_t sum = 0;

	while (len--)
		sum = (uint8_t)(sum + *bytes++);
	return (uint8_t)-sum;
}

#endif
