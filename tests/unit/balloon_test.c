/* SPDX-License-Identifier: Apache-2.0 */
/*
 * balloon_test: requests that the balloon refuses, by every queue; then memory
 * that is given back and reads as zeroes, poison, statistics, the target and
 * the news of it.
 */
#include "tests/unit/virtio_rig.h"

#include <sys/timerfd.h>

#include "devices/balloon.h"
#include "vmm/clock.h"

#define OURS                                                                   \
	(BALLOON_F_STATS_VQ | BALLOON_F_DEFLATE_ON_OOM |                       \
	 BALLOON_F_PAGE_POISON | BALLOON_F_REPORTING)
#define FEATURES (VIRTIO_F_VERSION_1 | OURS)
#define READS 0u
#define WRITES VRING_DESC_WRITE
#define PAGES (RIG_RAM / BALLOON_PAGE)
#define FILLED 0x200000ull /* the second half: what tests give back */
#define PFN(i) ((uint32_t)(FILLED / BALLOON_PAGE + (i)))

enum { INFLATE, DEFLATE, STATS, REPORT, LITERAL };

struct world {
	struct rig rig;
	struct event event;
	struct balloon balloon;
	unsigned told;
	uint64_t actual;
};

static void changed(void *ctx, uint64_t actual_bytes)
{
	struct world *w = ctx;

	w->told++;
	w->actual = actual_bytes;
}

static int setup(void **state)
{
	static struct world w;

	w = (struct world){ .told = 0 };
	rig_open(&w.rig);
	assert_int_equal(event_open(&w.event), 0);
	assert_int_equal(balloon_attach(&w.balloon, &w.rig.pci, RIG_DEVFN,
					&w.rig.mem, &w.rig.irq, &w.event, NULL),
			 0);
	w.balloon.changed = changed;
	w.balloon.changed_ctx = &w;
	rig_place(&w.rig);
	rig_msix(&w.rig, &w.balloon.pci.msix);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	balloon_close(&w->balloon);
	event_close(&w->event);
	rig_close(&w->rig);
	return 0;
}

static void fill(struct world *w)
{
	/* The requests' pages, too: what is resident is counted. */
	assert_int_equal(
		gmem_fill(&w->rig.mem, at(RIG_DATA), 0xa5, RIG_RAM - RIG_DATA),
		0);
}

static bool is_zero(struct world *w, unsigned page)
{
	uint8_t b[2];

	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(
			gmem_read(&w->rig.mem,
				  at((PFN(page) + i) * BALLOON_PAGE - i), &b[i],
				  1),
			0);
	if (b[0] != b[1])
		fail_msg("page %u: half given back", page);
	return !b[0];
}

/* One descriptor; false: the device broke. */
static bool send(struct world *w, uint16_t q, uint64_t addr, uint32_t len,
		 unsigned flags)
{
	uint32_t written;

	rig_desc(&w->rig, RIG_DESC(q), 0, addr, len, flags, 0);
	rig_offer(&w->rig, q, 0);
	rig_kick(&w->rig, q);
	return rig_wait(&w->rig, q, &written) && written == 0;
}

static bool send_pfns(struct world *w, uint16_t q, const uint32_t *pfn,
		      unsigned n)
{
	assert_int_equal(
		gmem_write(&w->rig.mem, at(RIG_DATA), pfn, n * sizeof(*pfn)),
		0);
	return send(w, q, RIG_DATA, (uint32_t)(n * sizeof(*pfn)), READS);
}

