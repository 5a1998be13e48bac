/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text: strict converters between bytes and what people and QMP write.
 */
#include "sev/owner/text.h"

#include <errno.h>

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
