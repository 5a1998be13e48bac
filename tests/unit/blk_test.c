/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blk_test: a driver that gets block requests right, a file that does not hold
 * still, pauses and resets. What is refused is in blk_refusal_test.
 */
#include "tests/unit/blk_rig.h"

#include <sys/stat.h>

#include "tests/unit/capture.h"

static void reads_and_writes(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;
	uint8_t guest[1024], host[1024];
	uint32_t used;

	assert_int_equal(request(r, 0, 0, SECTORS - 2, 1024, true, &used), 0);
	assert_int_equal(used, 1025);
	assert_true(rig_waits_irq(r, &w->blk.pci.msix, 1));
	assert_int_equal(gmem_read(&r->mem, at(DATA), guest, 1024), 0);
	assert_int_equal(pread(w->fd, host, 1024, DISK_BYTES - 1024), 1024);
	assert_memory_equal(guest, host, 1024);

	memset(guest, 0xa5, sizeof(guest));
	assert_int_equal(gmem_write(&r->mem, at(DATA), guest, 1024), 0);
	assert_int_equal(request(r, 1, 1, 7, 1024, false, &used), 0);
	assert_int_equal(used, 1);
	assert_true(rig_waits_irq(r, &w->blk.pci.msix, 2));
	assert_int_equal(pread(w->fd, host, 1024, 7 * 512), 1024);
	assert_memory_equal(guest, host, 1024);
	assert_int_equal(request(r, 1, 4, 0, 0, false, &used), 0);
}

/* Two queues, one sum; what failed is an error and nothing else. */
static void counts(void **state)
{
	static const uint64_t want[DISK_COUNTERS] = {
		[DISK_READS] = 2,   [DISK_READ_BYTES] = 1536,
		[DISK_WRITES] = 1,  [DISK_WRITTEN_BYTES] = 512,
		[DISK_FLUSHES] = 1, [DISK_ERRORS] = 2,
	};
	struct world *w = *state;
	struct rig *r = &w->rig;
	struct disk_counts got;
	uint32_t used;

	blk_count(&w->blk, &got);
	for (size_t i = 0; i < DISK_COUNTERS; i++)
		assert_int_equal(got.n[i], 0);
	(void)request(r, 0, 0, 0, 1024, true, &used);
	(void)request(r, 1, 0, 0, 512, true, &used);
	(void)request(r, 1, 1, 0, 512, false, &used);
	(void)request(r, 0, 4, 0, 0, false, &used);
	(void)request(r, 0, 1, SECTORS, 512, false, &used);
	(void)request(r, 0, 77, 0, 0, false, &used);
	(void)request(r, 0, 8, 0, 20, true, &used);
	blk_count(&w->blk, &got);
	assert_string_equal(got.id, "disk-under-test-0123456");
	for (size_t i = 0; i < DISK_COUNTERS; i++)
		assert_int_equal(got.n[i], want[i]);
}

static void cuts_buffers_anywhere(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;
	uint8_t guest[1024], host[1024];
	uint32_t used;

	/* 16 = 5 + 11; 1024 data bytes and the status = 1 + 1000 + 24. */
	put_header(r, 0, 3);
	rig_desc(r, RIG_DESC(0), 4, HEADER, 5, N, 9);
	rig_desc(r, RIG_DESC(0), 9, HEADER + 5, 11, N, 2);
	rig_desc(r, RIG_DESC(0), 2, DATA, 1, N | W, 3);
	rig_desc(r, RIG_DESC(0), 3, DATA + 1, 1000, N | W, 1);
	rig_desc(r, RIG_DESC(0), 1, DATA + 1001, 24, W, 1);
	rig_offer(r, 0, 4);
	rig_kick(r, 0);
	assert_true(rig_wait(r, 0, &used));
	assert_int_equal(used, 1025);
	assert_int_equal(gmem_read(&r->mem, at(DATA), guest, 1024), 0);
	assert_int_equal(pread(w->fd, host, 1024, 3 * 512), 1024);
	assert_memory_equal(guest, host, 1024);
	assert_int_equal(gmem_read(&r->mem, at(DATA + 1024), guest, 1), 0);
	assert_int_equal(guest[0], 0);
}

static void takes_indirect(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;
	uint64_t table = RIG_DATA + 0x8000;
	uint32_t used;

	put_header(r, 0, 0);
	rig_desc(r, table, 0, HEADER, 16, N, 1);
	rig_desc(r, table, 1, DATA, 512, N | W, 2);
	rig_desc(r, table, 2, STATUS, 1, W, 0);
	rig_desc(r, RIG_DESC(0), 5, table, 48, VRING_DESC_INDIRECT, 0);
	rig_offer(r, 0, 5);
	rig_kick(r, 0);
	assert_true(rig_wait(r, 0, &used));
	assert_int_equal(used, 513);
	assert_int_equal(get_status(r), 0);
}

