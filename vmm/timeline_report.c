/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timeline_report: see the header.
 */
#include "vmm/timeline_report.h"

#include <errno.h>

#include "vmm/clock.h"

static const char *const lanes[TIMELINE_LANES] = {
	[TIMELINE_HOST] = "host",
	[TIMELINE_PSP] = "psp",
	[TIMELINE_GUEST] = "guest",
};

static uint64_t since(const struct timeline *t, uint64_t ns)
{
	uint64_t d = ns > t->process_ns ? ns - t->process_ns : 0;

	return min_u64(d, REPORT_NS_MAX);
}

static void put_text(char *out, size_t cap, const char *text)
{
	size_t n = 0;

	for (; text && *text && n < cap - 1; text++)
		out[n++] = *text >= 0x20 && *text < 0x7f ? *text : '?';
	out[n] = '\0';
}

static struct report_row *new_row(struct report *r)
{
	struct report_row *row = &r->row[r->n];

	if (r->n == REPORT_ROWS)
		return NULL;
	r->n++;
	*row = (struct report_row){ .span = false };
	return row;
}

static void take_mark(struct report *r, const struct timeline *t,
		      enum timeline_lane lane, const struct timeline_mark *m)
{
	struct report_row *row;
	uint64_t end;

	if (!atomic_load_explicit(&m->ready, memory_order_acquire))
		return;
	row = new_row(r);
	if (!row)
		return;
	row->lane = lane;
	put_text(row->name, sizeof(row->name), m->name);
	put_text(row->what, sizeof(row->what), m->what);
	/* It may have come since; and a vCPU still enters as its VM ends. */
	row->start_ns = min_u64(since(t, m->start_ns), r->now_ns);
	end = m->end_ns ? min_u64(since(t, m->end_ns), r->now_ns) : r->now_ns;
	row->duration_ns = end > row->start_ns ? end - row->start_ns : 0;
	row->exits = m->exits;
	row->bytes = m->bytes;
	row->span = m->span;
	row->failed = m->failed;
}

/* Before the first one of carrel's own: exec, and the dynamic linker. */
static void take_process(struct report *r, const struct timeline *t)
{
	const struct timeline_mark *next = &t->lane[TIMELINE_HOST].mark[0];
	struct report_row *row = new_row(r);

	put_text(row->name, sizeof(row->name), "process");
	row->duration_ns = since(t, next->ready ? next->start_ns : t->main_ns);
	row->span = true;
}

/* Each of the guest's phases lasts until the next one that was seen. */
static void take_onces(struct report *r, const struct timeline *t)
{
	for (unsigned i = 0; i < ONCE_COUNT; i++) {
		size_t n = r->n;
		uint64_t end = r->now_ns;

		take_mark(r, t, TIMELINE_GUEST, &t->once[i]);
		if (r->n == n || i >= ONCE_PHASES)
			continue;
		for (unsigned k = 0; k < ONCE_PHASES; k++) {
			uint64_t at = since(t, t->once[k].start_ns);

			if (atomic_load_explicit(&t->once[k].ready,
						 memory_order_acquire) &&
			    (at > r->row[n].start_ns ||
			     (at == r->row[n].start_ns && k > i)))
				end = min_u64(end, at);
		}
		r->row[n].span = true;
		r->row[n].duration_ns = end - min_u64(r->row[n].start_ns, end);
	}
}

static bool later(const struct report_row *x, const struct report_row *y)
{
	if (x->start_ns != y->start_ns)
		return x->start_ns > y->start_ns;
	if (x->lane != y->lane)
		return x->lane > y->lane;
	return x->duration_ns < y->duration_ns;
}

/* Few and mostly in order already; libc's qsort asks for the memory's size. */
static void sort(struct report *r)
{
	for (size_t i = 1; i < r->n; i++) {
		struct report_row row = r->row[i];
		size_t k = i;

		for (; k && later(&r->row[k - 1], &row); k--)
			r->row[k] = r->row[k - 1];
		r->row[k] = row;
	}
}

