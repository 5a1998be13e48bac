/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics: a sample as OpenMetrics text (specification 1.0): families with
 * their help, type and unit, their samples together, "# EOF" at the end. Names
 * and labels are fixed here; docs/control-socket.md lists them.
 */
#include "vmm/counters.h"

#include <stdio.h>
#include <stdlib.h>

#include "vmm/clock.h"
#include "vmm/version.h"

/* unit: NULL, or the last word of the name, as the specification asks. */
static void family(FILE *f, const char *name, const char *type,
		   const char *unit, const char *help)
{
	fprintf(f, "# TYPE carrel_%s %s\n", name, type);
	if (unit)
		fprintf(f, "# UNIT carrel_%s %s\n", name, unit);
	fprintf(f, "# HELP carrel_%s %s\n", name, help);
}

/* Nanoseconds as seconds, and the end of the line. */
static void seconds(FILE *f, uint64_t ns)
{
	fprintf(f, " %llu.%09llu\n", (unsigned long long)(ns / CLOCK_NS_PER_S),
		(unsigned long long)(ns % CLOCK_NS_PER_S));
}

static void number(FILE *f, uint64_t v)
{
	fprintf(f, " %llu\n", (unsigned long long)v);
}

/* Names are of letters, digits, '.', '_' and '-': nothing to escape. */
static void about(FILE *f, const struct counters_sample *s)
{
	static const char *const states[] = {
		"prelaunch",	  "running",  "paused",	  "guest-panicked",
		"internal-error", "watchdog", "shutdown",
	};

	family(f, "vm", "info", NULL, "The VM and what runs it.");
	fprintf(f, "carrel_vm_info{name=\"%s\",version=\"%s\"} 1\n",
		s->name ? s->name : "", CARREL_VERSION);
	family(f, "vm_state", "stateset", NULL, "What the VM is doing.");
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		fprintf(f, "carrel_vm_state{carrel_vm_state=\"%s\"} %d\n",
			states[i], !strcmp(states[i], s->status));
	family(f, "uptime_seconds", "gauge", "seconds",
	       "Time since carrel was started.");
	fprintf(f, "carrel_uptime_seconds");
	seconds(f, s->uptime_ns);
	family(f, "process_cpu_seconds", "counter", "seconds",
	       "Processor time of the whole process, the guest's included.");
	fprintf(f, "carrel_process_cpu_seconds_total");
	seconds(f, s->cpu_ns);
}

static void memory(FILE *f, const struct counters_sample *s)
{
	family(f, "memory_bytes", "gauge", "bytes", "Guest memory.");
	fprintf(f, "carrel_memory_bytes");
	number(f, s->memory_bytes);
	family(f, "memory_resident_bytes", "gauge", "bytes",
	       "Guest memory that the host has given pages so far.");
	fprintf(f, "carrel_memory_resident_bytes");
	number(f, s->resident_bytes);
}

static void sized(FILE *f, const char *name, const char *type, uint64_t v,
		  const char *help)
{
	family(f, name, type, "bytes", help);
	fprintf(f, "carrel_%s%s", name,
		strcmp(type, "counter") ? "" : "_total");
	number(f, v);
}

static void balloon(FILE *f, const struct balloon_counts *b)
{
	static const struct {
		enum balloon_stat stat;
		const char *name;
	} said[] = {
		{ BALLOON_FREE, "free" },
		{ BALLOON_TOTAL, "total" },
		{ BALLOON_AVAILABLE, "available" },
		{ BALLOON_CACHES, "caches" },
	};

	if (!b->on)
		return;
	sized(f, "balloon_target_bytes", "gauge", b->target_bytes,
	      "Memory that the guest shall have.");
	sized(f, "balloon_actual_bytes", "gauge", b->actual_bytes,
	      "Memory that the guest has outside the balloon.");
	sized(f, "balloon_inflated_bytes", "counter", b->inflated_bytes,
	      "Memory that went into the balloon.");
	sized(f, "balloon_reported_bytes", "counter", b->reported_bytes,
	      "Memory given back because the guest said that it is free.");
	family(f, "guest_memory_bytes", "gauge", "bytes",
	       "The guest's own words about its memory.");
	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		if (!(b->stats >> said[i].stat & 1))
			continue;
		fprintf(f, "carrel_guest_memory_bytes{kind=\"%s\"}",
			said[i].name);
		number(f, b->stat[said[i].stat]);
	}
}