static void gets_its_id(void **state)
{
	struct world *w = *state;
	char id[24] = { 0 };
	uint32_t used;

	assert_int_equal(request(&w->rig, 0, 8, 0, 20, true, &used), 0);
	assert_int_equal(used, 21);
	assert_int_equal(gmem_read(&w->rig.mem, at(DATA), id, 20), 0);
	assert_string_equal(id, "disk-under-test-0123");
	/* A driver with less room gets less. */
	assert_int_equal(request(&w->rig, 0, 8, 0, 4, true, &used), 0);
	assert_int_equal(used, 5);
}

static void discards_and_zeroes(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;
	uint8_t b[4096], zero[4096] = { 0 }, range[32] = { 0 };
	struct stat before, after;
	uint32_t used;

	put_le64(range, 8); /* two ranges: sectors 8 to 23, 32 to 39 */
	put_le32(range + 8, 16);
	put_le64(range + 16, 32);
	put_le32(range + 24, 8);
	assert_int_equal(fstat(w->fd, &before), 0);
	assert_int_equal(gmem_write(&r->mem, at(DATA), range, 32), 0);
	assert_int_equal(request(r, 0, 11, 0, 32, false, &used), 0);
	assert_int_equal(fstat(w->fd, &after), 0);
	assert_int_equal(after.st_size, DISK_BYTES);
	assert_true(after.st_blocks < before.st_blocks);
	assert_int_equal(pread(w->fd, b, 4096, 32 * 512), 4096);
	assert_memory_equal(b, zero, 4096);

	for (uint32_t unmap = 0; unmap < 2; unmap++) {
		put_le64(range, 64 + unmap * 8);
		put_le32(range + 8, 7);
		put_le32(range + 12, unmap);
		assert_int_equal(gmem_write(&r->mem, at(DATA), range, 16), 0);
		assert_int_equal(request(r, 0, 13, 0, 16, false, &used), 0);
		assert_int_equal(pread(w->fd, b, 4096, (64 + unmap * 8) * 512),
				 4096);
		assert_memory_equal(b, zero, 3584);
		assert_memory_not_equal(b + 3584, zero, 512);
	}
}

static void keeps_readonly(void **state)
{
	static const uint32_t writes[] = { 1, 11, 13 };
	struct world *w = *state;
	uint8_t range[16] = { [8] = 8 };
	uint8_t before[4096], after[4096];
	uint32_t used;

	assert_true(rig_features(&w->rig) & F_RO);
	assert_false(rig_features(&w->rig) & (1ull << 13 | 1ull << 14));
	assert_int_equal(pread(w->fd, before, 4096, 0), 4096);
	assert_int_equal(gmem_write(&w->rig.mem, at(DATA), range, 16), 0);
	for (size_t i = 0; i < ARRAY_LEN(writes); i++)
		assert_int_equal(request(&w->rig, 0, writes[i], 0,
					 writes[i] == 1 ? 512 : 16, false,
					 &used),
				 1);
	assert_int_equal(pread(w->fd, after, 4096, 0), 4096);
	assert_memory_equal(before, after, 4096);
	assert_int_equal(request(&w->rig, 0, 0, 0, 512, true, &used), 0);
}

/* To the guest each time, to the log a few times. */
static void reports_a_shrunken_file(void **state)
{
	struct world *w = *state;
	uint8_t status = 0;
	unsigned lines = 0;
	struct capture c;
	char text[2048];
	uint32_t used;
	size_t len;

	assert_int_equal(ftruncate(w->fd, 1024), 0);
	assert_int_equal(request(&w->rig, 0, 0, 0, 1024, true, &used), 0);
	c = capture_begin();
	for (int i = 0; i < 20; i++) {
		status |= request(&w->rig, 0, 0, 1, 1024, true, &used) ^ 1;
		status |= (uint8_t)used;
	}
	len = capture_end(&c, text, sizeof(text));
	assert_int_equal(status, 0);
	assert_non_null(strstr(text, "0123456: read: Input/output error\n"));
	assert_string_equal(text + len - 18, " (last such line)\n");
	for (const char *s = text; *s; s++)
		lines += *s == '\n';
	assert_int_equal(lines, 8);
}

static void has_a_configuration(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;
	uint64_t c = VIRTIO_PCI_DEVICE;

	assert_int_equal(reg_get(r, c, 4), SECTORS);
	assert_int_equal(reg_get(r, c + 4, 4), 0);
	assert_int_equal(reg_get(r, c + 12, 4), 126);
	assert_int_equal(reg_get(r, c + 20, 4), 512);
	assert_int_equal(reg_get(r, c + 24, 1), 3);
	assert_int_equal(reg_get(r, c + 34, 2), 2);
	assert_int_equal(reg_get(r, c + 36, 4), 0x200000);
	assert_int_equal(reg_get(r, c + 56, 1), 1);
	assert_int_equal(reg_get(r, c + 60, 4), 0xffffffff);
	assert_int_equal(reg_get(r, c + 57, 8), ~0ull);
	reg_set(r, c, 4, 1);
	assert_int_equal(reg_get(r, c, 4), SECTORS);
}

