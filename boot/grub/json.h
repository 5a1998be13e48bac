/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * json: reads the JSON of a LUKS2 header where it lies, without a copy and
 * without an allocation. The text is the host's; a value is only handed out
 * once all of it was seen to be well-formed.
 */
#ifndef CARREL_GRUB_JSON_H
#define CARREL_GRUB_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of text: a whole document, or one value in it. */
struct json {
	const char *p;
	size_t len;
};

/* The one value of the text, with nothing but white space around it. */
bool json_document(const char *text, size_t len, struct json *out);

/*
 * Takes the next member off an object, or the next element off an array (with
 * *name empty). *in starts as the value itself; false at the end.
 */
bool json_next(struct json *in, struct json *name, struct json *value);

/* The member of that name; false if there is none, or it is there twice. */
bool json_member(struct json object, const char *name, struct json *value);

/* A string that is exactly this; a string with an escape in it is none. */
bool json_is(struct json value, const char *word);

/* The inside of a string without escapes. */
bool json_text(struct json value, struct json *text);

/* A whole number, written as one or, as LUKS2 does, as a string of digits. */
bool json_number(struct json value, uint64_t *out);

/* A string of base64; false if it is none or does not fit into room bytes. */
bool json_base64(struct json value, uint8_t *out, size_t room, size_t *len);

#endif
