/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_timeline_test: the table, in ASCII and with blocks, and the flag for a
 * picture.
 */
#include "vmm/ctl/timeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

static const struct report sample = {
	.now_ns = 1600,
	.exits = 12,
	.paused_ns = 800,
	.n = 5,
	.row = {
		{ .lane = TIMELINE_HOST, .name = "process", .span = true,
		  .duration_ns = 100 },
		{ .lane = TIMELINE_HOST, .name = "wait", .span = true,
		  .start_ns = 100, .duration_ns = 800 },
		{ .lane = TIMELINE_PSP, .name = "LAUNCH_SECRET", .span = true,
		  .start_ns = 300, .duration_ns = 1, .failed = true },
		{ .lane = TIMELINE_GUEST, .name = "driver", .what = "disk0",
		  .start_ns = 1500, .exits = 7 },
		{ .lane = TIMELINE_HOST, .name = "end", .start_ns = 1600,
		  .exits = 12 },
	},
};

/* 16 characters of bars: one is 100 ns. */
#define WIDE (58 + 16)

static char *table(const struct report *r, unsigned columns, bool unicode)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	timeline_table(f, r, columns, unicode);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void ascii(void **state)
{
	static const char want[] =
		"                                    at      took    exits\n"
		"process                           0 ns    100 ns        0 #\n"
		"wait                            100 ns    800 ns        0  "
		"########\n"
		"psp LAUNCH_SECRET !             300 ns      1 ns        0    "
		"|\n"
		"guest driver disk0             1.50 us                  7   "
		"             *\n"
		"end                            1.60 us                 12   "
		"             *\n"
		"1.60 us in all, 800 ns of it waiting or paused; 12 exits\n";
	char *got = table(&sample, WIDE, false);

	(void)state;
	assert_string_equal(got, want);
	free(got);
}

static void blocks(void **state)
{
	char *got = table(&sample, WIDE, true);

	(void)state;
	assert_non_null(strstr(got, " 0 \xe2\x96\x88\n"));
	assert_non_null(strstr(got, "   \xe2\x96\x8f\n"));
	assert_non_null(strstr(got, " \xe2\x97\x86\n"));
	free(got);
}

/* Nothing known, terminals of no width, and all that a VM can say. */
static void extremes(void **state)
{
	static struct report r;
	static const unsigned columns[] = { 0, 1, 80, 500 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		memset(&r, 0, sizeof(r));
		free(table(&r, columns[i], i % 2));
		r.dropped = 1;
		for (r.n = 0; r.n < REPORT_ROWS; r.n++) {
			struct report_row *row = &r.row[r.n];

			row->start_ns = REPORT_NS_MAX / (r.n + 1);
			row->duration_ns = REPORT_NS_MAX;
			row->span = true;
			memset(row->name, 'x', REPORT_TEXT - 1);
			memset(row->what, 'x', REPORT_TEXT - 1);
		}
		free(table(&r, columns[i], i % 2));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ascii),
		cmocka_unit_test(blocks),
		cmocka_unit_test(extremes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
