/* SPDX-License-Identifier: Apache-2.0 */
/*
 * top: see the header.
 */
#include "vmm/ctl/top.h"

#include <stdio.h>
#include <unistd.h>

#include "vmm/ctl/show.h"

#define NS_PER_S 1e9
#define CLEAR "\x1b[H\x1b[2J"

static json_t *rate(const json_t *before, const json_t *after, double seconds);

static json_t *rate_object(const json_t *before, json_t *after, double seconds)
{
	json_t *out = json_object(), *v;
	const char *key;

	json_object_foreach (after, key, v)
		/* The one number that is no counter. */
		json_object_set_new(out, key,
				    !strcmp(key, "cpu-index")
					    ? json_incref(v)
					    : rate(json_object_get(before, key),
						   v, seconds));
	return out;
}

/* By its type; numbers by what they grew. Depth is bounded by qmp_parse. */
static json_t *rate(const json_t *before, const json_t *after, double seconds)
{
	json_int_t grown;
	json_t *out;

	switch (json_typeof(after)) {
	case JSON_OBJECT: return rate_object(before, (json_t *)after, seconds);
	case JSON_ARRAY:
		out = json_array();
		for (size_t i = 0; i < json_array_size(after); i++)
			json_array_append_new(
				out, rate(json_array_get(before, i),
					  json_array_get(after, i), seconds));
		return out;
	case JSON_INTEGER:
		if (__builtin_sub_overflow(json_integer_value(after),
					   json_integer_value(before),
					   &grown) ||
		    grown < 0 || !json_is_integer(before))
			grown = 0;
		return json_real(seconds > 0 ? (double)grown / seconds : 0);
	default: return json_incref((json_t *)after);
	}
}

json_t *top_rates(const json_t *before, const json_t *after)
{
	static const char *const counted[] = {
		"cpu-ns", "vcpus", "disks", "nets", "vsock", "bounce-bytes"
	};
	uint64_t then = show_number(before, "uptime-ns");
	uint64_t now = show_number(after, "uptime-ns");
	double seconds = now > then ? (double)(now - then) / NS_PER_S : 0;
	json_t *per_second = json_object(), *out = json_object();

	for (size_t i = 0; i < ARRAY_LEN(counted); i++) {
		json_t *v = json_object_get(after, counted[i]);

		if (v)
			json_object_set_new(
				per_second, counted[i],
				rate(json_object_get(before, counted[i]), v,
				     seconds));
	}
	json_object_set_new(out, "seconds", json_real(seconds));
	json_object_set_new(out, "per-second", per_second);
	if (json_object_get(after, "memory"))
		json_object_set(out, "memory",
				json_object_get(after, "memory"));
	return out;
}

static double real(const json_t *o, const char *key)
{
	return json_real_value(json_object_get(o, key));
}

static double mib(const json_t *o, const char *key)
{
	return real(o, key) / (double)MIB;
}

/* Nanoseconds a second, as a percentage of one processor. */
static double percent(const json_t *o)
{
	return real(o, "cpu-ns") / NS_PER_S * 100;
}

static void print_cpus(const json_t *cpus)
{
	const json_t *cpu, *kind;
	size_t i;

	printf("%4s %7s %9s %9s %9s %9s\n", "cpu", "busy%", "exits/s", "io/s",
	       "mmio/s", "other/s");
	json_array_foreach(cpus, i, cpu)
	{
		double all = real(cpu, "exits"), io, mmio;

		kind = json_object_get(cpu, "exits-by-kind");
		io = real(kind, "io-read") + real(kind, "io-write");
		mmio = real(kind, "mmio-read") + real(kind, "mmio-write");
		printf("%4llu %7.1f %9.0f %9.0f %9.0f %9.0f\n",
		       (unsigned long long)show_number(cpu, "cpu-index"),
		       percent(cpu), all, io, mmio, all - io - mmio);
	}
}

