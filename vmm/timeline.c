/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timeline: see the header. A place in a lane is taken by an atomic increment,
 * filled, and then published by its flag; places are never given back. The last
 * one of the host's lane is kept for how the VM ended.
 */
#include "vmm/timeline.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/clock.h"
#include "vmm/timeline_once.h"

#define STAT_START 20 /* proc(5): field 22, the 20th after the name */
#define STAT_BYTES 512
#define PROMPT "login: "

static const struct {
	const char *name;
	int8_t after; /* counts only when this was seen before; -1: always */
	int8_t before; /* and this not yet; -1: always */
} onces[ONCE_COUNT] = {
	[ONCE_SEC] = { "sec", -1, -1 },
	[ONCE_PEI] = { "pei", ONCE_SEC, ONCE_KERNEL },
	[ONCE_DXE] = { "dxe", ONCE_PEI, ONCE_KERNEL },
	[ONCE_BDS] = { "bds", ONCE_DXE, ONCE_KERNEL },
	[ONCE_KERNEL] = { "kernel", ONCE_BDS, -1 },
	[ONCE_ACPI] = { "acpi", ONCE_KERNEL, -1 },
	[ONCE_DRIVERS] = { "drivers", ONCE_KERNEL, -1 },
	[ONCE_USER] = { "user", -1, -1 },
	[ONCE_READY] = { "ready", -1, -1 },
	[ONCE_LOGIN] = { "login", -1, -1 },
	[ONCE_ENTRY] = { "entry", -1, -1 },
	[ONCE_FWCFG_DMA] = { "fw-cfg-dma", -1, -1 },
	[ONCE_CONSOLE] = { "console", -1, -1 },
};

/*
 * In the clock's ticks since boot, which is coarse: the moment is at most a
 * tick later than this. Nor is it later than the processor time before now
 * that was used since: mostly the better word.
 */
static uint64_t kernel_start(uint64_t now)
{
	uint64_t boot = clock_read(CLOCK_BOOTTIME), ticks, tick, at;
	char text[STAT_BYTES], *p;
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	long hz = sysconf(_SC_CLK_TCK);

	if (fd >= 0)
		close(fd);
	if (n <= 0 || hz <= 0)
		return now;
	text[n] = '\0';
	p = strrchr(text, ')');
	for (int i = 0; p && i < STAT_START; i++)
		p = strchr(p + 1, ' ');
	ticks = p ? strtoull(p, NULL, 10) : 0;
	tick = CLOCK_NS_PER_S / (uint64_t)hz;
	if (!ticks || !mul_u64(ticks, tick, &at) || at > boot)
		return now;
	/* Its latest moment; from the clock that counts sleep to ours. */
	return now - min_u64(boot - at, now) + min_u64(tick, boot - at);
}

void timeline_start(struct timeline *t)
{
	uint64_t now = clock_ns(), used = clock_read(CLOCK_PROCESS_CPUTIME_ID);

	*t = (struct timeline){ .main_ns = now };
	t->process_ns = min_u64(kernel_start(now), now - min_u64(used, now));
}

static struct timeline_mark *take(struct timeline *t, enum timeline_lane lane)
{
	const uint32_t kept = lane == TIMELINE_HOST ? 1 : 0;
	uint32_t max = TIMELINE_MARKS - kept;
	uint32_t n = max;

	if (atomic_load_explicit(&t->lane[lane].n, memory_order_relaxed) < max)
		n = atomic_fetch_add(&t->lane[lane].n, 1);
	if (n < max)
		return &t->lane[lane].mark[n];
	atomic_fetch_add(&t->lane[lane].dropped, 1);
	return NULL;
}

static void put_what(struct timeline_mark *m, const char *what)
{
	size_t n = what ? strnlen(what, TIMELINE_WHAT - 1) : 0;

	if (n)
		bytes_copy(m->what, sizeof(m->what), what, n);
	m->what[n] = '\0';
}

