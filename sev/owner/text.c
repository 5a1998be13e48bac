/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text: strict converters between bytes and what people and QMP write.
 */
#include "sev/owner/text.h"

#include <errno.h>

static const char base64_alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int text_hex(const char *s, uint8_t *out, size_t len)
{
	if (strlen(s) != 2 * len)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		int hi = hex_digit(s[2 * i]), lo = hex_digit(s[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return -EINVAL;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return 0;
}

void text_hex_write(char *out, size_t cap, const uint8_t *p, size_t len)
{
	static const char digit[] = "0123456789abcdef";

	CHECK(cap > 2 * len);
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digit[p[i] >> 4];
		out[2 * i + 1] = digit[p[i] & 15];
	}
	out[2 * len] = '\0';
}

static int base64_digit(char c)
{
	const char *at = c ? strchr(base64_alphabet, c) : NULL;

	return at ? (int)(at - base64_alphabet) : -1;
}

/*
 * Bits are collected six at a time and leave eight at a time; a byte is
 * written only after the characters it came from were read, so in place works.
 */
int text_base64(const char *in, size_t in_len, uint8_t *out, size_t cap,
		size_t *len)
{
	uint32_t bits = 0;
	size_t chars = 0, pads = 0, n = 0;
	unsigned have = 0;

	for (size_t i = 0; i < in_len; i++) {
		char c = in[i];
		int digit = base64_digit(c);

		if (c == '\n' || c == '\r')
			continue;
		chars++;
		if (c == '=' && ++pads <= 2)
			continue;
		if (digit < 0 || pads)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)digit;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		if (n == cap)
			return -E2BIG;
		out[n++] = (uint8_t)(bits >> have);
		bits &= (1u << have) - 1;
	}
	/* Padding must fit what is left over, and what is left over be zero. */
	if (chars == 0 || chars % 4 || have != 2 * pads || bits)
		return -EINVAL;
	*len = n;
	return 0;
}

void text_base64_write(char *out, size_t cap, const uint8_t *p, size_t len)
{
	size_t n = 0;

	CHECK(cap >= BASE64_SIZE(len));
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t v = (uint32_t)p[i] << 16;

		if (left > 1)
			v |= (uint32_t)p[i + 1] << 8;
		if (left > 2)
			v |= p[i + 2];
		out[n++] = base64_alphabet[v >> 18];
		out[n++] = base64_alphabet[v >> 12 & 63];
		out[n++] = left > 1 ? base64_alphabet[v >> 6 & 63] : '=';
		out[n++] = left > 2 ? base64_alphabet[v & 63] : '=';
	}
	out[n] = '\0';
}

/* Where byte i of a GUID stands in its 36 characters. */
static const uint8_t guid_at[GUID_LEN] = {
	6, 4, 2, 0, 11, 9, 16, 14, 19, 21, 24, 26, 28, 30, 32, 34,
};

int text_guid(const char *s, uint8_t out[GUID_LEN])
{
	if (strlen(s) != GUID_TEXT - 1 || s[8] != '-' || s[13] != '-' ||
	    s[18] != '-' || s[23] != '-')
		return -EINVAL;
	for (size_t i = 0; i < GUID_LEN; i++) {
		int hi = hex_digit(s[guid_at[i]]);
		int lo = hex_digit(s[guid_at[i] + 1]);

		if (hi < 0 || lo < 0)
			return -EINVAL;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return 0;
}

void text_guid_write(char out[GUID_TEXT], const uint8_t guid[GUID_LEN])
{
	memset(out, '-', GUID_TEXT - 1);
	out[GUID_TEXT - 1] = '\0';
	for (size_t i = 0; i < GUID_LEN; i++) {
		char two[3];

		text_hex_write(two, sizeof(two), guid + i, 1);
		out[guid_at[i]] = two[0];
		out[guid_at[i] + 1] = two[1];
	}
}

int text_number(const char *s, uint64_t max, uint64_t *out)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
	uint64_t base = hex ? 16 : 10, v = 0;

	if (hex)
		s += 2;
	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		int digit = hex_digit(*s);

		if (digit < 0 || (uint64_t)digit >= base)
			return -EINVAL;
		if (!mul_u64(v, base, &v) || !add_u64(v, (uint64_t)digit, &v) ||
		    v > max)
			return -ERANGE;
	}
	*out = v;
	return 0;
}