static uint32_t marks_of(const struct timeline *t, enum timeline_lane lane)
{
	return (uint32_t)min_u64(atomic_load(&t->lane[lane].n), TIMELINE_MARKS);
}

static void find_entry(struct report *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->row[i].name, "entry"))
			r->entry_ns = r->row[i].start_ns;
}

void report_take(struct report *r, const struct timeline *t, const char *vm)
{
	const struct timeline_mark *end =
		&t->lane[TIMELINE_HOST].mark[TIMELINE_MARKS - 1];

	*r = (struct report){ .firmware = t->firmware,
			      .ended = t->ended,
			      .now_ns = since(t, t->ended ? end->start_ns
							  : clock_ns()),
			      .exits = t->ended	  ? end->exits
				       : t->exits ? t->exits(t->exits_ctx)
						  : 0 };
	put_text(r->vm, sizeof(r->vm), vm);
	take_process(r, t);
	for (enum timeline_lane l = 0; l < TIMELINE_LANES; l++) {
		for (uint32_t i = 0; i < marks_of(t, l); i++)
			if (&t->lane[l].mark[i] != end)
				take_mark(r, t, l, &t->lane[l].mark[i]);
		r->dropped += atomic_load(&t->lane[l].dropped);
	}
	take_mark(r, t, TIMELINE_HOST, end);
	take_onces(r, t);
	sort(r);
	for (size_t i = 0; i < r->n; i++)
		if (report_waits(&r->row[i]))
			r->paused_ns += r->row[i].duration_ns;
	find_entry(r);
}

bool report_waits(const struct report_row *row)
{
	return row->lane == TIMELINE_HOST && row->span &&
	       (!strcmp(row->name, "wait") || !strcmp(row->name, "paused"));
}

static json_t *number(uint64_t v)
{
	return json_integer((json_int_t)min_u64(v, INT64_MAX));
}

static json_t *row_json(const struct report_row *row)
{
	json_t *o = json_object();

	json_object_set_new(o, "lane", json_string(lanes[row->lane]));
	json_object_set_new(o, "name", json_string(row->name));
	if (row->what[0])
		json_object_set_new(o, "what", json_string(row->what));
	json_object_set_new(o, "start-ns", number(row->start_ns));
	if (row->span)
		json_object_set_new(o, "duration-ns", number(row->duration_ns));
	json_object_set_new(o, "exits", number(row->exits));
	if (row->bytes)
		json_object_set_new(o, "bytes", number(row->bytes));
	if (row->failed)
		json_object_set_new(o, "failed", json_true());
	return o;
}

json_t *report_json(const struct report *r)
{
	json_t *marks = json_array();

	for (size_t i = 0; i < r->n; i++)
		json_array_append_new(marks, row_json(&r->row[i]));
	return json_pack("{s:s*, s:s, s:b, s:o, s:o, s:o, s:o, s:o}", "name",
			 r->vm[0] ? r->vm : NULL, "boot",
			 r->firmware ? "firmware" : "kernel", "ended", r->ended,
			 "now-ns", number(r->now_ns), "paused-ns",
			 number(r->paused_ns), "exits", number(r->exits),
			 "dropped", number(r->dropped), "marks", marks);
}

static uint64_t take_number(const json_t *o, const char *key, uint64_t max)
{
	json_int_t v = json_integer_value(json_object_get(o, key));

	return v > 0 ? min_u64((uint64_t)v, max) : 0;
}

static void take_text(char *out, size_t cap, const json_t *o, const char *key)
{
	put_text(out, cap, json_string_value(json_object_get(o, key)));
}

