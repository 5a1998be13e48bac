/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control_json: where one JSON value ends in a client's byte stream, and what
 * it says. The framer looks at one byte at a time and keeps a few words of
 * state, so a hostile stream costs nothing but its own bytes; only a complete,
 * bounded value ever reaches the JSON parser.
 */
#ifndef CARREL_VMM_CONTROL_JSON_H
#define CARREL_VMM_CONTROL_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "vmm/num.h"

/* What became of the byte that was fed. */
enum frame_step {
	FRAME_SPACE, /* belongs to no value */
	FRAME_PART, /* belongs to a value that goes on */
	FRAME_END, /* is the last byte of a value */
	FRAME_END_BEFORE, /* the value ended before it: feed it again */
	FRAME_BAD_BYTE, /* cannot occur in JSON: the value is dropped */
	FRAME_TOO_DEEP, /* over a limit: the value is dropped, with */
	FRAME_TOO_LONG, /* what follows it up to the end of its line */
};

struct frame {
	uint64_t square; /* bit per open level: '[', not '{' */
	unsigned depth;
	uint8_t quote; /* inside a string: its quote; else 0 */
	bool escape; /* the last byte of the string was a backslash */
	bool word; /* inside a number, a keyword or garbage */
	bool skip; /* dropping the rest of a line */
	size_t len; /* bytes of the value so far */
};

enum frame_step frame_feed(struct frame *f, uint8_t byte);

/*
 * Parses one framed value, single-quoted strings included (QMP's extension).
 * NULL, with why filled: it is not JSON, or repeats a key. New reference.
 */
json_t *control_json_parse(const uint8_t *text, size_t len, char *why,
			   size_t cap) MUST_USE;

#endif
