/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timeline_svg: a picture with two parts, one below the other, each with a
 * scale of its own: until the guest runs, and from there on. What has the same
 * name is in one row. Waits, which may take hours, have a fixed width. Only
 * what report_take or report_parse has made printable is written as text.
 */
#include "vmm/timeline_report.h"

#include "vmm/clock.h"

#define WIDTH 960.0
#define BAR_X 256.0 /* where time begins */
#define BAR_W 500.0
#define ROW_H 18.0
#define HEAD_H 62.0 /* of the picture */
#define PART_H 62.0 /* of a part, without its rows */
#define WAIT_W 40.0
#define WAITS_MAX 8 /* that are drawn short, in a part */
#define TICKS_MAX 6

struct wait {
	uint64_t start_ns, end_ns;
};

/* A part: a stretch of time, and the rows that are drawn in it. */
struct part {
	const struct report *r;
	uint64_t from_ns, to_ns;
	bool guest;
	struct wait wait[WAITS_MAX];
	size_t n_waits;
	uint64_t waited_ns;
	size_t first[REPORT_ROWS]; /* of each row of the picture */
	size_t n;
};

static void put_text(FILE *f, const char *text)
{
	for (; *text; text++)
		switch (*text) {
		case '&': fputs("&amp;", f); break;
		case '<': fputs("&lt;", f); break;
		case '>': fputs("&gt;", f); break;
		case '"': fputs("&quot;", f); break;
		case '\'': fputs("&#39;", f); break;
		default: fputc(*text, f);
		}
}

static bool same(const struct report_row *a, const struct report_row *b)
{
	return a->lane == b->lane && a->span == b->span &&
	       !strcmp(a->name, b->name) && !strcmp(a->what, b->what);
}

static bool belongs(const struct part *p, const struct report_row *row)
{
	bool late = p->r->entry_ns && row->start_ns >= p->r->entry_ns;

	if (row->lane == TIMELINE_GUEST)
		return p->guest;
	return row->lane == TIMELINE_PSP ? !p->guest : late == p->guest;
}

static void collect_lane(struct part *p, unsigned lane)
{
	const struct report *r = p->r;

	for (size_t i = 0; i < r->n; i++) {
		bool known = r->row[i].lane != lane || !belongs(p, &r->row[i]);

		for (size_t k = 0; !known && k < p->n; k++)
			known = same(&r->row[p->first[k]], &r->row[i]);
		if (!known)
			p->first[p->n++] = i;
	}
}

/* Lane by lane, whose part it is first; within one as they come. */
static void collect_rows(struct part *p)
{
	for (unsigned k = 0; k < TIMELINE_LANES; k++)
		collect_lane(p, p->guest ? TIMELINE_LANES - 1 - k : k);
}

static void part_open(struct part *p, const struct report *r, bool guest)
{
	uint64_t entry = r->entry_ns ? r->entry_ns : r->now_ns;

	*p = (struct part){ .r = r,
			    .guest = guest,
			    .from_ns = guest ? entry : 0,
			    .to_ns = guest ? r->now_ns : entry };
	for (size_t i = 0; i < r->n && p->n_waits < WAITS_MAX; i++) {
		const struct report_row *row = &r->row[i];
		uint64_t from = max_u64(row->start_ns, p->from_ns);
		uint64_t to =
			min_u64(row->start_ns + row->duration_ns, p->to_ns);

		if (!report_waits(row) || from >= to || !belongs(p, row))
			continue;
		p->wait[p->n_waits++] = (struct wait){ from, to };
		p->waited_ns += to - from;
	}
	collect_rows(p);
}

/* Time without waits, from the beginning of the part to at. */
static uint64_t active(const struct part *p, uint64_t at)
{
	uint64_t a = min_u64(max_u64(at, p->from_ns), p->to_ns) - p->from_ns;

	for (size_t i = 0; i < p->n_waits; i++)
		if (at > p->wait[i].start_ns)
			a -= min_u64(a, min_u64(at, p->wait[i].end_ns) -
						p->wait[i].start_ns);
	return a;
}

static double scale(const struct part *p)
{
	uint64_t all = active(p, p->to_ns);

	return all ? (BAR_W - WAIT_W * (double)p->n_waits) / (double)all : 0;
}