static void refuses(void **state)
{
	static const struct {
		const char *name;
		uint16_t q;
		uint32_t flags, len;
		uint64_t addr;
	} t[] = {
		{ "inflate: to write", INFLATE, WRITES, 4, RIG_DATA },
		{ "inflate: half a number", INFLATE, READS, 6, RIG_DATA },
		{ "inflate: too many", INFLATE, READS, 4 * BALLOON_PFNS_MAX + 4,
		  RIG_DATA },
		{ "inflate: numbers in a hole", INFLATE, READS, 4, RIG_RAM },
		{ "inflate: a page behind RAM", INFLATE, READS, 4,
		  RIG_DATA + 4 },
		{ "inflate: the last number", INFLATE, READS, 4, RIG_DATA + 8 },
		{ "inflate: over the end", INFLATE, READS, 8, RIG_DATA + 12 },
		{ "deflate: to write", DEFLATE, WRITES, 4, RIG_DATA },
		{ "stats: to write", STATS, WRITES, 10, RIG_DATA },
		{ "stats: a hole", STATS, READS, 10, RIG_RAM },
		{ "report: to read", REPORT, READS, 4096, FILLED },
		{ "report: half a page", REPORT, WRITES, 2048, FILLED },
		{ "report: a page and a half", REPORT, WRITES, 6144, FILLED },
		{ "report: askew", REPORT, WRITES, 4096, FILLED + 2048 },
		{ "report: behind RAM", REPORT, WRITES, 4096, RIG_RAM },
		{ "report: over the end", REPORT, WRITES, 8192,
		  RIG_RAM - 4096 },
		{ "report: wraps", REPORT, WRITES, 8192, ~0xfffull },
		{ "report by the text's number: a hole", LITERAL, WRITES, 4096,
		  RIG_RAM },
	};
	const uint32_t bad[] = { PFN(0), PAGES, ~0u, PAGES - 1, PAGES };
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		rig_start(&w->rig, FEATURES, BALLOON_QUEUES);
		assert_int_equal(
			gmem_write(&w->rig.mem, at(RIG_DATA), bad, sizeof(bad)),
			0);
		if (send(w, t[i].q, t[i].addr, t[i].len, t[i].flags))
			fail_msg("%s: answered", t[i].name);
		if (rig_status(&w->rig) != (15 | VIRTIO_S_NEEDS_RESET))
			fail_msg("%s: %x", t[i].name, rig_status(&w->rig));
	}
}

static void inflates(void **state)
{
	/* Up, down, alone, twice, and a chain of a row across two chunks. */
	const uint32_t pfn[] = { PFN(3), PFN(4), PFN(5),  PFN(20),  PFN(19),
				 PFN(9), PFN(9), PFN(18), PAGES - 1 };
	static const uint8_t gone[] = { 3, 4, 5, 9, 18, 19, 20 };
	struct world *w = *state;
	struct balloon_counts c;
	uint64_t before;

	rig_start(&w->rig, FEATURES, BALLOON_QUEUES);
	fill(w);
	before = gmem_resident(&w->rig.mem);
	assert_true(send_pfns(w, INFLATE, pfn, ARRAY_LEN(pfn)));
	assert_true(rig_waits_irq(&w->rig, &w->balloon.pci.msix, 1 + INFLATE));
	assert_int_equal(before - gmem_resident(&w->rig.mem), 8 * BALLOON_PAGE);
	for (unsigned i = 0, k = 0; i < 24; i++) {
		bool want = k < ARRAY_LEN(gone) && gone[k] == i;

		assert_int_equal(is_zero(w, i), want);
		k += want;
	}
	assert_true(send_pfns(w, DEFLATE, pfn, 1));
	fill(w);
	assert_int_equal(gmem_resident(&w->rig.mem), before);
	balloon_count(&w->balloon, &c);
	assert_int_equal(c.inflated_bytes, 9 * BALLOON_PAGE);
	assert_true(send_pfns(w, INFLATE, pfn, 0) ||
		    rig_status(&w->rig) & VIRTIO_S_NEEDS_RESET);
}

static void inflates_many(void **state)
{
	static uint32_t pfn[2000];
	struct world *w = *state;
	uint64_t before;

	for (unsigned i = 0; i < ARRAY_LEN(pfn); i++)
		pfn[i] = PFN(i % 400);
	rig_start(&w->rig, FEATURES, BALLOON_QUEUES);
	fill(w);
	before = gmem_resident(&w->rig.mem);
	assert_true(send_pfns(w, INFLATE, pfn, ARRAY_LEN(pfn)));
	assert_int_equal(before - gmem_resident(&w->rig.mem),
			 400 * BALLOON_PAGE);
}

static void reports(void **state)
{
	/* Compact without statistics, and the numbers of the text. */
	static const struct {
		uint64_t features;
		uint16_t q;
	} t[] = {
		{ FEATURES, REPORT },
		{ FEATURES, LITERAL },
		{ FEATURES & ~BALLOON_F_STATS_VQ, STATS },
		{ FEATURES & ~BALLOON_F_STATS_VQ, LITERAL },
	};
	struct world *w = *state;
	struct balloon_counts c;

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		rig_start(&w->rig, t[i].features, BALLOON_QUEUES);
		fill(w);
		assert_true(send(w, t[i].q, FILLED, 2 * BALLOON_PAGE, WRITES));
		assert_true(is_zero(w, 0) && is_zero(w, 1) && !is_zero(w, 2));
	}
	balloon_count(&w->balloon, &c);
	assert_int_equal(c.reported_bytes, ARRAY_LEN(t) * 2 * BALLOON_PAGE);
	/* Without the feature there is no such queue. */
	rig_start(&w->rig, FEATURES & ~BALLOON_F_REPORTING, BALLOON_QUEUES);
	assert_false(send(w, LITERAL, FILLED, 2 * BALLOON_PAGE, WRITES));
}