static void parse_row(struct report *r, const json_t *o)
{
	const char *lane = json_string_value(json_object_get(o, "lane"));
	struct report_row *row;
	unsigned l = 0;

	while (lane && l < TIMELINE_LANES && strcmp(lane, lanes[l]))
		l++;
	if (!lane || l == TIMELINE_LANES)
		return;
	row = new_row(r);
	if (!row)
		return;
	row->lane = (enum timeline_lane)l;
	take_text(row->name, sizeof(row->name), o, "name");
	take_text(row->what, sizeof(row->what), o, "what");
	row->start_ns = take_number(o, "start-ns", r->now_ns);
	row->span = json_is_integer(json_object_get(o, "duration-ns"));
	row->duration_ns =
		take_number(o, "duration-ns", r->now_ns - row->start_ns);
	row->exits = take_number(o, "exits", INT64_MAX);
	row->bytes = take_number(o, "bytes", INT64_MAX);
	row->failed = json_is_true(json_object_get(o, "failed"));
}

int report_parse(struct report *r, const json_t *v)
{
	const json_t *marks = json_object_get(v, "marks"), *o;
	const char *boot = json_string_value(json_object_get(v, "boot"));
	size_t i;

	if (!json_is_array(marks))
		return -EPROTO;
	*r = (struct report){
		.firmware = boot && !strcmp(boot, "firmware"),
		.ended = json_is_true(json_object_get(v, "ended")),
		.now_ns = take_number(v, "now-ns", REPORT_NS_MAX),
		.paused_ns = take_number(v, "paused-ns", REPORT_NS_MAX),
		.exits = take_number(v, "exits", INT64_MAX),
		.dropped = take_number(v, "dropped", INT64_MAX),
	};
	take_text(r->vm, sizeof(r->vm), v, "name");
	json_array_foreach(marks, i, o) parse_row(r, o);
	sort(r);
	find_entry(r);
	return 0;
}

static const struct {
	const char *name, *about;
} abouts[] = {
	{ "process", "exec and the dynamic linker" },
	{ "configuration", "flags and device tree" },
	{ "files", "firmware, kernel and initrd read, hashed, planned" },
	{ "kvm", "KVM opened and the VM made" },
	{ "memory", "guest memory reserved" },
	{ "keys", "SEV: device opened, launch started" },
	{ "image", "launch image copied into guest memory" },
	{ "cpus", "vCPUs made and set up" },
	{ "devices", "devices attached, their files opened" },
	{ "measure", "SEV: memory encrypted and measured" },
	{ "control", "control socket opened" },
	{ "sandbox", "threads started, sandbox entered" },
	{ "wait", "waiting for cont: the owner looks at the measurement" },
	{ "start", "the guest is let go" },
	{ "paused", "stopped by the control socket" },
	{ "reset", "the board was reset" },
	{ "end", "the VM ended" },
	{ "sec", "firmware: first code, unpacks the rest" },
	{ "pei", "firmware: memory and platform" },
	{ "dxe", "firmware: its drivers" },
	{ "bds", "firmware: finds devices, chooses what to boot" },
	{ "kernel", "the kernel, or a boot loader before it" },
	{ "acpi", "the kernel sets ACPI up" },
	{ "drivers", "the kernel's first driver for a virtio device" },
	{ "user", "user space, by the guest's own mark" },
	{ "ready", "ready, by the guest's own mark" },
	{ "login", "a login prompt on the console" },
	{ "entry", "the guest's first instruction" },
	{ "fw-cfg-dma", "first fetch from fw_cfg by DMA" },
	{ "console", "first byte on the serial port" },
	{ "kernel-read", "firmware fetches the kernel" },
	{ "initrd-read", "firmware fetches the initrd" },
	{ "driver", "a virtio device got a driver" },
	{ "driver-gone", "its driver let go of it" },
	{ "mark", "the guest wrote to port 0xf4" },
};

const char *report_about(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(abouts); i++)
		if (!strcmp(abouts[i].name, name))
			return abouts[i].about;
	return NULL;
}

void report_time(char *out, size_t cap, uint64_t ns)
{
	static const char *const units[] = { "ns", "us", "ms", "s" };
	double v = (double)ns;
	size_t i = 0;

	for (; i < ARRAY_LEN(units) - 1 && v >= 999.5; i++)
		v /= 1000;
	snprintf(out, cap, "%.*f %s", i && v < 9.995 ? 2 : i && v < 99.95, v,
		 units[i]);
}
