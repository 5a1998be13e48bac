/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counters: what the VM did so far, as the control socket tells it: JSON for
 * x-carrel-counters, OpenMetrics text for x-carrel-metrics. Main thread only.
 * Both are made from one sample, which is plain numbers.
 */
#ifndef CARREL_VMM_COUNTERS_H
#define CARREL_VMM_COUNTERS_H

#include "vmm/board.h"
#include "vmm/control.h"
#include "vmm/machine.h"
#include "vmm/timeline.h"

#define COUNTERS_TYPE                                                          \
	"application/openmetrics-text; version=1.0.0; charset=utf-8"

struct counters {
	const struct machine *machine; /* its vm and its board, when open */
	const char *name; /* of the VM, or NULL */
	const struct timeline *timeline;
	uint64_t started_ns; /* clock_ns, when carrel was started */
};

struct counters_cpu {
	uint64_t exits[VCPU_EXITS];
	uint64_t cpu_ns;
};

struct counters_sample {
	const char *name, *status;
	uint64_t uptime_ns, cpu_ns; /* cpu: of all threads */
	uint64_t memory_bytes, resident_bytes; /* the guest's */
	unsigned n_cpus;
	struct counters_cpu cpu[VCPUS_MAX];
	struct board_counts board;
	struct balloon_counts balloon;
};

/* Registers both commands; c must live as long as the control socket. */
int counters_open(struct counters *c, struct control *control) MUST_USE;

void counters_take(const struct counters *c, struct counters_sample *s);

/* Pure. New reference, or NULL: no memory. */
json_t *counters_json(const struct counters_sample *s) MUST_USE;

/* metrics.c: the text, from malloc, or NULL: no memory. Pure. */
char *counters_metrics(const struct counters_sample *s) MUST_USE;

/*
 * The kinds of exits, as both forms name them, and what QEMU calls the words of
 * a balloon's driver.
 */
extern const char *const counters_exit[VCPU_EXITS];
extern const char *const counters_stat[BALLOON_STATS];

/*
 * A device's counts as both forms name them: the member of an object, which
 * with underscores is the middle of a family's name, and the family's help.
 */
struct counters_name {
	const char *name, *help;
};
extern const struct counters_name counters_disk[DISK_COUNTERS];
extern const struct counters_name counters_net[NET_COUNTERS];
extern const struct counters_name counters_vsock[VSOCK_COUNTERS];

#endif
