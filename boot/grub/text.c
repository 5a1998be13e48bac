/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * text: RFC 3629, 4.
 */
#include "boot/grub/text.h"

/* How many bytes a character takes that begins with this one; 0: none does. */
static size_t char_len(uint8_t first)
{
	if (first < 0x80)
		return first == '\t' || first == '\n' || first == '\r' ||
		       (first >= ' ' && first < 0x7f);
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/* The second byte of these says more than that it goes on. */
static bool second_fits(uint8_t first, uint8_t second)
{
	switch (first) {
	case 0xe0: return second >= 0xa0;
	case 0xed: return second < 0xa0;
	case 0xf0: return second >= 0x90;
	case 0xf4: return second < 0x90;
	default: return true;
	}
}

bool text_is_whole(const uint8_t *p, size_t len)
{
	size_t n;

	for (; len; p += n, len -= n) {
		n = char_len(*p);
		if (!n || n > len)
			return false;
		for (size_t i = 1; i < n; i++)
			if ((p[i] & 0xc0) != 0x80)
				return false;
		if (n > 1 && !second_fits(p[0], p[1]))
			return false;
	}
	return true;
}
