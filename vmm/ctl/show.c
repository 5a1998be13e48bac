/* SPDX-License-Identifier: Apache-2.0 */
/*
 * show: see the header.
 */
#include "vmm/ctl/show.h"

#include <stdlib.h>
#include <time.h>

#define INDENT 2

static bool printable(char c)
{
	return c >= 0x20 && c < 0x7f;
}

void show_text(FILE *f, const char *text)
{
	for (const char *p = text ? text : "-"; *p; p++)
		if (printable(*p))
			fputc(*p, f);
		else
			fprintf(f, "\\x%02x", (unsigned char)*p);
}

void show_json(FILE *f, const json_t *v, bool pretty)
{
	char *text = json_dumps(
		v, JSON_ENSURE_ASCII | JSON_ENCODE_ANY |
			   (pretty ? JSON_INDENT(INDENT) : JSON_COMPACT));

	/* JSON leaves DEL as it is, and the indentation has line ends. */
	for (const char *p = text ? text : "null"; *p; p++)
		if (*p == 0x7f)
			fputs("\\u007f", f);
		else
			fputc(*p, f);
	fputc('\n', f);
	free(text);
}

uint64_t show_number(const json_t *o, const char *key)
{
	json_int_t v = json_integer_value(json_object_get(o, key));

	return v > 0 ? (uint64_t)v : 0;
}

const char *show_string(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void show_time(FILE *f, const json_t *stamp)
{
	time_t when = (time_t)show_number(stamp, "seconds");
	struct tm tm;
	char text[32];

	if (!localtime_r(&when, &tm) ||
	    !strftime(text, sizeof(text), "%F %T", &tm))
		text[0] = '\0';
	fprintf(f, "%s.%06u", text,
		(unsigned)(show_number(stamp, "microseconds") % 1000000));
}

void show_event(FILE *f, const json_t *event)
{
	json_t *data = json_object_get(event, "data"), *v;
	const char *key;

	show_time(f, json_object_get(event, "timestamp"));
	fputc(' ', f);
	show_text(f, show_string(event, "event"));
	json_object_foreach (data, key, v) {
		char *text = NULL;

		fputc(' ', f);
		show_text(f, key);
		fputc('=', f);
		if (!json_is_string(v))
			text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
		show_text(f, text ? text : json_string_value(v));
		free(text);
	}
	fputc('\n', f);
}