/* Many requests on two queues at once, with pauses in between. */
static void works_under_pauses(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;
	uint32_t used;

	for (uint16_t q = 0; q < 2; q++) {
		put_header(r, 0, 0);
		rig_desc(r, RIG_DESC(q), 0, HEADER, 16, N, 1);
		rig_desc(r, RIG_DESC(q), 1, DATA + 0x2000u * q, 4096, N | W, 2);
		rig_desc(r, RIG_DESC(q), 2, STATUS + q, 1, W, 0);
	}
	for (int round = 0; round < 200; round++) {
		for (uint16_t q = 0; q < 2; q++) {
			for (int i = 0; i < RIG_QUEUE; i++)
				rig_offer(r, q, 0);
			rig_kick(r, q);
		}
		if (round % 3 == 0)
			blk_pause(&w->blk);
		if (round % 3 == 0)
			blk_resume(&w->blk);
		for (int i = 0; i < 2 * RIG_QUEUE; i++)
			assert_true(rig_wait(r, (uint16_t)(i % 2), &used));
	}
}

static void pause_stops_everything(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;
	uint16_t idx;
	uint32_t used;

	blk_pause(&w->blk);
	put_header(r, 0, 0);
	rig_desc(r, RIG_DESC(0), 0, HEADER, 16, N, 1);
	rig_desc(r, RIG_DESC(0), 1, STATUS, 1, W, 0);
	rig_offer(r, 0, 0);
	rig_kick(r, 0);
	for (int i = 0; i < 100; i++)
		rig_nap();
	assert_int_equal(gmem_load16(&r->mem, at(RIG_USED(0) + 2), &idx), 0);
	assert_int_equal(idx, 0);
	blk_resume(&w->blk);
	assert_true(rig_wait(r, 0, &used));
}

static void reset_forgets(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;
	uint32_t used;
	uint16_t idx;

	assert_int_equal(request(r, 0, 0, 0, 512, true, &used), 0);
	blk_reset(&w->blk);
	assert_int_equal(rig_status(r), 0);
	rig_offer(r, 0, 0);
	rig_kick(r, 0);
	for (int i = 0; i < 50; i++)
		rig_nap();
	assert_int_equal(gmem_load16(&r->mem, at(RIG_USED(0) + 2), &idx), 0);
	assert_int_equal(idx, 1);
	rig_start(r, FEATURES, 2);
	assert_int_equal(request(r, 0, 0, 0, 512, true, &used), 0);
	/* The board's reset: BARs are gone and have to be placed again. */
	pci_reset(&r->pci);
	assert_int_equal(rig_status(r), 0xff);
	rig_place(r);
	assert_int_equal(rig_status(r), 0);
	rig_start(r, FEATURES, 2);
	assert_int_equal(request(r, 0, 0, 0, 512, true, &used), 0);
}

/*
 * A read from the page cache, and behind it a flush, which may take long: an
 * interrupt each. Two reads may share one.
 */
static void announces_before_a_flush(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;
	struct msix *m = &w->blk.pci.msix;
	uint64_t flush = HEADER + 0x40, t = RIG_DESC(0);
	uint8_t h[16] = { 4 };
	uint64_t fired = 0;
	uint32_t used;

	(void)request(r, 0, 0, 0, 512, true, &used);
	(void)rig_waits_irq(r, m, 1);
	put_header(r, 0, 0);
	assert_int_equal(gmem_write(&r->mem, at(flush), h, 16), 0);
	rig_desc(r, t, 3, flush, 16, N, 4);
	rig_desc(r, t, 4, STATUS + 1, 1, W, 0);
	blk_pause(&w->blk);
	rig_offer(r, 0, 0);
	rig_offer(r, 0, 3);
	blk_resume(&w->blk);
	assert_true(rig_wait(r, 0, &used));
	assert_true(rig_wait(r, 0, &used));
	for (int nap = 0; nap < 50 && fired < 2; nap++) {
		fired += rig_fired(r, m, 1);
		rig_nap();
	}
	assert_int_equal(fired, 2);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(reads_and_writes),
		T(counts),
		T(cuts_buffers_anywhere),
		T(takes_indirect),
		T(gets_its_id),
		T(discards_and_zeroes),
		cmocka_unit_test_setup_teardown(keeps_readonly, setup_readonly,
						teardown),
		T(reports_a_shrunken_file),
		T(has_a_configuration),
		T(works_under_pauses),
		T(pause_stops_everything),
		T(reset_forgets),
		T(announces_before_a_flush),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
