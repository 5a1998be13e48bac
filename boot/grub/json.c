/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * json: RFC 8259, less what LUKS2 never writes: escapes are skipped over but
 * not decoded, fractions and exponents are no numbers.
 */
#include "boot/grub/json.h"

/* LUKS2 needs five levels. */
enum { DEPTH_MAX = 16 };

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void advance(struct json *in, size_t n)
{
	in->p += n;
	in->len -= n;
}

static void skip_space(struct json *in)
{
	while (in->len && is_space(*in->p))
		advance(in, 1);
}

static bool take(struct json *in, char c)
{
	skip_space(in);
	if (!in->len || *in->p != c)
		return false;
	advance(in, 1);
	return true;
}

static bool skip_string(struct json *in)
{
	if (!take(in, '"'))
		return false;
	while (in->len && *in->p != '"') {
		if ((unsigned char)*in->p < 0x20)
			return false;
		if (*in->p == '\\') {
			if (in->len < 2)
				return false;
			advance(in, 1);
		}
		advance(in, 1);
	}
	return take(in, '"');
}

/* A number, true, false or null: their letters are not looked at here. */
static bool skip_word(struct json *in)
{
	size_t n = 0;

	while (n < in->len &&
	       ((in->p[n] >= '0' && in->p[n] <= '9') || in->p[n] == '-' ||
		(in->p[n] >= 'a' && in->p[n] <= 'z')))
		n++;
	advance(in, n);
	return n;
}

static bool skip_value(struct json *in, int depth);

/* What is between the brackets: members of an object, elements of an array. */
static bool skip_inside(struct json *in, char close, int depth)
{
	if (take(in, close))
		return true;
	do {
		if (close == '}' && !(skip_string(in) && take(in, ':')))
			return false;
		if (!skip_value(in, depth))
			return false;
	} while (take(in, ','));
	return take(in, close);
}

static bool skip_value(struct json *in, int depth)
{
	if (!depth)
		return false;
	skip_space(in);
	if (!in->len)
		return false;
	if (take(in, '{'))
		return skip_inside(in, '}', depth - 1);
	if (take(in, '['))
		return skip_inside(in, ']', depth - 1);
	return *in->p == '"' ? skip_string(in) : skip_word(in);
}

static bool take_value(struct json *in, struct json *value)
{
	skip_space(in);
	*value = *in;
	if (!skip_value(in, DEPTH_MAX))
		return false;
	value->len -= in->len;
	return true;
}

bool json_document(const char *text, size_t len, struct json *out)
{
	struct json in = { text, len };

	if (!take_value(&in, out))
		return false;
	skip_space(&in);
	return !in.len;
}

bool json_next(struct json *in, struct json *name, struct json *value)
{
	/* The first time the bracket is still there, later a comma. */
	if (!take(in, '{') && !take(in, '[') && !take(in, ','))
		return false;
	*name = (struct json){ in->p, 0 };
	if (!take_value(in, value))
		return false;
	if (!take(in, ':'))
		return true;
	/* A member of an object, then: what was read is its name. */
	*name = *value;
	return take_value(in, value);
}

bool json_member(struct json object, const char *name, struct json *value)
{
	struct json key, one;
	bool found = false;

	if (!object.len || *object.p != '{')
		return false;
	while (json_next(&object, &key, &one)) {
		if (!json_is(key, name))
			continue;
		if (found)
			return false;
		*value = one;
		found = true;
	}
	return found;
}

bool json_text(struct json value, struct json *text)
{
	if (value.len < 2 || *value.p != '"' || value.p[value.len - 1] != '"')
		return false;
	*text = (struct json){ value.p + 1, value.len - 2 };
	for (size_t i = 0; i < text->len; i++)
		if (text->p[i] == '\\')
			return false;
	return true;
}

bool json_is(struct json value, const char *word)
{
	struct json text;
	size_t i;

	if (!json_text(value, &text))
		return false;
	for (i = 0; i < text.len && word[i]; i++)
		if (text.p[i] != word[i])
			return false;
	return i == text.len && !word[i];
}

bool json_number(struct json value, uint64_t *out)
{
	struct json digits = value;
	uint64_t n = 0;

	if (value.len && *value.p == '"' && !json_text(value, &digits))
		return false;
	if (!digits.len || digits.len > 19)
		return false;
	for (size_t i = 0; i < digits.len; i++) {
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(digits.p[i] - '0');
	}
	*out = n;
	return true;
}

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool json_base64(struct json value, uint8_t *out, size_t room, size_t *len)
{
	unsigned int bits = 0, have = 0;
	struct json text;
	size_t n = 0;
	int digit;

	if (!json_text(value, &text) || text.len % 4)
		return false;
	for (int pad = 0; pad < 2 && text.len; pad++)
		if (text.p[text.len - 1] == '=')
			text.len--;
	for (size_t i = 0; i < text.len; i++) {
		digit = base64_digit(text.p[i]);
		if (digit < 0)
			return false;
		bits = bits << 6 | (unsigned int)digit;
		have += 6;
		if (have < 8)
			continue;
		if (n == room)
			return false;
		have -= 8;
		out[n++] = (uint8_t)(bits >> have);
		bits &= (1u << have) - 1;
	}
	*len = n;
	return true;
}