static uint64_t exits_of(const struct timeline *t)
{
	return t->exits ? t->exits(t->exits_ctx) : 0;
}

static void put(struct timeline *t, struct timeline_mark *m, const char *name,
		const char *what)
{
	m->name = name;
	put_what(m, what);
	m->start_ns = m->end_ns = clock_ns();
	m->exits = exits_of(t);
}

static void publish(struct timeline_mark *m)
{
	atomic_store_explicit(&m->ready, true, memory_order_release);
}

void timeline_moment(struct timeline *t, enum timeline_lane lane,
		     const char *name, const char *what)
{
	struct timeline_mark *m = t ? take(t, lane) : NULL;

	if (!m)
		return;
	put(t, m, name, what);
	publish(m);
}

void timeline_span(struct timeline *t, enum timeline_lane lane,
		   const struct timeline_mark *from)
{
	struct timeline_mark *m = t ? take(t, lane) : NULL;

	if (!m)
		return;
	put(t, m, from->name, from->what);
	m->start_ns = from->start_ns;
	m->bytes = from->bytes;
	m->failed = from->failed;
	m->span = true;
	publish(m);
}

void timeline_phase(struct timeline *t, const char *name)
{
	uint64_t now = clock_ns();
	struct timeline_mark *m;

	if (!t || t->ended)
		return;
	if (t->phase)
		t->phase->end_ns = now;
	t->phase = NULL;
	m = name ? take(t, TIMELINE_HOST) : NULL;
	if (!m)
		return;
	put(t, m, name, NULL);
	m->start_ns = now;
	m->end_ns = 0;
	m->span = true;
	t->phase = m;
	publish(m);
}

/* In the place that is kept for it. */
static void end(struct timeline *t, const char *reason)
{
	struct timeline_mark *m =
		&t->lane[TIMELINE_HOST].mark[TIMELINE_MARKS - 1];

	timeline_phase(t, NULL);
	if (t->ended)
		return;
	t->ended = true;
	put(t, m, "end", reason);
	publish(m);
}

void timeline_event(struct timeline *t, const char *event, const char *reason)
{
	if (!t)
		return;
	if (!strcmp(event, "STOP"))
		timeline_phase(t, "paused");
	else if (!strcmp(event, "RESUME"))
		timeline_phase(t, NULL);
	else if (!strcmp(event, "RESET"))
		timeline_moment(t, TIMELINE_HOST, "reset", reason);
	else if (!strcmp(event, "SHUTDOWN"))
		end(t, reason);
}

/* Whoever sets the bit marks it, in its own place. */
static void first(struct timeline *t, enum timeline_once w, const char *what)
{
	if (atomic_fetch_or(&t->seen, 1u << w) >> w & 1)
		return;
	put(t, &t->once[w], onces[w].name, what);
	publish(&t->once[w]);
}

void timeline_first(struct timeline *t, enum timeline_once w, const char *what)
{
	uint32_t seen = atomic_load(&t->seen);

	if ((onces[w].after < 0 || (seen >> onces[w].after & 1)) &&
	    (onces[w].before < 0 || !(seen >> onces[w].before & 1)))
		first(t, w, what);
}

void timeline_entry(struct timeline *t)
{
	if (!t)
		return;
	first(t, ONCE_ENTRY, NULL);
	first(t, t->firmware ? ONCE_SEC : ONCE_KERNEL, "first entry");
}

void timeline_printed(struct timeline *t, uint8_t byte)
{
	static const char prompt[] = PROMPT;

	timeline_once(t, ONCE_CONSOLE, NULL);
	/* No part of it but its first byte begins it. */
	if (byte != (uint8_t)prompt[t->login])
		t->login = byte == (uint8_t)prompt[0];
	else if (++t->login == sizeof(prompt) - 1)
		timeline_first(t, ONCE_LOGIN, "text on the console");
}
