/* SPDX-License-Identifier: Apache-2.0 */
/*
 * size: see the header. strtoull would take signs, spaces and octal.
 */
#include "vmm/size.h"

unsigned size_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 16;
}

bool size_number(const char *text, const char **end, uint64_t *v)
{
	const unsigned base = text[0] == '0' && text[1] == 'x' ? 16 : 10;
	const char *first = base == 16 ? text + 2 : text, *p = first;
	uint64_t n = 0;

	for (; size_digit(*p) < base; p++)
		if (!mul_u64(n, base, &n) || !add_u64(n, size_digit(*p), &n))
			return false;
	*end = p;
	*v = n;
	return p > first;
}

bool size_parse(const char *text, uint64_t *v)
{
	static const char suffix[] = "KMGT";
	const char *end, *s;
	uint64_t unit = 1;

	if (!size_number(text, &end, v))
		return false;
	if (!*end)
		return true;
	s = strchr(suffix, *end);
	if (!s || end[1])
		return false;
	for (const char *p = suffix; p <= s; p++)
		unit *= KIB;
	return mul_u64(*v, unit, v);
}