static void leaves_poison(void **state)
{
	struct world *w = *state;

	rig_start(&w->rig, FEATURES, BALLOON_QUEUES);
	fill(w);
	reg_set(&w->rig, VIRTIO_PCI_DEVICE + BALLOON_POISON, 4, 0xaaaaaaaa);
	assert_int_equal(
		reg_get(&w->rig, VIRTIO_PCI_DEVICE + BALLOON_POISON, 4),
		0xaaaaaaaa);
	assert_true(send(w, REPORT, FILLED, BALLOON_PAGE, WRITES));
	assert_false(is_zero(w, 0));
	/* Zero is a pattern that we can do. */
	reg_set(&w->rig, VIRTIO_PCI_DEVICE + BALLOON_POISON, 4, 0);
	assert_true(send(w, REPORT, FILLED, BALLOON_PAGE, WRITES));
	assert_true(is_zero(w, 0));
	/* One that was not negotiated does not count; nor after a reset. */
	rig_start(&w->rig, FEATURES & ~BALLOON_F_PAGE_POISON, BALLOON_QUEUES);
	reg_set(&w->rig, VIRTIO_PCI_DEVICE + BALLOON_POISON, 4, 1);
	fill(w);
	assert_true(send(w, REPORT, FILLED, BALLOON_PAGE, WRITES));
	assert_true(is_zero(w, 0));
	rig_start(&w->rig, FEATURES, BALLOON_QUEUES);
	assert_int_equal(
		reg_get(&w->rig, VIRTIO_PCI_DEVICE + BALLOON_POISON, 4), 0);
}

static void put_stat(struct world *w, unsigned i, uint16_t tag, uint64_t v)
{
	uint8_t b[10];

	put_le16(b, tag);
	put_le64(b + 2, v);
	assert_int_equal(gmem_write(&w->rig.mem, at(RIG_DATA + 10 * i), b, 10),
			 0);
}

static void wait_stats(struct world *w, uint64_t free_bytes)
{
	struct balloon_counts c;

	for (int i = 0; i < 25000; i++) {
		balloon_count(&w->balloon, &c);
		if (c.stats && c.stat[BALLOON_FREE] == free_bytes)
			return;
		rig_nap();
	}
	fail_msg("no statistics");
}

static void asks_for_statistics(void **state)
{
	struct world *w = *state;
	struct balloon_counts c;
	uint32_t len;
	uint16_t idx;

	rig_start(&w->rig, FEATURES, BALLOON_QUEUES);
	balloon_count(&w->balloon, &c);
	assert_int_equal(c.stats, 0);
	put_stat(w, 0, BALLOON_FREE, 4711);
	put_stat(w, 1, 0xffff, 1);
	put_stat(w, 2, BALLOON_STATS, 1);
	put_stat(w, 3, BALLOON_TOTAL, ~0ull);
	put_stat(w, 4, BALLOON_CACHES, INT64_MAX);
	/* And a part of one more. */
	rig_desc(&w->rig, RIG_DESC(STATS), 0, RIG_DATA, 55, READS, 0);
	rig_offer(&w->rig, STATS, 0);
	rig_kick(&w->rig, STATS);
	wait_stats(w, 4711);
	balloon_count(&w->balloon, &c);
	assert_int_equal(c.stats, 1u << BALLOON_FREE | 1u << BALLOON_CACHES);
	assert_int_equal(c.stat[BALLOON_CACHES], INT64_MAX);
	/* The buffer is ours until a look finds them old. */
	assert_int_equal(
		gmem_load16(&w->rig.mem, at(RIG_USED(STATS) + 2), &idx), 0);
	if (c.stat_age_ns < 500ull * CLOCK_NS_PER_MS)
		assert_int_equal(idx, 0);
	nanosleep(&(struct timespec){ .tv_nsec = 600 * CLOCK_NS_PER_MS }, NULL);
	balloon_count(&w->balloon, &c);
	assert_int_equal(c.stat[BALLOON_FREE], 4711);
	assert_true(rig_wait(&w->rig, STATS, &len));
	put_stat(w, 0, BALLOON_FREE, 42);
	rig_offer(&w->rig, STATS, 0);
	rig_kick(&w->rig, STATS);
	wait_stats(w, 42);
	/* A second buffer waits for the first, and a reset forgets both. */
	rig_offer(&w->rig, STATS, 0);
	rig_kick(&w->rig, STATS);
	rig_start(&w->rig, FEATURES, BALLOON_QUEUES);
	balloon_count(&w->balloon, &c);
	assert_int_equal(c.stats, 0);
}

