/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timeline_report_test: JSON of a VM that lies, and pictures of names that
 * would be markup. Whether a picture is well-formed is xmllint's word.
 */
#include "vmm/timeline_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static struct report r, again;

static int parse(const char *text)
{
	json_t *v = json_loads(text, 0, NULL);
	int rc;

	assert_non_null(v);
	rc = report_parse(&r, v);
	json_decref(v);
	return rc;
}

static void refused(void **state)
{
	static const char *const t[] = {
		"{}",
		"[]",
		"{\"marks\": 1}",
		"{\"marks\": {\"lane\": \"host\"}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_int_equal(parse(t[i]), -EPROTO);
}

#define ROW(members) "{\"now-ns\": 1000, \"marks\": [" members "]}"
#define HUGE "9223372036854775807"

/* Members that make no sense, and what is made of them. */
static void bounded(void **state)
{
	static const struct {
		const char *json;
		size_t n;
		uint64_t start, duration;
		const char *name;
	} t[] = {
		{ ROW(""), 0, 0, 0, "" },
		{ ROW("1, \"x\", [], {}, null"), 0, 0, 0, "" },
		{ ROW("{\"lane\": \"moon\", \"name\": \"x\"}"), 0, 0, 0, "" },
		{ ROW("{\"lane\": 1, \"name\": \"x\"}"), 0, 0, 0, "" },
		{ ROW("{\"lane\": \"host\"}"), 1, 0, 0, "" },
		{ ROW("{\"lane\": \"host\", \"name\": 5}"), 1, 0, 0, "" },
		{ ROW("{\"lane\": \"psp\", \"name\": \"a\", \"start-ns\": -5, "
		      "\"duration-ns\": -5}"),
		  1, 0, 0, "a" },
		{ ROW("{\"lane\": \"psp\", \"name\": \"a\", \"start-ns\": " HUGE
		      ", \"duration-ns\": " HUGE "}"),
		  1, 1000, 0, "a" },
		{ ROW("{\"lane\": \"psp\", \"name\": \"a\", \"start-ns\": 400, "
		      "\"duration-ns\": " HUGE "}"),
		  1, 400, 600, "a" },
		{ ROW("{\"lane\": \"guest\", \"name\": "
		      "\"\\u001b[2J\\u00e9\\nx\"}"),
		  1, 0, 0, "?[2J???x" },
		{ ROW("{\"lane\": \"guest\", \"name\": "
		      "\"0123456789012345678901234567890123456789\"}"),
		  1, 0, 0, "0123456789012345678901234567890" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		assert_int_equal(parse(t[i].json), 0);
		assert_int_equal(r.n, t[i].n);
		if (!r.n)
			continue;
		assert_int_equal(r.row[0].start_ns, t[i].start);
		assert_int_equal(r.row[0].duration_ns, t[i].duration);
		assert_string_equal(r.row[0].name, t[i].name);
	}
	assert_int_equal(parse("{\"now-ns\": " HUGE ", \"marks\": []}"), 0);
	assert_int_equal(r.now_ns, REPORT_NS_MAX);
}

static void too_many(void **state)
{
	json_t *marks = json_array(), *v;

	(void)state;
	for (unsigned i = 0; i < 2 * REPORT_ROWS; i++)
		json_array_append_new(marks,
				      json_pack("{s:s, s:s, s:i}", "lane",
						"guest", "name", "x",
						"start-ns", (int)(1000 - i)));
	v = json_pack("{s:i, s:o}", "now-ns", 1000, "marks", marks);
	assert_int_equal(report_parse(&r, v), 0);
	assert_int_equal(r.n, REPORT_ROWS);
	for (size_t i = 1; i < r.n; i++)
		assert_true(r.row[i - 1].start_ns <= r.row[i].start_ns);
	json_decref(v);
}

static void fill(struct timeline *t)
{
	const struct timeline_mark update = { .name = "LAUNCH_UPDATE_DATA",
					      .what = "firmware",
					      .bytes = 1 << 20 };

	timeline_start(t);
	t->firmware = true;
	timeline_phase(t, "configuration");
	timeline_phase(t, "measure");
	timeline_span(t, TIMELINE_PSP, &update);
	timeline_phase(t, "wait");
	timeline_phase(t, "start");
	timeline_entry(t);
	timeline_event(t, "RESUME", NULL);
	timeline_moment(t, TIMELINE_GUEST, "driver", "<disk\"0'&>\x1b[2J");
	timeline_event(t, "STOP", NULL);
	timeline_event(t, "SHUTDOWN", "guest-shutdown");
}

/* What carrel says is what carrelctl reads. */
static void round_trip(void **state)
{
	static struct timeline t;
	json_t *v;

	(void)state;
	fill(&t);
	report_take(&r, &t, "a vm");
	v = report_json(&r);
	assert_non_null(v);
	assert_int_equal(report_parse(&again, v), 0);
	json_decref(v);
	assert_int_equal(r.n, again.n);
	assert_string_equal(again.vm, "a vm");
	assert_true(again.firmware && again.ended);
	assert_int_equal(r.entry_ns, again.entry_ns);
	assert_int_equal(r.paused_ns, again.paused_ns);
	for (size_t i = 0; i < r.n; i++) {
		const struct report_row *a = &r.row[i], *b = &again.row[i];

		assert_int_equal(a->lane, b->lane);
		assert_string_equal(a->name, b->name);
		assert_string_equal(a->what, b->what);
		assert_int_equal(a->start_ns, b->start_ns);
		assert_int_equal(a->duration_ns, b->duration_ns);
		assert_int_equal(a->bytes, b->bytes);
		assert_int_equal(a->span, b->span);
	}
}

static void check_svg(const struct report *of)
{
	FILE *lint = popen("xmllint --nonet --noout - 2>&1", "w");

	assert_non_null(lint);
	report_svg(lint, of);
	assert_int_equal(pclose(lint), 0);
}

static void hostile_pictures(void **state)
{
	static const char *const names[] = {
		"</text><script>alert(1)</script>",
		"\"'&<>]]>",
		"&amp;&#x0;",
		"<!--",
	};
	static struct timeline t;

	(void)state;
	memset(&r, 0, sizeof(r));
	check_svg(&r); /* nothing is known */
	fill(&t);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		report_take(&r, &t, names[i]);
		check_svg(&r);
		for (size_t k = 0; k < r.n; k++)
			snprintf(r.row[k].name, sizeof(r.row[k].name), "%s",
				 names[i]);
		check_svg(&r);
	}
}

/* As many rows and waits as there can be, of all lengths. */
static void large_picture(void **state)
{
	(void)state;
	memset(&r, 0, sizeof(r));
	r.now_ns = REPORT_NS_MAX;
	r.entry_ns = 1;
	r.dropped = UINT64_MAX;
	for (size_t i = 0; i < REPORT_ROWS; i++) {
		struct report_row *row = &r.row[r.n++];

		row->lane = (enum timeline_lane)(i % TIMELINE_LANES);
		row->span = i % 2;
		row->start_ns = i * (REPORT_NS_MAX / REPORT_ROWS);
		row->duration_ns = i % 5 ? i : REPORT_NS_MAX - row->start_ns;
		snprintf(row->name, sizeof(row->name), "%s",
			 i % 3 ? "x" : "paused");
		snprintf(row->what, sizeof(row->what), "%zu", i);
	}
	check_svg(&r);
}

/*
 * A VM is told to end while its first vCPU is on its way into the guest: what
 * is marked after the end is part of no picture's time.
 */
static void marked_after_the_end(void **state)
{
	static struct timeline t;

	(void)state;
	timeline_start(&t);
	timeline_event(&t, "SHUTDOWN", "host-qmp-quit");
	usleep(1000);
	timeline_entry(&t);
	timeline_moment(&t, TIMELINE_GUEST, "mark", "late");
	report_take(&r, &t, NULL);
	assert_true(r.ended && r.entry_ns);
	for (size_t i = 0; i < r.n; i++)
		assert_true(r.row[i].start_ns + r.row[i].duration_ns <=
			    r.now_ns);
	alarm(10); /* an axis once had ticks without end */
	check_svg(&r);
	alarm(0);
}

static void times(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} t[] = {
		{ 0, "0 ns" },
		{ 999, "999 ns" },
		{ 1000, "1.00 us" },
		{ 99940, "99.9 us" },
		{ 99960, "100 us" },
		{ 999600, "1.00 ms" },
		{ 3200000, "3.20 ms" },
		{ 42500000000, "42.5 s" },
		{ 86400000000000, "86400 s" },
	};
	char text[REPORT_TIME];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		report_time(text, sizeof(text), t[i].ns);
		assert_string_equal(text, t[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),
		cmocka_unit_test(bounded),
		cmocka_unit_test(too_many),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(hostile_pictures),
		cmocka_unit_test(large_picture),
		cmocka_unit_test(marked_after_the_end),
		cmocka_unit_test(times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
