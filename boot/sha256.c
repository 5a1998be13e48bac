/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sha256: see the header. Names are those of FIPS 180-4. The second way is the
 * same rounds by SHA256RNDS2 and its companions (AMD64 manual, volume 4), which
 * keep the state as ABEF and CDGH; every EPYC has them.
 */
#include "boot/sha256.h"

#include <cpuid.h>
#include <immintrin.h>

#define BLOCK 64u
#define ROUNDS 64u
#define LENGTH_BYTES 8u /* at the end of the last block, big-endian bits */

#define NATIVE __attribute__((target("sha,sse4.1")))
#define CPUID7_EBX_SHA (1u << 29)
#define CPUID1_ECX_SSE41 (1u << 19)

static const uint32_t k[ROUNDS] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
	0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
	0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* A whole number of blocks into the state. */
typedef void blocks_fn(uint32_t h[8], const uint8_t *p, size_t n);

static uint32_t rotr(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static uint32_t load_be(const uint8_t *p)
{
	return __builtin_bswap32(get_le32(p));
}

static void schedule(uint32_t w[ROUNDS], const uint8_t *p)
{
	for (unsigned t = 0; t < 16; t++)
		w[t] = load_be(p + (size_t)4 * t);
	for (unsigned t = 16; t < ROUNDS; t++) {
		uint32_t a = w[t - 15], b = w[t - 2];

		w[t] = w[t - 16] + (rotr(a, 7) ^ rotr(a, 18) ^ a >> 3) +
		       w[t - 7] + (rotr(b, 17) ^ rotr(b, 19) ^ b >> 10);
	}
}

/* s is a to h; what was h becomes a, all others move on by one. */
static void one_round(uint32_t s[8], uint32_t kw)
{
	uint32_t a = s[0], e = s[4];
	uint32_t t1 = s[7] + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) +
		      ((e & s[5]) ^ (~e & s[6])) + kw;
	uint32_t t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) +
		      ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));

	for (unsigned i = 7; i; i--)
		s[i] = s[i - 1];
	s[4] += t1;
	s[0] = t1 + t2;
}

static void plain_blocks(uint32_t h[8], const uint8_t *p, size_t n)
{
	uint32_t w[ROUNDS], s[8];

	for (; n; n--, p += BLOCK) {
		schedule(w, p);
		bytes_copy(s, sizeof(s), h, sizeof(s));
		for (unsigned t = 0; t < ROUNDS; t++)
			one_round(s, k[t] + w[t]);
		for (unsigned i = 0; i < 8; i++)
			h[i] += s[i];
	}
}

NATIVE static __m128i four(const void *p)
{
	return _mm_loadu_si128(p);
}

/* Four rounds: two with the low words of K + W, two with the high ones. */
NATIVE static void four_rounds(__m128i *abef, __m128i *cdgh, __m128i kw)
{
	*cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, kw);
	*abef = _mm_sha256rnds2_epu32(*abef, *cdgh,
				      _mm_shuffle_epi32(kw, 0x0e));
}

/* The next four words of the schedule, from the last sixteen. */
NATIVE static __m128i next_words(const __m128i w[4])
{
	__m128i x = _mm_sha256msg1_epu32(w[0], w[1]);

	x = _mm_add_epi32(x, _mm_alignr_epi8(w[3], w[2], 4));
	return _mm_sha256msg2_epu32(x, w[3]);
}

NATIVE static void native_block(__m128i *abef, __m128i *cdgh, const uint8_t *p)
{
	const __m128i swap =
		_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	const __m128i was_abef = *abef, was_cdgh = *cdgh;
	__m128i w[4];

	for (unsigned i = 0; i < 4; i++)
		w[i] = _mm_shuffle_epi8(four(p + (size_t)16 * i), swap);
	for (unsigned t = 0; t < ROUNDS; t += 4) {
		__m128i now = w[0], new = now;

		four_rounds(abef, cdgh, _mm_add_epi32(now, four(&k[t])));
		if (t < ROUNDS - 16)
			new = next_words(w);
		w[0] = w[1];
		w[1] = w[2];
		w[2] = w[3];
		w[3] = new;
	}
	*abef = _mm_add_epi32(*abef, was_abef);
	*cdgh = _mm_add_epi32(*cdgh, was_cdgh);
}

NATIVE static void native_blocks(uint32_t h[8], const uint8_t *p, size_t n)
{
	/* Words from the lowest: DCBA and HGFE as loaded, then F E B A, ... */
	__m128i cdab = _mm_shuffle_epi32(four(h), 0xb1);
	__m128i efgh = _mm_shuffle_epi32(four(h + 4), 0x1b);
	__m128i abef = _mm_alignr_epi8(cdab, efgh, 8);
	__m128i cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);

	for (; n; n--, p += BLOCK)
		native_block(&abef, &cdgh, p);
	cdab = _mm_shuffle_epi32(abef, 0x1b); /* feba */
	efgh = _mm_shuffle_epi32(cdgh, 0xb1); /* dchg */
	_mm_storeu_si128((void *)h, _mm_blend_epi16(cdab, efgh, 0xf0));
	_mm_storeu_si128((void *)(h + 4), _mm_alignr_epi8(efgh, cdab, 8));
}

/* 5.1.1: a one, zeros, the length in bits: one block more, or two. */
static void digest(const uint8_t *data, size_t len, uint8_t *out,
		   blocks_fn *blocks)
{
	uint32_t h[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
			  0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
	uint8_t end[2 * BLOCK] = { 0 };
	size_t rest = len % BLOCK;
	size_t n = rest + 1 + LENGTH_BYTES > BLOCK ? 2 : 1;

	blocks(h, data, len / BLOCK);
	if (rest)
		bytes_copy(end, sizeof(end), data + (len - rest), rest);
	end[rest] = 0x80;
	put_le64(end + n * BLOCK - LENGTH_BYTES,
		 __builtin_bswap64((uint64_t)len * 8));
	blocks(h, end, n);
	for (unsigned i = 0; i < 8; i++)
		put_le32(out + (size_t)4 * i, __builtin_bswap32(h[i]));
}

static bool is_native(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && (c & CPUID1_ECX_SSE41) &&
	       __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & CPUID7_EBX_SHA);
}

void sha256_plain(const void *data, size_t len, uint8_t out[SHA256_BYTES])
{
	digest(data, len, out, plain_blocks);
}

bool sha256_native(const void *data, size_t len, uint8_t out[SHA256_BYTES])
{
	if (!is_native())
		return false;
	digest(data, len, out, native_blocks);
	return true;
}

void sha256(const void *data, size_t len, uint8_t out[SHA256_BYTES])
{
	if (!sha256_native(data, len, out))
		sha256_plain(data, len, out);
}
