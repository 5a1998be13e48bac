/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timeline: see the header.
 */
#include "vmm/ctl/timeline.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vmm/ctl/show.h"
#include "vmm/log.h"

#define COLUMNS_MIN 60
#define COLUMNS_DEFAULT 80
#define COLUMNS_MAX 500
#define NAME_WIDTH 27
#define FIXED_WIDTH (NAME_WIDTH + 1 + 10 + 10 + 9 + 1) /* all but the bar */
#define EIGHTHS 8

/* Where a row's bar begins and ends, in eighths of a character. */
struct bar {
	uint64_t from, to;
};

static struct bar bar_of(const struct report *r, const struct report_row *row,
			 unsigned width)
{
	const double all = r->now_ns ? (double)r->now_ns : 1;
	const double room = (double)width * EIGHTHS;
	struct bar b;

	b.from = (uint64_t)((double)row->start_ns / all * room);
	b.to = (uint64_t)((double)(row->start_ns + row->duration_ns) / all *
			  room);
	b.from = min_u64(b.from, (uint64_t)width * EIGHTHS - 1);
	b.to = min_u64(max_u64(b.to, b.from + 1), (uint64_t)width * EIGHTHS);
	return b;
}

/* U+2588 down to U+258F are blocks of eight eighths down to one. */
static void put_block(FILE *f, unsigned eighths)
{
	fprintf(f, "\xe2\x96%c", 0x90 - (int)eighths);
}

/*
 * A block is filled from its left, so a bar begins on a whole character, as it
 * does in ASCII, and ends on an eighth.
 */
static void put_bar(FILE *f, struct bar b, bool span, bool unicode)
{
	uint64_t n = b.to - b.from / EIGHTHS * EIGHTHS;

	for (uint64_t i = 0; i < b.from / EIGHTHS; i++)
		fputc(' ', f);
	if (!span) {
		fputs(unicode ? "\xe2\x97\x86" : "*", f);
		return;
	}
	for (; n >= EIGHTHS; n -= EIGHTHS)
		if (unicode)
			put_block(f, EIGHTHS);
		else
			fputc('#', f);
	if (n && unicode)
		put_block(f, (unsigned)n);
	else if (n && b.to - b.from < EIGHTHS)
		fputc('|', f);
}

static void put_name(FILE *f, const struct report_row *row)
{
	static const char *const lanes[TIMELINE_LANES] = { "", "psp ",
							   "guest " };
	char text[2 * REPORT_TEXT + 16];

	snprintf(text, sizeof(text), "%s%s%s%s%s", lanes[row->lane], row->name,
		 row->what[0] ? " " : "", row->what, row->failed ? " !" : "");
	fprintf(f, "%-*.*s ", NAME_WIDTH, NAME_WIDTH, text);
}

static void put_row(FILE *f, const struct report *r,
		    const struct report_row *row, unsigned width, bool unicode)
{
	char at[REPORT_TIME], took[REPORT_TIME] = "";

	report_time(at, sizeof(at), row->start_ns);
	if (row->span)
		report_time(took, sizeof(took), row->duration_ns);
	put_name(f, row);
	fprintf(f, "%10s%10s%9llu ", at, took, (unsigned long long)row->exits);
	put_bar(f, bar_of(r, row, width), row->span, unicode);
	fputc('\n', f);
}

void timeline_table(FILE *f, const struct report *r, unsigned columns,
		    bool unicode)
{
	unsigned width = columns > COLUMNS_MIN ? columns : COLUMNS_MIN;
	char all[REPORT_TIME], waited[REPORT_TIME];

	width = width > FIXED_WIDTH ? width - FIXED_WIDTH : 1;
	fprintf(f, "%-*s %10s%10s%9s\n", NAME_WIDTH, "", "at", "took", "exits");
	for (size_t i = 0; i < r->n; i++)
		put_row(f, r, &r->row[i], width, unicode);
	report_time(all, sizeof(all), r->now_ns);
	report_time(waited, sizeof(waited), r->paused_ns);
	fprintf(f, "%s in all, %s of it waiting or paused; %llu exits\n", all,
		waited, (unsigned long long)r->exits);
	if (r->dropped)
		fprintf(f, "%llu more marks had no room in the table\n",
			(unsigned long long)r->dropped);
}

static unsigned terminal_columns(void)
{
	struct winsize w;
	uint64_t n = 0;
	const char *text = getenv("COLUMNS");

	if (text && decimal_u64(text, COLUMNS_MAX, &n) && n)
		return (unsigned)n;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) && w.ws_col)
		return (unsigned)min_u64(w.ws_col, COLUMNS_MAX);
	return COLUMNS_DEFAULT;
}

/* The picture's file, before anybody is asked for what is to be in it. */
struct picture {
	FILE *f;
	bool made; /* it was not there */
};

static int open_picture(struct picture *p, const char *path)
{
	bool there = !access(path, F_OK);

	p->f = fopen(path, "ae");
	p->made = p->f && !there;
	if (p->f)
		return CTL_OK;
	log_error("--svg %s: %s", path, strerror(errno));
	return CTL_USAGE;
}

static int draw(struct picture *p, const char *path, const struct report *r)
{
	int rc = 0;

	/* A pipe or a terminal cannot be made shorter, and need not. */
	if (ftruncate(fileno(p->f), 0) && errno != EINVAL)
		rc = errno;
	report_svg(p->f, r);
	if (ferror(p->f) && !rc)
		rc = EIO;
	if (fclose(p->f) && !rc)
		rc = errno;
	p->f = NULL;
	if (!rc)
		return CTL_OK;
	log_error("--svg %s: %s", path, strerror(rc));
	return CTL_NO_VM;
}

/* What was there before stays, unless there is a picture to replace it. */
static void close_picture(struct picture *p, const char *path, int status)
{
	if (p->f)
		fclose(p->f);
	if (p->made && status)
		unlink(path);
}

static int show(const struct ctl *c, struct picture *p, const json_t *v)
{
	struct report *r = malloc(sizeof(*r));
	int status = CTL_OK;

	if (!r || report_parse(r, v)) {
		log_error("x-carrel-timeline: the answer is no time line");
		status = CTL_NO_VM;
	} else if (p->f) {
		status = draw(p, c->o.svg, r);
	} else {
		setlocale(LC_CTYPE, "");
		timeline_table(stdout, r, terminal_columns(),
			       !strcmp(nl_langinfo(CODESET), "UTF-8"));
	}
	free(r);
	return status;
}

int verb_timeline(struct ctl *c)
{
	struct picture p = { .f = NULL };
	json_t *ret = NULL;
	int status = c->o.svg ? open_picture(&p, c->o.svg) : CTL_OK;

	if (!status)
		status = verb_ask(c, "x-carrel-timeline", NULL, &ret);
	if (!status && c->o.json)
		show_json(stdout, ret, false);
	if (!status && (!c->o.json || p.f))
		status = show(c, &p, ret);
	close_picture(&p, c->o.svg, status);
	json_decref(ret);
	return status;
}
