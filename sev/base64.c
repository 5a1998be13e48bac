/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See the header. Characters are taken in groups of four, so what may follow
 * what is decided in one place, group_decode.
 */
#include "sev/base64.h"

#include <errno.h>

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int digit_of(char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

static bool is_space(char c)
{
	return c == '\n' || c == '\r' || c == ' ' || c == '\t';
}

/* Four characters into 1 to 3 bytes: how many, or -EINVAL. */
static int group_decode(const char group[4], uint8_t out[3])
{
	int pads = group[3] != '=' ? 0 : group[2] != '=' ? 1 : 2;
	uint32_t bits = 0;

	for (int i = 0; i < 4; i++) {
		int digit = i < 4 - pads ? digit_of(group[i]) : 0;

		if (digit < 0)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)digit;
	}
	/* RFC 4648, 3.5: bits that no byte uses are zero. */
	if (bits & ((1u << 8 * pads) - 1))
		return -EINVAL;
	out[0] = (uint8_t)(bits >> 16);
	out[1] = (uint8_t)(bits >> 8);
	out[2] = (uint8_t)bits;
	return 3 - pads;
}

int base64_decode(const char *text, size_t text_len, uint8_t *out, size_t cap,
		  size_t *len)
{
	size_t n = 0, have = 0;
	bool ended = false;
	char group[4];

	for (size_t i = 0; i < text_len; i++) {
		uint8_t bytes[3];
		int got;

		if (is_space(text[i]))
			continue;
		if (ended)
			return -EINVAL;
		group[have++] = text[i];
		if (have < 4)
			continue;
		have = 0;
		got = group_decode(group, bytes);
		if (got < 0)
			return -EINVAL;
		ended = got < 3;
		if (!range_ok(n, (size_t)got, cap))
			return -E2BIG;
		bytes_copy(out + n, cap - n, bytes, (size_t)got);
		n += (size_t)got;
	}
	if (have || !n)
		return -EINVAL;
	*len = n;
	return 0;
}

void base64_encode(const uint8_t *bytes, size_t len, char *text, size_t cap)
{
	size_t n = 0;

	CHECK(cap >= BASE64_SIZE(len));
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t bits = (uint32_t)bytes[i] << 16;

		if (left > 1)
			bits |= (uint32_t)bytes[i + 1] << 8;
		if (left > 2)
			bits |= bytes[i + 2];
		text[n++] = alphabet[bits >> 18];
		text[n++] = alphabet[bits >> 12 & 63];
		text[n++] = left > 1 ? alphabet[bits >> 6 & 63] : '=';
		text[n++] = left > 2 ? alphabet[bits & 63] : '=';
	}
	text[n] = '\0';
}
