/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Framing follows the QMP specification: input is a stream of JSON values in
 * which line ends mean nothing, and a byte that no JSON text can contain (a
 * control character, or one that UTF-8 never uses, such as 0xFF) brings the
 * reader back to a known state.
 */
#include "vmm/control_json.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "vmm/control.h"

static_assert(CONTROL_DEPTH_MAX <= 64, "struct frame: a bit per level");

static bool is_space(uint8_t b)
{
	return b == ' ' || b == '\t' || b == '\r' || b == '\n';
}

/* RFC 8259, 7 and RFC 3629, 1: bytes that no JSON text contains. */
static bool is_bad(uint8_t b, bool in_string)
{
	if (b < 0x20)
		return in_string || !is_space(b);
	return b == 0xc0 || b == 0xc1 || b >= 0xf5;
}

static enum frame_step frame_drop(struct frame *f, enum frame_step why)
{
	*f = (struct frame){ .skip = why != FRAME_BAD_BYTE };
	return why;
}

static enum frame_step frame_end(struct frame *f, enum frame_step how)
{
	*f = (struct frame){ 0 };
	return how;
}

static enum frame_step frame_string(struct frame *f, uint8_t b)
{
	if (f->escape) {
		f->escape = false;
	} else if (b == '\\') {
		f->escape = true;
	} else if (b == f->quote) {
		f->quote = 0;
		if (!f->depth)
			return frame_end(f, FRAME_END);
	}
	return FRAME_PART;
}

static enum frame_step frame_open(struct frame *f, bool square)
{
	if (f->depth == CONTROL_DEPTH_MAX)
		return frame_drop(f, FRAME_TOO_DEEP);
	f->square &= ~(1ull << f->depth);
	f->square |= (uint64_t)square << f->depth;
	f->depth++;
	return FRAME_PART;
}

/* A bracket that does not match ends the value: the parser will refuse it. */
static enum frame_step frame_close(struct frame *f, bool square)
{
	if (!f->depth || (f->square >> (f->depth - 1) & 1) != square ||
	    !--f->depth)
		return frame_end(f, FRAME_END);
	return FRAME_PART;
}

/* Outside any bracket and string. */
static enum frame_step frame_top(struct frame *f, uint8_t b)
{
	switch (b) {
	case '{': return frame_open(f, false);
	case '[': return frame_open(f, true);
	case '"':
	case '\'': f->quote = b; return FRAME_PART;
	case '}':
	case ']':
	case ':':
	case ',': return frame_end(f, FRAME_END);
	default: f->word = true; return FRAME_PART;
	}
}

static bool ends_word(uint8_t b)
{
	return is_space(b) || strchr("{}[]:,\"'", b);
}

enum frame_step frame_feed(struct frame *f, uint8_t b)
{
	if (f->skip) {
		if (b == '\n' || is_bad(b, false))
			f->skip = false;
		return FRAME_SPACE;
	}
	if (is_bad(b, f->quote))
		return frame_drop(f, FRAME_BAD_BYTE);
	if (f->word && ends_word(b))
		return frame_end(f, FRAME_END_BEFORE);
	if (!f->len && is_space(b))
		return FRAME_SPACE;
	if (f->len == CONTROL_MESSAGE_MAX)
		return frame_drop(f, FRAME_TOO_LONG);
	f->len++;
	if (f->quote)
		return frame_string(f, b);
	if (!f->depth)
		return f->word ? FRAME_PART : frame_top(f, b);
	switch (b) {
	case '{': return frame_open(f, false);
	case '[': return frame_open(f, true);
	case '}': return frame_close(f, false);
	case ']': return frame_close(f, true);
	case '"':
	case '\'': f->quote = b; return FRAME_PART;
	default: return FRAME_PART;
	}
}

/*
 * Rewrites single-quoted strings as JSON's own, and the escape \' as a plain
 * quote. Each byte of text becomes at most two of out.
 */
static size_t standard_quotes(const uint8_t *text, size_t len, char *out)
{
	uint8_t quote = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t b = text[i];

		if (quote && b == '\\' && i + 1 < len) {
			i++;
			if (text[i] != '\'')
				out[n++] = '\\';
			out[n++] = (char)text[i];
		} else if (b == quote || (!quote && (b == '"' || b == '\''))) {
			quote = quote ? 0 : b;
			out[n++] = '"';
		} else {
			if (quote && b == '"')
				out[n++] = '\\';
			out[n++] = (char)b;
		}
	}
	return n;
}

json_t *control_json_parse(const uint8_t *text, size_t len, char *why,
			   size_t cap)
{
	json_error_t error;
	json_t *value;
	char *copy;
	size_t n;

	CHECK(len <= CONTROL_MESSAGE_MAX);
	copy = malloc(2 * len + 1);
	if (!copy) {
		snprintf(why, cap, "out of memory");
		return NULL;
	}
	n = standard_quotes(text, len, copy);
	value = json_loadb(copy, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
			   &error);
	free(copy);
	if (!value)
		snprintf(why, cap, "JSON parse error, %s", error.text);
	return value;
}
