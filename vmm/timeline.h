/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timeline: what happened when, from the start of the process to the end of
 * the VM: a table of marks of a fixed size, in three lanes. Any thread may
 * mark; nobody waits, and the only system call is the clock (vDSO). What the
 * guest can cause is marked the first time or a few times, so that it can
 * neither fill the table nor slow anything down. A timeline of NULL takes
 * every call and does nothing.
 */
#ifndef CARREL_VMM_TIMELINE_H
#define CARREL_VMM_TIMELINE_H

#include <stdatomic.h>

#include "vmm/num.h"

#define TIMELINE_MARKS 64 /* of a lane; what is too much is counted */
#define TIMELINE_WHAT 24

enum timeline_lane {
	TIMELINE_HOST, /* phases of carrel's own start, one after the other */
	TIMELINE_PSP, /* commands of the secure processor */
	TIMELINE_GUEST,
	TIMELINE_LANES
};

/*
 * What is marked once, when it is seen first. How it is inferred from what the
 * guest does is in docs/timeline.md. The first part are phases: each lasts
 * until the next one that comes.
 */
enum timeline_once {
	ONCE_SEC,
	ONCE_PEI,
	ONCE_DXE,
	ONCE_BDS,
	ONCE_KERNEL,
	ONCE_ACPI,
	ONCE_DRIVERS,
	ONCE_USER,
	ONCE_READY,
	ONCE_LOGIN,
	ONCE_PHASES,
	ONCE_ENTRY = ONCE_PHASES,
	ONCE_FWCFG_DMA,
	ONCE_CONSOLE,
	ONCE_COUNT
};

struct timeline_mark {
	const char *name; /* static */
	char what[TIMELINE_WHAT]; /* of several: which; or why */
	uint64_t start_ns, end_ns; /* clock_ns; 0 as end: still goes on */
	uint64_t exits; /* of all vCPUs until its start */
	uint64_t bytes;
	bool span, failed; /* span: it has a duration */
	_Atomic(bool) ready; /* all the above is written */
};

struct timeline {
	uint64_t process_ns, main_ns; /* clock_ns: started, and in main */
	bool firmware; /* the guest begins there, not in a kernel */
	uint64_t (*exits)(const void *ctx); /* so far; may be NULL */
	const void *exits_ctx;
	_Atomic(uint32_t) seen; /* a bit an enum timeline_once */
	struct timeline_mark once[ONCE_COUNT]; /* theirs, in the guest's lane */
	unsigned login; /* how much of the prompt has been printed */
	struct {
		_Atomic(uint32_t) n; /* taken, ready or not */
		_Atomic(uint64_t) dropped;
		struct timeline_mark mark[TIMELINE_MARKS];
	} lane[TIMELINE_LANES];
	struct timeline_mark *phase; /* that goes on; main thread only */
	bool ended;
};

/* First thing in main: when the process began, by the kernel's account. */
void timeline_start(struct timeline *t);

/* Main thread: the host's phase ends here and another, if not NULL, begins. */
void timeline_phase(struct timeline *t, const char *name);

/* A moment; a span that ends now. name: static; what: copied, may be NULL. */
void timeline_moment(struct timeline *t, enum timeline_lane lane,
		     const char *name, const char *what);
void timeline_span(struct timeline *t, enum timeline_lane lane,
		   const struct timeline_mark *m);

/* Main thread: QMP's events RESUME, STOP, RESET and SHUTDOWN are marks. */
void timeline_event(struct timeline *t, const char *event, const char *reason);

/* A vCPU is about to enter the guest for its first time. */
void timeline_entry(struct timeline *t);

/* The slow path of timeline_once.h. */
void timeline_first(struct timeline *t, enum timeline_once w, const char *what);
void timeline_printed(struct timeline *t, uint8_t byte);

#endif