static double place(const struct part *p, uint64_t at)
{
	double x = BAR_X + (double)active(p, at) * scale(p);

	for (size_t i = 0; i < p->n_waits; i++) {
		const struct wait *w = &p->wait[i];
		uint64_t in = min_u64(max_u64(at, w->start_ns), w->end_ns) -
			      w->start_ns;

		x += WAIT_W * (double)in / (double)(w->end_ns - w->start_ns);
	}
	return x;
}

/* 1, 2 or 5 times a power of ten, for a few lines. */
static uint64_t tick_step(uint64_t all)
{
	static const unsigned m[] = { 1, 2, 5 };
	uint64_t step = 1;

	for (uint64_t ten = 1; ten < REPORT_NS_MAX; ten *= 10)
		for (size_t i = 0; i < ARRAY_LEN(m); i++) {
			step = ten * m[i];
			if (all / step < TICKS_MAX)
				return step;
		}
	return step;
}

static void put_axis(FILE *f, const struct part *p, double y)
{
	uint64_t all = active(p, p->to_ns), step = tick_step(all);
	char text[REPORT_TIME];

	for (uint64_t a = 0; a <= all; a += step) {
		double x = BAR_X + (double)a * scale(p);

		for (size_t i = 0; i < p->n_waits; i++)
			if (active(p, p->wait[i].start_ns) < a)
				x += WAIT_W;
		report_time(text, sizeof(text), a);
		fprintf(f,
			"<path class=\"g\" d=\"M%.1f %.1fv%.1f\"/>"
			"<text class=\"s m\" x=\"%.1f\" y=\"%.1f\">%s</text>\n",
			x, y, ROW_H * (double)p->n + 4, x, y - 5, text);
	}
}

static void put_hover(FILE *f, const struct report_row *row)
{
	const char *about = report_about(row->name);
	char at[REPORT_TIME], took[REPORT_TIME];

	report_time(at, sizeof(at), row->start_ns);
	report_time(took, sizeof(took), row->duration_ns);
	fputs("<title>", f);
	put_text(f, row->name);
	if (row->what[0]) {
		fputs(" (", f);
		put_text(f, row->what);
		fputc(')', f);
	}
	fprintf(f, ": at %s", at);
	if (row->span)
		fprintf(f, ", %s", took);
	if (row->bytes)
		fprintf(f, ", %llu bytes", (unsigned long long)row->bytes);
	fprintf(f, ", after %llu exits%s", (unsigned long long)row->exits,
		row->failed ? ", failed" : "");
	if (about) {
		fputs(": ", f);
		put_text(f, about);
	}
	fputs("</title>", f);
}

static const char *class_of(const struct report_row *row)
{
	static const char *const lanes[TIMELINE_LANES] = { "h", "p", "v" };

	if (row->failed)
		return "x";
	return report_waits(row) ? "w" : lanes[row->lane];
}

static void put_mark(FILE *f, const struct part *p,
		     const struct report_row *row, double y)
{
	double x = place(p, row->start_ns);
	double w = place(p, row->start_ns + row->duration_ns) - x;

	fprintf(f, "<g class=\"%s\">", class_of(row));
	put_hover(f, row);
	if (row->span)
		fprintf(f,
			"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
			"height=\"12\" rx=\"1.5\"/></g>\n",
			x, y + 3, w > 1.5 ? w : 1.5);
	else
		fprintf(f, "<path d=\"M%.1f %.1fl5 5-5 5-5-5z\"/></g>\n", x,
			y + 4);
}

static void put_row(FILE *f, const struct part *p, size_t at, double y)
{
	const struct report *r = p->r;
	const struct report_row *row = &r->row[p->first[at]];
	uint64_t sum = 0;
	char took[REPORT_TIME];
	size_t n = 0;

	fprintf(f, "<text x=\"24\" y=\"%.1f\">", y + 13);
	put_text(f, row->name);
	if (row->what[0]) {
		fputs(" <tspan class=\"s\">", f);
		put_text(f, row->what);
		fputs("</tspan>", f);
	}
	fputs("</text>\n", f);
	for (size_t i = p->first[at]; i < r->n; i++) {
		if (!same(row, &r->row[i]) || !belongs(p, &r->row[i]))
			continue;
		put_mark(f, p, &r->row[i], y);
		sum += r->row[i].duration_ns;
		n++;
	}
	report_time(took, sizeof(took),
		    row->span ? sum
			      : row->start_ns -
					min_u64(row->start_ns, p->from_ns));
	fprintf(f, "<text class=\"e%s\" x=\"846\" y=\"%.1f\">%s%s",
		row->span ? "" : " s", y + 13, row->span ? "" : "at ", took);
	if (n > 1)
		fprintf(f, " (%zu)", n);
	fprintf(f,
		"</text><text class=\"e s\" x=\"936\" y=\"%.1f\">%llu</text>\n",
		y + 13, (unsigned long long)row->exits);
}