static void cpus(FILE *f, const struct counters_sample *s)
{
	family(f, "vcpu_cpu_seconds", "counter", "seconds",
	       "Processor time of a virtual CPU's thread.");
	for (unsigned i = 0; i < s->n_cpus; i++) {
		fprintf(f, "carrel_vcpu_cpu_seconds_total{cpu=\"%u\"}", i);
		seconds(f, s->cpu[i].cpu_ns);
	}
	family(f, "vcpu_exits", "counter", NULL,
	       "Returns of a virtual CPU to carrel, by kind.");
	for (unsigned i = 0; i < s->n_cpus; i++)
		for (unsigned k = 0; k < VCPU_EXITS; k++) {
			fprintf(f,
				"carrel_vcpu_exits_total{cpu=\"%u\",kind="
				"\"%s\"}",
				i, counters_exit[k]);
			number(f, s->cpu[i].exits[k]);
		}
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && !strcmp(text + len - n, end);
}

/*
 * The families of a kind of devices: first is the numbers of the first device,
 * the next ones' are stride bytes further each. Labels: id of each, or none.
 */
struct kind {
	const char *what;
	const struct counters_name *name;
	size_t n_names, n, stride;
	const uint64_t *first;
	const char *const *id; /* of the first, the same stride; NULL: one */
};

/* "read-bytes" of a disk as "disk_read_bytes"; nanoseconds as seconds. */
static void family_name(char *out, size_t cap, const char *what,
			const char *name, bool is_time)
{
	int len = snprintf(out, cap, "%s_%s", what, name);

	if (is_time)
		snprintf(out + len - 3, cap - (size_t)len + 3, "_seconds");
	for (char *p = out; *p; p++)
		if (*p == '-')
			*p = '_';
}

static void one_family(FILE *f, const struct kind *k, size_t at)
{
	const struct counters_name *c = &k->name[at];
	bool is_time = ends_with(c->name, "-ns");
	const char *unit = ends_with(c->name, "bytes") ? "bytes" : NULL;
	char name[48];

	family_name(name, sizeof(name), k->what, c->name, is_time);
	family(f, name, "counter", is_time ? "seconds" : unit, c->help);
	for (size_t i = 0; i < k->n; i++) {
		const char *v = (const char *)&k->first[at] + i * k->stride;
		const char *id = (const char *)k->id + i * k->stride;

		fprintf(f, "carrel_%s_total", name);
		if (k->id)
			fprintf(f, "{%s=\"%s\"}", k->what,
				*(const char *const *)id);
		if (is_time)
			seconds(f, *(const uint64_t *)v);
		else
			number(f, *(const uint64_t *)v);
	}
}

static void devices(FILE *f, const struct board_counts *b)
{
	const struct kind kinds[] = {
		{ "disk", counters_disk, DISK_COUNTERS, b->n_disks,
		  sizeof(b->disk[0]), b->disk[0].n, &b->disk[0].id },
		{ "net", counters_net, NET_COUNTERS, b->n_nets,
		  sizeof(b->net[0]), b->net[0].n, &b->net[0].id },
		{ "vsock", counters_vsock, VSOCK_COUNTERS, b->has_vsock, 0,
		  b->vsock.n, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		for (size_t at = 0; kinds[i].n && at < kinds[i].n_names; at++)
			one_family(f, &kinds[i], at);
	family(f, "bounce_bytes", "counter", "bytes",
	       "Bytes that a SEV guest copied through shared pages.");
	fprintf(f, "carrel_bounce_bytes_total");
	number(f, b->bounce_bytes);
}

char *counters_metrics(const struct counters_sample *s)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	about(f, s);
	memory(f, s);
	balloon(f, &s->balloon);
	cpus(f, s);
	devices(f, &s->board);
	fputs("# EOF\n", f);
	if (!fclose(f))
		return text;
	free(text);
	return NULL;
}