static void print_disks(const json_t *disks)
{
	const json_t *d;
	size_t i;

	if (!json_array_size(disks))
		return;
	printf("%9s %9s %9s %9s %9s %9s %9s  %s\n", "reads/s", "MiB/s",
	       "writes/s", "MiB/s", "flushes/s", "errors/s", "waiting", "disk");
	json_array_foreach(disks, i, d)
	{
		printf("%9.0f %9.1f %9.0f %9.1f %9.0f %9.0f %9.1f  ",
		       real(d, "reads"), mib(d, "read-bytes"),
		       real(d, "writes"), mib(d, "written-bytes"),
		       real(d, "flushes"), real(d, "errors"),
		       real(d, "throttled-ns") / NS_PER_S);
		show_text(stdout, show_string(d, "id"));
		putchar('\n');
	}
}

static void print_nets(const json_t *nets)
{
	const json_t *n;
	size_t i;

	if (!json_array_size(nets))
		return;
	printf("%9s %9s %9s %9s %9s %9s %9s  %s\n", "rx/s", "MiB/s", "tx/s",
	       "MiB/s", "drops/s", "errors/s", "waiting", "network");
	json_array_foreach(nets, i, n)
	{
		printf("%9.0f %9.1f %9.0f %9.1f %9.0f %9.0f %9.1f  ",
		       real(n, "rx-frames"), mib(n, "rx-bytes"),
		       real(n, "tx-frames"), mib(n, "tx-bytes"),
		       real(n, "rx-drops") + real(n, "tx-drops"),
		       real(n, "rx-errors") + real(n, "tx-errors"),
		       (real(n, "rx-throttled-ns") +
			real(n, "tx-throttled-ns")) /
			       NS_PER_S);
		show_text(stdout, show_string(n, "id"));
		putchar('\n');
	}
}

static void print_vsock(const json_t *v)
{
	if (!v)
		return;
	printf("%9s %9s %9s %9s %9s %9s\n", "rx/s", "MiB/s", "tx/s", "MiB/s",
	       "opened/s", "resets/s");
	printf("%9.0f %9.1f %9.0f %9.1f %9.0f %9.0f  vsock\n",
	       real(v, "rx-packets"), mib(v, "rx-bytes"), real(v, "tx-packets"),
	       mib(v, "tx-bytes"), real(v, "opened"), real(v, "resets"));
}

static void print_table(const json_t *rates)
{
	const json_t *per = json_object_get(rates, "per-second");
	const json_t *m = json_object_get(rates, "memory");

	if (isatty(STDOUT_FILENO))
		fputs(CLEAR, stdout);
	printf("%.1f s: processors %.1f%%, memory %llu of %llu MiB",
	       real(rates, "seconds"), percent(per),
	       show_number(m, "resident-bytes") / MIB,
	       show_number(m, "bytes") / MIB);
	/* Of a SEV guest only. */
	if (real(per, "bounce-bytes") > 0)
		printf(", bounced %.1f MiB/s", mib(per, "bounce-bytes"));
	putchar('\n');
	print_cpus(json_object_get(per, "vcpus"));
	print_disks(json_object_get(per, "disks"));
	print_nets(json_object_get(per, "nets"));
	print_vsock(json_object_get(per, "vsock"));
	putchar('\n');
}

int verb_top(struct ctl *c)
{
	json_t *before, *after, *rates;
	int rc, status = verb_ask(c, "x-carrel-counters", NULL, &before);

	if (status)
		return status;
	for (unsigned n = 0; !c->o.count || n < c->o.count; n++) {
		/* A guest may cause more events than a socket has room for. */
		rc = qmp_rest(&c->q, c->o.interval_s);
		status = rc ? verb_fail(c, rc)
			    : verb_ask(c, "x-carrel-counters", NULL, &after);
		if (status)
			break;
		rates = top_rates(before, after);
		if (c->o.json)
			show_json(stdout, rates, false);
		else
			print_table(rates);
		json_decref(rates);
		json_decref(before);
		before = after;
		if (fflush(stdout))
			break; /* main says so */
	}
	json_decref(before);
	return status;
}
