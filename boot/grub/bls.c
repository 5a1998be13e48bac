/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bls: lines of a key, white space and a value; '#' begins a comment line.
 */
#include "boot/grub/bls.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void advance(struct bls_text *t, size_t n)
{
	t->p += n;
	t->len -= n;
}

static char first(struct bls_text t)
{
	return t.len ? *t.p : '\0';
}

static void trim(struct bls_text *t)
{
	while (t->len && is_space(*t->p))
		advance(t, 1);
	while (t->len && is_space(t->p[t->len - 1]))
		t->len--;
}

static bool text_is(struct bls_text t, const char *word)
{
	for (; t.len && *word; word++, advance(&t, 1))
		if (*t.p != *word)
			return false;
	return !t.len && !*word;
}

/* Takes a line off the text. */
static struct bls_text line_take(struct bls_text *text)
{
	struct bls_text line = *text;

	line.len = 0;
	while (line.len < text->len && text->p[line.len] != '\n')
		line.len++;
	advance(text, line.len + (line.len < text->len));
	trim(&line);
	return line;
}

static struct bls_text key_take(struct bls_text *line)
{
	struct bls_text key = { line->p, 0 };

	while (key.len < line->len && !is_space(line->p[key.len]))
		key.len++;
	advance(line, key.len);
	trim(line);
	return key;
}

static bool append(struct bls_text *list, int *n, struct bls_text value)
{
	if (*n == BLS_PARTS_MAX)
		return false;
	list[(*n)++] = value;
	return true;
}

/* "initrd" may come many times, and names several files in a line with some. */
static bool initrds_append(struct bls *out, struct bls_text value)
{
	struct bls_text one;

	while (value.len) {
		one = key_take(&value);
		if (!append(out->initrd, &out->initrds, one))
			return false;
	}
	return true;
}

static enum bls_verdict line_parse(struct bls_text line, struct bls *out)
{
	struct bls_text key = key_take(&line);
	bool room = true;

	if (text_is(key, "title"))
		out->title = line;
	else if (text_is(key, "version"))
		out->version = line;
	else if (text_is(key, "linux"))
		out->kernel = line;
	else if (text_is(key, "initrd"))
		room = initrds_append(out, line);
	else if (text_is(key, "options"))
		room = append(out->options, &out->options_n, line);
	else if (text_is(key, "architecture") && !text_is(line, "x64"))
		return BLS_FOREIGN;
	return room ? BLS_FINE : BLS_DAMAGED;
}

enum bls_verdict bls_parse(const char *text, size_t len, struct bls *out)
{
	struct bls_text rest = { text, len }, line;
	enum bls_verdict verdict;

	*out = (struct bls){ 0 };
	for (size_t i = 0; i < len; i++)
		if (!text[i])
			return BLS_DAMAGED;
	while (rest.len) {
		line = line_take(&rest);
		if (!line.len || *line.p == '#')
			continue;
		verdict = line_parse(line, out);
		if (verdict != BLS_FINE)
			return verdict;
	}
	return out->kernel.len ? BLS_FINE : BLS_NO_KERNEL;
}

static int order(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

/* What compares nothing is passed over. */
static void skip_foreign(struct bls_text *t)
{
	char c;

	for (; t->len; advance(t, 1)) {
		c = *t->p;
		if (is_digit(c) || is_letter(c) || c == '~' || c == '-' ||
		    c == '^' || c == '.')
			break;
	}
}

static size_t run(struct bls_text t, bool (*is)(char))
{
	size_t n = 0;

	while (n < t.len && is(t.p[n]))
		n++;
	return n;
}

static int bytes_order(const char *a, const char *b, size_t len)
{
	for (; len; len--, a++, b++)
		if (*a != *b)
			return *a < *b ? -1 : 1;
	return 0;
}

/* Runs of digits by value: without leading zeros, the longer is greater. */
static int digits_take(struct bls_text *a, struct bls_text *b)
{
	size_t na = run(*a, is_digit), nb = run(*b, is_digit);
	int diff = order(na != 0, nb != 0);

	for (; na && *a->p == '0'; na--)
		advance(a, 1);
	for (; nb && *b->p == '0'; nb--)
		advance(b, 1);
	if (!diff)
		diff = order(na, nb);
	if (!diff)
		diff = bytes_order(a->p, b->p, na);
	advance(a, na);
	advance(b, nb);
	return diff;
}

static int letters_take(struct bls_text *a, struct bls_text *b)
{
	size_t na = run(*a, is_letter), nb = run(*b, is_letter);
	int diff = bytes_order(a->p, b->p, na < nb ? na : nb);

	if (!diff)
		diff = order(na, nb);
	advance(a, na);
	advance(b, nb);
	return diff;
}

/* A mark that one of them has and the other does not makes it the lesser. */
static int mark_take(struct bls_text *a, struct bls_text *b, char mark)
{
	if (first(*a) != mark && first(*b) != mark)
		return 0;
	if (first(*a) != mark || first(*b) != mark)
		return first(*a) == mark ? -1 : 1;
	advance(a, 1);
	advance(b, 1);
	return 0;
}

int bls_version_compare(struct bls_text a, struct bls_text b)
{
	static const char marks[] = { '-', '^', '.' };
	int diff;

	for (;;) {
		skip_foreign(&a);
		skip_foreign(&b);
		diff = mark_take(&a, &b, '~');
		if (diff)
			return diff;
		if (!a.len || !b.len)
			return order(a.len != 0, b.len != 0);
		for (size_t i = 0; i < sizeof(marks); i++) {
			diff = mark_take(&a, &b, marks[i]);
			if (diff)
				return diff;
		}
		diff = is_digit(first(a)) || is_digit(first(b))
			       ? digits_take(&a, &b)
			       : letters_take(&a, &b);
		if (diff)
			return diff;
	}
}

bool bls_word(struct bls_text *in, char *out, size_t room)
{
	bool quoted = false;
	size_t n = 0;

	trim(in);
	if (!in->len)
		return false;
	for (; in->len && (quoted || !is_space(*in->p)); advance(in, 1)) {
		if (*in->p == '"') {
			quoted = !quoted;
			continue;
		}
		if (n + 1 >= room)
			return false;
		out[n++] = *in->p;
	}
	out[n] = '\0';
	return true;
}
