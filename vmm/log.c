/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log: formats a line on the stack, makes it printable, writes it once. The
 * only file of the VMM with mutable state at file scope: what lines look like.
 */
#include "vmm/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* Longer lines are cut: a guest that logs must not fill a terminal. */
#define LINE_MAX_BYTES 1024
#define CUT "..."

#define JSON_HEAD_BYTES 256 /* all members but the message */

enum level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_INFO };

static const char *program = "carrel";
static const char *vm_name;
static bool json;

void log_program(const char *name)
{
	program = name;
}

void log_json(const char *vm)
{
	json = true;
	vm_name = vm;
}

struct line {
	char text[LINE_MAX_BYTES];
	size_t n;
	bool cut; /* something did not fit: nothing is added any more */
};

/* Room for the mark of a cut and the newline is always kept. */
static bool line_room(const struct line *l, size_t len)
{
	return range_ok(l->n, len, sizeof(l->text) - sizeof(CUT));
}

/*
 * Appends one byte, as \xNN unless printable ASCII: escape sequences of a
 * guest must not reach the terminal, and its \n must not forge a line.
 */
static void line_byte(struct line *l, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	const bool plain = c >= 0x20 && c < 0x7f;

	if (l->cut || !line_room(l, plain ? 1 : 4)) {
		l->cut = true;
		return;
	}
	if (plain) {
		l->text[l->n++] = (char)c;
		return;
	}
	l->text[l->n++] = '\\';
	l->text[l->n++] = 'x';
	l->text[l->n++] = hex[c >> 4];
	l->text[l->n++] = hex[c & 15];
}

static void line_add(struct line *l, const char *text)
{
	while (*text && !l->cut)
		line_byte(l, (unsigned char)*text++);
}

static void line_end(struct line *l)
{
	if (l->cut)
		for (const char *c = CUT; *c; c++)
			l->text[l->n++] = *c;
}

static void put(const char *bytes, size_t len)
{
	ssize_t done = write(STDERR_FILENO, bytes, len);

	(void)done; /* nobody is left to tell */
}

static void put_text(enum level level, const char *text)
{
	struct line l = { .n = 0 };

	line_add(&l, program);
	line_add(&l, level == LEVEL_WARNING ? ": warning: " : ": ");
	line_add(&l, text);
	line_end(&l);
	l.text[l.n++] = '\n';
	put(l.text, l.n);
}

/* Everything but the message's text, whose quotes come last. */
static size_t json_head(char *out, size_t cap, enum level level)
{
	static const char *const levels[] = { "error", "warning", "info" };
	struct timespec now = { 0 };
	struct tm tm = { 0 };
	int n;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &tm);
	n = snprintf(out, cap,
		     "{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%06ldZ\","
		     "\"level\":\"%s\",\"program\":\"%s\"%s%.64s%s,"
		     "\"message\":\"",
		     tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		     tm.tm_min, tm.tm_sec, now.tv_nsec / 1000, levels[level],
		     program, vm_name ? ",\"vm\":\"" : "",
		     vm_name ? vm_name : "", vm_name ? "\"" : "");
	CHECK(n > 0 && (size_t)n < cap);
	return (size_t)n;
}

/* What is printable ASCII needs but two escapes. */
static void put_json(enum level level, const char *text)
{
	static const char end[] = "\"}\n";
	char out[JSON_HEAD_BYTES + 2 * LINE_MAX_BYTES + sizeof(end)];
	size_t n = json_head(out, JSON_HEAD_BYTES, level);
	struct line l = { .n = 0 };

	line_add(&l, text);
	line_end(&l);
	for (size_t i = 0; i < l.n; i++) {
		if (l.text[i] == '"' || l.text[i] == '\\')
			out[n++] = '\\';
		out[n++] = l.text[i];
	}
	bytes_copy(out + n, sizeof(out) - n, end, sizeof(end) - 1);
	put(out, n + sizeof(end) - 1);
}

/* errno survives, so that a caller may log first and return -errno after. */
static void PRINTF_LIKE(2, 0)
	log_line(enum level level, const char *fmt, va_list ap)
{
	char text[LINE_MAX_BYTES];
	const int saved = errno;

	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	if (json)
		put_json(level, text);
	else
		put_text(level, text);
	errno = saved;
}

void log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LEVEL_ERROR, fmt, ap);
	va_end(ap);
}

void log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LEVEL_WARNING, fmt, ap);
	va_end(ap);
}

void log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LEVEL_INFO, fmt, ap);
	va_end(ap);
}
