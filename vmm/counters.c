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

const struct counters_name counters_disk[DISK_COUNTERS] = {
	[DISK_READS] = { "reads", "Reads done." },
	[DISK_READ_BYTES] = { "read-bytes", "Bytes read." },
	[DISK_WRITES] = { "writes", "Writes done." },
	[DISK_WRITTEN_BYTES] = { "written-bytes", "Bytes written." },
	[DISK_FLUSHES] = { "flushes", "Flushes done." },
	[DISK_DISCARDS] = { "discards", "Discards done." },
	[DISK_ZEROES] = { "zero-writes", "Requests to write zeroes done." },
	[DISK_ERRORS] = { "errors", "Requests that failed or made no sense." },
	[DISK_WAITS] = { "throttled", "Requests that a limit kept back." },
	[DISK_WAIT_NS] = { "throttled-ns", "How long limits kept them back." },
};

#define DIRECTION(d, who)                                                      \
	[NET_##d##_FRAMES] = { who "-frames", "Frames passed." },              \
	[NET_##d##_BYTES] = { who "-bytes", "Bytes of frames passed." },       \
	[NET_##d##                                                             \
		_DROPS] = { who "-drops", "Frames for a link that is down." }

const struct counters_name counters_net[NET_COUNTERS] = {
	DIRECTION(RX, "rx"),
	[NET_RX_ERRORS] = { "rx-errors", "Frames too long for the guest." },
	[NET_RX_WAITS] = { "rx-throttled",
			   "Times that a limit kept some back." },
	[NET_RX_WAIT_NS] = { "rx-throttled-ns", "How long it kept them back." },
	DIRECTION(TX, "tx"),
	[NET_TX_ERRORS] = { "tx-errors", "Frames that the host refused." },
	[NET_TX_WAITS] = { "tx-throttled",
			   "Times that a limit kept some back." },
	[NET_TX_WAIT_NS] = { "tx-throttled-ns", "How long it kept them back." },
};

const struct counters_name counters_vsock[VSOCK_COUNTERS] = {
	[VSOCK_RX_PACKETS] = { "rx-packets", "Packets to the guest." },
	[VSOCK_RX_BYTES] = { "rx-bytes", "Bytes to the guest." },
	[VSOCK_TX_PACKETS] = { "tx-packets", "Packets from the guest." },
	[VSOCK_TX_BYTES] = { "tx-bytes", "Bytes from the guest." },
	[VSOCK_OPENED] = { "opened", "Connections opened, from either side." },
	[VSOCK_RESETS] = { "resets", "Connections refused or cut off." },
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
	board_count(c->machine->board, &s->board);
	board_count_balloon(c->machine->board, &s->balloon);
}

/* What a balloon's driver says may be any number; JSON here has signed ones. */
static void set_number(json_t *o, const char *key, uint64_t v)
{
	v = min_u64(v, INT64_MAX);
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

/* id NULL: there is but one such device. */
static json_t *device_json(const char *id, const struct counters_name *name,
			   const uint64_t *v, size_t n)
{
	json_t *o = json_object();

	if (id)
		json_object_set_new(o, "id", json_string(id));
	for (size_t i = 0; i < n; i++)
		set_number(o, name[i].name, v[i]);
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

static void devices_json(json_t *all, const struct board_counts *b)
{
	json_t *disks = json_array(), *nets = json_array();

	for (size_t i = 0; i < b->n_disks; i++)
		json_array_append_new(disks,
				      device_json(b->disk[i].id, counters_disk,
						  b->disk[i].n, DISK_COUNTERS));
	for (size_t i = 0; i < b->n_nets; i++)
		json_array_append_new(nets,
				      device_json(b->net[i].id, counters_net,
						  b->net[i].n, NET_COUNTERS));
	json_object_set_new(all, "disks", disks);
	json_object_set_new(all, "nets", nets);
	if (b->has_vsock)
		json_object_set_new(all, "vsock",
				    device_json(NULL, counters_vsock,
						b->vsock.n, VSOCK_COUNTERS));
	set_number(all, "bounce-bytes", b->bounce_bytes);
}

json_t *counters_json(const struct counters_sample *s)
{
	json_t *all = json_object(), *list = json_array(), *o;

	for (unsigned i = 0; i < s->n_cpus; i++)
		json_array_append_new(list, cpu_json(&s->cpu[i], i));
	json_object_set_new(all, "vcpus", list);
	devices_json(all, &s->board);
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

	return control_register_all(control, commands, ARRAY_LEN(commands));
}
