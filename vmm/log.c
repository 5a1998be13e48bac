/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log: formats a line on the stack, makes it printable, writes it once. The
 * only file of the VMM with mutable state at file scope: the program's name.
 */
#include "vmm/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

/* Longer lines are cut: a guest that logs must not fill a terminal. */
#define LINE_MAX_BYTES 1024
#define CUT "..."

static const char *program = "carrel";

void log_program(const char *name)
{
	program = name;
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
	l->text[l->n++] = '\n';
}

/* errno survives, so that a caller may log first and return -errno after. */
static void PRINTF_LIKE(2, 0)
	log_line(const char *level, const char *fmt, va_list ap)
{
	char text[LINE_MAX_BYTES];
	struct line l = { .n = 0 };
	const int saved = errno;
	ssize_t done;

	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	line_add(&l, program);
	line_add(&l, level);
	line_add(&l, text);
	line_end(&l);
	done = write(STDERR_FILENO, l.text, l.n);
	(void)done; /* nobody is left to tell */
	errno = saved;
}

void log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(": ", fmt, ap);
	va_end(ap);
}

void log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(": warning: ", fmt, ap);
	va_end(ap);
}

void log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(": ", fmt, ap);
	va_end(ap);
}
