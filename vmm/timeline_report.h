/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timeline_report: a timeline as plain rows, in the order of time, for people
 * and programs. The VM makes it from its table, carrelctl from the JSON of a VM
 * that it does not trust: lengths, numbers and texts are bounded there, and
 * texts are printable ASCII.
 */
#ifndef CARREL_VMM_TIMELINE_REPORT_H
#define CARREL_VMM_TIMELINE_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "vmm/timeline.h"

#define REPORT_ROWS (TIMELINE_LANES * TIMELINE_MARKS + ONCE_COUNT)
#define REPORT_TEXT 32
#define REPORT_VM 65
#define REPORT_NS_MAX (1ull << 53) /* 104 days: what a double has exactly */

struct report_row {
	enum timeline_lane lane;
	char name[REPORT_TEXT], what[REPORT_TEXT];
	uint64_t start_ns, duration_ns; /* from the process's start */
	uint64_t exits, bytes;
	bool span, failed;
};

struct report {
	char vm[REPORT_VM]; /* name, or empty */
	bool firmware, ended;
	uint64_t now_ns; /* of the report, or of the end */
	uint64_t entry_ns; /* of the guest; 0: not yet */
	uint64_t exits, paused_ns, dropped;
	size_t n;
	struct report_row row[REPORT_ROWS];
};

/* vm: its name, or NULL. Main thread. */
void report_take(struct report *r, const struct timeline *t, const char *vm);

/* New reference, or NULL: no memory. */
json_t *report_json(const struct report *r) MUST_USE;

/* -EPROTO: no timeline. Members that make no sense are left out. Pure. */
int report_parse(struct report *r, const json_t *v) MUST_USE;

/* Host phases in which the guest waits for somebody. */
bool report_waits(const struct report_row *row);

/* What a mark means, or NULL; static. */
const char *report_about(const char *name);

/* "3.2 ms": a duration in three digits and a unit. */
#define REPORT_TIME 16
void report_time(char *out, size_t cap, uint64_t ns);

/* timeline_svg.c: a picture, complete. */
void report_svg(FILE *f, const struct report *r);

#endif
