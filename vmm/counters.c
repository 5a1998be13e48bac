/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counters: see the header.
 */
#include "vmm/counters.h"

#include <errno.h>
#include <stdlib.h>

#include "vmm/clock.h"
#include "vmm/timeline_report.h"

const char *const counters_exit[VCPU_EXITS] = {
	[VCPU_IO_READ] = "io-read",	    [VCPU_IO_WRITE] = "io-write",
	[VCPU_MMIO_READ] = "mmio-read",	    [VCPU_MMIO_WRITE] = "mmio-write",
	[VCPU_INTERRUPTED] = "interrupted", [VCPU_OTHER] = "other",
};

const char *const counters_disk[DISK_COUNTERS] = {
	[DISK_READS] = "reads",	       [DISK_READ_BYTES] = "read-bytes",
	[DISK_WRITES] = "writes",      [DISK_WRITTEN_BYTES] = "written-bytes",
	[DISK_FLUSHES] = "flushes",    [DISK_DISCARDS] = "discards",
	[DISK_ZEROES] = "zero-writes", [DISK_ERRORS] = "errors",
};

const char *const counters_stat[BALLOON_STATS] = {
	[BALLOON_SWAP_IN] = "stat-swap-in",
	[BALLOON_SWAP_OUT] = "stat-swap-out",
	[BALLOON_MAJOR_FAULTS] = "stat-major-faults",
	[BALLOON_MINOR_FAULTS] = "stat-minor-faults",
	[BALLOON_FREE] = "stat-free-memory",
	[BALLOON_TOTAL] = "stat-total-memory",
	[BALLOON_AVAILABLE] = "stat-available-memory",
	[BALLOON_CACHES] = "stat-disk-caches",
	[BALLOON_HUGE_ALLOCS] = "stat-htlb-pgalloc",
	[BALLOON_HUGE_FAILS] = "stat-htlb-pgfail",
};

static void take_cpu(struct counters_cpu *out, const struct vcpu *v)
{
	for (unsigned i = 0; i < VCPU_EXITS; i++)
		out->exits[i] = counter_get(&v->exits[i]);
	out->cpu_ns = vcpu_cpu_ns(v);
}

void counters_take(const struct counters *c, struct counters_sample *s)
{
	const struct vm *vm = c->machine->vm;

	*s = (struct counters_sample){
		.name = c->name,
		.status = machine_status(c->machine),
		.uptime_ns = clock_ns() - c->started_ns,
		.cpu_ns = clock_read(CLOCK_PROCESS_CPUTIME_ID),
		.memory_bytes = gmem_bytes(&vm->mem),
		.resident_bytes = gmem_resident(&vm->mem),
		.n_cpus = vm->cpus.n,
	};
	for (unsigned i = 0; i < s->n_cpus; i++)
		take_cpu(&s->cpu[i], &vm->cpus.v[i]);
	s->n_disks = board_count_disks(c->machine->board, s->disk,
				       ARRAY_LEN(s->disk));
	board_count_balloon(c->machine->board, &s->balloon);
}

static void set_number(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, json_integer((json_int_t)v));
}

static json_t *cpu_json(const struct counters_cpu *c, unsigned index)
{
	json_t *o = json_object(), *kinds = json_object();
	uint64_t all = 0;

	for (unsigned i = 0; i < VCPU_EXITS; i++) {
		set_number(kinds, counters_exit[i], c->exits[i]);
		all += c->exits[i];
	}
	set_number(o, "cpu-index", index);
	set_number(o, "exits", all);
	json_object_set_new(o, "exits-by-kind", kinds);
	set_number(o, "cpu-ns", c->cpu_ns);
	return o;
}

static json_t *disk_json(const struct disk_counts *d)
{
	json_t *o = json_object();

	json_object_set_new(o, "id", json_string(d->id));
	for (unsigned i = 0; i < DISK_COUNTERS; i++)
		set_number(o, counters_disk[i], d->n[i]);
	return o;
}

static json_t *balloon_json(const struct balloon_counts *b)
{
	json_t *o = json_object(), *stats = json_object();

	set_number(o, "target-bytes", b->target_bytes);
	set_number(o, "actual-bytes", b->actual_bytes);
	set_number(o, "inflated-bytes", b->inflated_bytes);
	set_number(o, "reported-bytes", b->reported_bytes);
	if (b->stats)
		set_number(o, "stats-age-ns", b->stat_age_ns);
	for (unsigned i = 0; i < BALLOON_STATS; i++)
		if (b->stats >> i & 1)
			set_number(stats, counters_stat[i], b->stat[i]);
	json_object_set_new(o, "stats", stats);
	return o;
}

json_t *counters_json(const struct counters_sample *s)
{
	json_t *all = json_object(), *list = json_array(), *o;

	for (unsigned i = 0; i < s->n_cpus; i++)
		json_array_append_new(list, cpu_json(&s->cpu[i], i));
	json_object_set_new(all, "vcpus", list);
	list = json_array();
	for (size_t i = 0; i < s->n_disks; i++)
		json_array_append_new(list, disk_json(&s->disk[i]));
	json_object_set_new(all, "disks", list);
	o = json_object();
	set_number(o, "bytes", s->memory_bytes);
	set_number(o, "resident-bytes", s->resident_bytes);
	json_object_set_new(all, "memory", o);
	if (s->balloon.on)
		json_object_set_new(all, "balloon", balloon_json(&s->balloon));
	set_number(all, "uptime-ns", s->uptime_ns);
	set_number(all, "cpu-ns", s->cpu_ns);
	return all;
}

static int get_counters(void *ctx, const json_t *args, json_t **ret,
			struct control_error *err)
{
	struct counters_sample s;

	(void)args;
	counters_take(ctx, &s);
	*ret = counters_json(&s);
	return *ret ? 0 : control_fail(err, -ENOMEM, "out of memory");
}

static int get_metrics(void *ctx, const json_t *args, json_t **ret,
		       struct control_error *err)
{
	struct counters_sample s;
	char *text;

	(void)args;
	counters_take(ctx, &s);
	text = counters_metrics(&s);
	if (text)
		*ret = json_pack("{s:s, s:s}", "content-type", COUNTERS_TYPE,
				 "text", text);
	free(text);
	return *ret ? 0 : control_fail(err, -ENOMEM, "out of memory");
}

static int get_timeline(void *ctx, const json_t *args, json_t **ret,
			struct control_error *err)
{
	const struct counters *c = ctx;
	struct report r;

	(void)args;
	report_take(&r, c->timeline, c->name);
	*ret = report_json(&r);
	return *ret ? 0 : control_fail(err, -ENOMEM, "out of memory");
}

int counters_open(struct counters *c, struct control *control)
{
	const struct control_command commands[] = {
		{ .name = "x-carrel-counters", .run = get_counters, .ctx = c },
		{ .name = "x-carrel-metrics", .run = get_metrics, .ctx = c },
		{ .name = "x-carrel-timeline", .run = get_timeline, .ctx = c },
	};
	int rc = 0;

	for (size_t i = 0; !rc && i < ARRAY_LEN(commands); i++)
		rc = control_register(control, &commands[i]);
	return rc;
}