static double put_part(FILE *f, const struct part *p, double y)
{
	char all[REPORT_TIME], waited[REPORT_TIME];
	bool due = p->guest && !p->r->entry_ns;

	if (!p->n || due)
		return y;
	report_time(all, sizeof(all), active(p, p->to_ns));
	report_time(waited, sizeof(waited), p->waited_ns);
	fprintf(f, "<text class=\"b\" x=\"24\" y=\"%.1f\">%s: %s", y + 18,
		p->guest	 ? "The guest"
		: p->r->entry_ns ? "Until the guest runs"
				 : "The guest has not run",
		all);
	if (p->n_waits)
		fprintf(f, ", and %s of waiting", waited);
	fprintf(f,
		"</text><text class=\"e s\" x=\"936\" y=\"%.1f\">exits so far"
		"</text>\n",
		y + 36);
	y += PART_H - 16;
	put_axis(f, p, y);
	for (size_t i = 0; i < p->n; i++, y += ROW_H)
		put_row(f, p, i, y);
	return y + 16;
}

static void put_head(FILE *f, const struct report *r, double height)
{
	fprintf(f,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" "
		"height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\">\n"
		"<style>\n"
		"text{font:12px system-ui,sans-serif;fill:#1f2328}"
		".b{font-weight:600;font-size:14px}.t{font-size:17px}"
		".s{fill:#6e7781;font-size:11px}.m{text-anchor:middle}"
		".e{text-anchor:end}.k{fill:#fff}.g{stroke:#d8dee4}"
		".h{fill:#3b78b8}.p{fill:#a1569c}.v{fill:#3f9142}"
		".w{fill:#b8bfc6}.x{fill:#d1242f}\n"
		"@media(prefers-color-scheme:dark){text{fill:#e6edf3}"
		".s{fill:#8d96a0}.k{fill:#0d1117}.g{stroke:#30363d}"
		".h{fill:#539bf5}.p{fill:#c77dc2}.v{fill:#57ab5a}"
		".w{fill:#545d68}.x{fill:#f47067}}\n"
		"</style>\n"
		"<rect class=\"k\" width=\"%.0f\" height=\"%.0f\" rx=\"6\"/>\n"
		"<text class=\"b t\" x=\"24\" y=\"34\">",
		WIDTH, height, WIDTH, height, WIDTH, height);
	fputs(r->vm[0] ? "Time line of " : "Time line", f);
	put_text(f, r->vm);
	fputs("</text>\n", f);
}

static void put_legend(FILE *f)
{
	static const struct {
		const char *class, *text;
	} t[] = { { "h", "carrel" },
		  { "p", "secure processor" },
		  { "v", "guest" },
		  { "w", "waiting (not to scale)" } };
	const double x[] = { 520, 592, 716, 776 };

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		fprintf(f,
			"<rect class=\"%s\" x=\"%.0f\" y=\"24\" width=\"10\" "
			"height=\"10\" rx=\"1.5\"/><text class=\"s\" "
			"x=\"%.0f\" y=\"33\">%s</text>\n",
			t[i].class, x[i], x[i] + 15, t[i].text);
}

void report_svg(FILE *f, const struct report *r)
{
	struct part start, guest;
	double y = HEAD_H, rows;

	part_open(&start, r, false);
	part_open(&guest, r, true);
	rows = (double)start.n * ROW_H;
	if (r->entry_ns)
		rows += (double)guest.n * ROW_H + PART_H;
	put_head(f, r, HEAD_H + PART_H + rows + (r->dropped ? ROW_H : 0));
	put_legend(f);
	y = put_part(f, &start, y);
	y = put_part(f, &guest, y);
	if (r->dropped)
		fprintf(f,
			"<text class=\"s\" x=\"24\" y=\"%.1f\">%llu more marks "
			"had no room in the table.</text>\n",
			y + 13, (unsigned long long)r->dropped);
	fputs("</svg>\n", f);
}
