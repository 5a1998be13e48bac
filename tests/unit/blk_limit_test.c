/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blk_limit_test: a disk with a limit, which must keep requests back and lose
 * none, and let go of them at once for a pause, a reset and the end; and a disk
 * that grows while it runs.
 */
#include "tests/unit/blk_rig.h"

#include <errno.h>

#include "vmm/clock.h"

#define T_IN 0
#define T_FLUSH 4
#define T_WRITE_ZEROES 13
#define CAPACITY VIRTIO_PCI_DEVICE
#define AT_ONCE (500ull * CLOCK_NS_PER_MS) /* on a busy machine, too */

static void limit(struct world *w, struct rates r)
{
	blk_set_limit(&w->blk, &r);
}

static uint64_t counted(const struct world *w, enum disk_counter what)
{
	struct disk_counts c;

	blk_count(&w->blk, &c);
	return c.n[what];
}

/* Offers a read of a sector, and does not wait for it. */
static void offer(struct rig *r, uint16_t q, uint32_t type)
{
	put_header(r, type, 3);
	rig_desc(r, RIG_DESC(q), 0, HEADER, 16, N, type == T_IN ? 1 : 2);
	rig_desc(r, RIG_DESC(q), 1, DATA, 512, N | W, 2);
	rig_desc(r, RIG_DESC(q), 2, STATUS, 1, W, 0);
	rig_offer(r, q, 0);
	rig_kick(r, q);
}

static void await_throttled(const struct world *w, uint64_t n)
{
	for (int i = 0; counted(w, DISK_WAITS) < n && i < 25000; i++)
		rig_nap();
	assert_int_equal(counted(w, DISK_WAITS), n);
}

/* The first passes and leaves a debt of minutes, the second waits. */
static void stuck(struct world *w)
{
	uint32_t used;

	limit(w, (struct rates){ .bytes = 1 });
	assert_int_equal(request(&w->rig, 0, T_IN, 0, 512, true, &used), 0);
	offer(&w->rig, 0, T_IN);
	await_throttled(w, 1);
	assert_int_equal(get_status(&w->rig), NO_STATUS);
}

static void keeps_the_rate(void **state)
{
	struct world *w = *state;
	uint64_t start, ns;
	uint32_t used;

	limit(w, (struct rates){ .ops = 100, .ops_burst = 1 });
	start = clock_ns();
	for (int i = 0; i < 21; i++)
		assert_int_equal(request(&w->rig, i % 2 ? 1 : 0, T_IN, 0, 512,
					 true, &used),
				 0);
	ns = clock_ns() - start;
	/* Twenty had to wait for ten milliseconds each, and lost no one. */
	assert_true(ns >= 200ull * CLOCK_NS_PER_MS);
	assert_int_equal(counted(w, DISK_READS), 21);
	assert_in_range(counted(w, DISK_WAITS), 15, 21);
	assert_in_range(counted(w, DISK_WAIT_NS), 1, ns);
}

/* What costs an operation, and what bytes. */
static void costs(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;
	uint8_t range[16] = { 0 };
	uint32_t used;

	limit(w, (struct rates){ .bytes = 1, .bytes_burst = 100 });
	for (int i = 0; i < 5; i++)
		assert_int_equal(request(r, 0, T_FLUSH, 0, 0, false, &used), 0);
	put_le32(range + 8, 8); /* sectors */
	assert_int_equal(gmem_write(&r->mem, at(DATA), range, 16), 0);
	assert_int_equal(request(r, 0, T_WRITE_ZEROES, 0, 16, false, &used), 0);
	offer(r, 1, T_IN);
	await_throttled(w, 1);
	limit(w, (struct rates){ 0 });
	assert_true(rig_wait(r, 1, &used));
	limit(w, (struct rates){ .ops = 1 });
	assert_int_equal(request(r, 0, T_FLUSH, 0, 0, false, &used), 0);
	offer(r, 1, T_FLUSH);
	await_throttled(w, 2);
}

/* A pause does not wait for one that waits, and cont goes on with it. */
static void pause_and_lift(void **state)
{
	struct world *w = *state;
	uint64_t start;
	uint32_t used;

	stuck(w);
	start = clock_ns();
	blk_pause(&w->blk);
	assert_true(clock_ns() - start < AT_ONCE);
	limit(w, (struct rates){ 0 });
	for (int i = 0; i < 20; i++)
		rig_nap();
	assert_int_equal(get_status(&w->rig), NO_STATUS);
	blk_resume(&w->blk);
	assert_true(rig_wait(&w->rig, 0, &used));
	assert_int_equal(get_status(&w->rig), 0);
	assert_int_equal(counted(w, DISK_READS), 2);
}