static void stop_loop(void *ctx, int fd, uint32_t events)
{
	(void)fd;
	(void)events;
	event_stop(ctx);
}

static void run_for(struct world *w, unsigned ms)
{
	struct itimerspec when = { .it_value = { ms / 1000,
						 ms % 1000 * 1000000 } };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	assert_int_equal(timerfd_settime(fd, 0, &when, NULL), 0);
	assert_int_equal(
		event_add(&w->event, fd, EPOLLIN, stop_loop, &w->event), 0);
	assert_int_equal(event_run(&w->event), 0);
	event_remove(&w->event, fd);
	close(fd);
}

static void target_and_news(void **state)
{
	static const struct {
		uint64_t bytes, pages;
	} t[] = {
		{ RIG_RAM / 2, PAGES / 2 },
		{ 1, PAGES - 1 },
		{ RIG_RAM, 0 },
		{ ~0ull, 0 },
		{ RIG_RAM - 1, 0 },
		{ RIG_RAM - 4096, 1 },
	};
	const uint64_t actual = VIRTIO_PCI_DEVICE + BALLOON_ACTUAL;
	struct world *w = *state;
	struct balloon_counts c;
	uint64_t start;

	rig_start(&w->rig, FEATURES, BALLOON_QUEUES);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		balloon_set(&w->balloon, t[i].bytes);
		assert_true(rig_fired(&w->rig, &w->balloon.pci.msix, 0));
		assert_int_equal(reg_get(&w->rig, VIRTIO_PCI_DEVICE, 4),
				 t[i].pages);
	}
	/* The driver cannot write it, nor half a field. */
	reg_set(&w->rig, VIRTIO_PCI_DEVICE, 4, 7);
	reg_set(&w->rig, actual, 2, 7);
	reg_set(&w->rig, actual + 2, 4, 7);
	assert_int_equal(reg_get(&w->rig, VIRTIO_PCI_DEVICE, 8), 1);
	run_for(w, 5);
	assert_int_equal(w->told, 0);
	start = clock_ns();
	for (unsigned i = 1; i <= 100; i++) {
		reg_set(&w->rig, actual, 4, i);
		run_for(w, 1);
	}
	run_for(w, 1100);
	assert_in_range(w->told, 2, 1 + (clock_ns() - start) / CLOCK_NS_PER_S);
	assert_int_equal(w->actual, RIG_RAM - 100 * BALLOON_PAGE);
	reg_set(&w->rig, actual, 4, ~0u);
	balloon_count(&w->balloon, &c);
	assert_int_equal(c.actual_bytes, 0);
	assert_int_equal(c.target_bytes, RIG_RAM - 4096);
	/* A reset frees all of it, and changes no target. */
	reg_set(&w->rig, 20, 1, 0);
	assert_int_equal(reg_get(&w->rig, VIRTIO_PCI_DEVICE, 8), 1);
}

/* Whatever comes while the VM is paused is done afterwards. */
static void pauses(void **state)
{
	const uint32_t pfn[] = { PFN(0) };
	struct world *w = *state;
	uint32_t len;

	rig_start(&w->rig, FEATURES, BALLOON_QUEUES);
	fill(w);
	balloon_pause(&w->balloon);
	assert_int_equal(gmem_write(&w->rig.mem, at(RIG_DATA), pfn, 4), 0);
	rig_desc(&w->rig, RIG_DESC(INFLATE), 0, RIG_DATA, 4, READS, 0);
	rig_offer(&w->rig, INFLATE, 0);
	rig_kick(&w->rig, INFLATE);
	nanosleep(&(struct timespec){ .tv_nsec = 50 * CLOCK_NS_PER_MS }, NULL);
	assert_false(is_zero(w, 0));
	balloon_resume(&w->balloon);
	assert_true(rig_wait(&w->rig, INFLATE, &len));
	assert_true(is_zero(w, 0));
}

int main(void)
{
#define WORLD(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		WORLD(refuses),		WORLD(inflates),
		WORLD(inflates_many),	WORLD(reports),
		WORLD(leaves_poison),	WORLD(asks_for_statistics),
		WORLD(target_and_news), WORLD(pauses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