static void reset_meanwhile(void **state)
{
	struct world *w = *state;
	uint64_t start;
	uint32_t used;

	stuck(w);
	start = clock_ns();
	reg_set(&w->rig, 20, 1, 0);
	assert_true(clock_ns() - start < AT_ONCE);
	/* The next driver inherits the debt, and not the request. */
	rig_start(&w->rig, FEATURES, 2);
	offer(&w->rig, 1, T_IN);
	for (int i = 0; i < 20; i++)
		rig_nap();
	assert_int_equal(get_status(&w->rig), NO_STATUS);
	limit(w, (struct rates){ .ops = 1000 });
	assert_true(rig_wait(&w->rig, 1, &used));
	assert_int_equal(counted(w, DISK_READS), 2);
}

/* Teardown ends the device with a request that waits. */
static void end_meanwhile(void **state)
{
	stuck(*state);
}

/* The thread sleeps, and a guest that rings and rings gets no more done. */
static void no_busy_loop(void **state)
{
	struct world *w = *state;
	uint64_t before, used_ns;

	stuck(w);
	before = clock_read(CLOCK_PROCESS_CPUTIME_ID);
	for (int i = 0; i < 500; i++)
		rig_nap();
	used_ns = clock_read(CLOCK_PROCESS_CPUTIME_ID) - before;
	assert_true(used_ns < 80ull * CLOCK_NS_PER_MS); /* of 100 and more */
	for (int i = 0; i < 500; i++) {
		rig_kick(&w->rig, 0);
		rig_nap();
	}
	assert_int_equal(get_status(&w->rig), NO_STATUS);
	assert_int_equal(counted(w, DISK_WAITS), 1);
}

static int resize(struct world *w, uint64_t bytes, uint64_t *found)
{
	return blk_resize(&w->blk, &w->rig.mmio, bytes, found);
}

static uint64_t shown(struct world *w)
{
	return reg_get(&w->rig, CAPACITY, 8);
}

static void resize_refused(void **state)
{
	struct world *w = *state;
	uint64_t found;

	assert_int_equal(resize(w, DISK_BYTES + 1, &found), -EINVAL);
	assert_int_equal(resize(w, DISK_BYTES - 512, &found), -ERANGE);
	assert_int_equal(resize(w, UINT64_MAX - 511, &found), -EFBIG);
	/* Somebody made it longer: that is not cut off again. */
	assert_int_equal(ftruncate(w->fd, DISK_BYTES + 4096), 0);
	assert_int_equal(resize(w, DISK_BYTES + 512, &found), -EPERM);
	assert_int_equal(found, DISK_BYTES + 4096);
	assert_int_equal(ftruncate(w->fd, DISK_BYTES + 100), 0);
	assert_int_equal(resize(w, 0, &found), -EINVAL);
	/* Or shorter: the disk does not follow. */
	assert_int_equal(ftruncate(w->fd, DISK_BYTES - 4096), 0);
	assert_int_equal(resize(w, 0, &found), -ERANGE);
	assert_int_equal(shown(w), SECTORS);
	assert_int_equal(rig_fired(&w->rig, &w->blk.pci.msix, 0), 0);
}

static void resize_grows(void **state)
{
	struct world *w = *state;
	uint8_t generation = (uint8_t)reg_get(&w->rig, 21, 1);
	uint32_t used;
	uint64_t found;

	/* The same size again is no news. */
	assert_int_equal(resize(w, DISK_BYTES, &found), 0);
	assert_int_equal(resize(w, 0, &found), 0);
	assert_int_equal(rig_fired(&w->rig, &w->blk.pci.msix, 0), 0);
	assert_int_equal(resize(w, 2 * DISK_BYTES, &found), 0);
	assert_int_equal(lseek(w->fd, 0, SEEK_END), 2 * DISK_BYTES);
	assert_int_equal(shown(w), 2 * SECTORS);
	assert_int_not_equal(reg_get(&w->rig, 21, 1), generation);
	assert_int_equal(rig_fired(&w->rig, &w->blk.pci.msix, 0), 1);
	assert_int_equal(
		request(&w->rig, 0, T_IN, 2 * SECTORS - 1, 512, true, &used),
		0);
	assert_int_equal(
		request(&w->rig, 0, T_IN, 2 * SECTORS, 512, true, &used), 1);
	/* A reset of the device keeps it. */
	rig_start(&w->rig, FEATURES, 2);
	assert_int_equal(shown(w), 2 * SECTORS);
}

static void resize_readonly(void **state)
{
	struct world *w = *state;
	uint64_t found;

	assert_int_equal(resize(w, 2 * DISK_BYTES, &found), -EPERM);
	assert_int_equal(found, DISK_BYTES);
	assert_int_equal(ftruncate(w->fd, 2 * DISK_BYTES), 0);
	assert_int_equal(resize(w, 0, &found), 0);
	assert_int_equal(shown(w), 2 * SECTORS);
}

#define RIG(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG(keeps_the_rate),
		RIG(costs),
		RIG(pause_and_lift),
		RIG(reset_meanwhile),
		RIG(end_meanwhile),
		RIG(no_busy_loop),
		RIG(resize_refused),
		RIG(resize_grows),
		cmocka_unit_test_setup_teardown(resize_readonly, setup_readonly,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
