/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blk_refusal_test: a driver that gets block requests wrong in every way.
 */
#include "tests/unit/blk_rig.h"

/* Chains that make no sense: three descriptors at most, the first is 0. */
struct refusal {
	const char *name;
	struct vring_desc d[3];
};

static void breaks_on_nonsense(void **state)
{
	static const struct refusal table[] = {
		{ "no status", { { HEADER, 16, 0, 0 } } },
		{ "status to read",
		  { { HEADER, 16, N, 1 }, { STATUS, 1, 0, 0 } } },
		{ "short header",
		  { { HEADER, 15, N, 1 }, { STATUS, 1, W, 0 } } },
		{ "header to write",
		  { { HEADER, 16, W | N, 1 }, { STATUS, 1, W, 0 } } },
		{ "header in a hole",
		  { { RIG_RAM, 16, N, 1 }, { STATUS, 1, W, 0 } } },
		{ "header wraps",
		  { { ~0ull - 7, 16, N, 1 }, { STATUS, 1, W, 0 } } },
		{ "status in a hole",
		  { { HEADER, 16, N, 1 }, { RIG_RAM, 1, W, 0 } } },
		{ "status wraps into memory",
		  { { HEADER, 16, N, 1 }, { ~0ull - 15, 32, W, 0 } } },
		{ "data in a hole",
		  { { HEADER, 16, N, 1 },
		    { RIG_RAM - 512, 1024, W | N, 2 },
		    { STATUS, 1, W, 0 } } },
		{ "data of 4 GiB",
		  { { HEADER, 16, N, 1 },
		    { 0, UINT32_MAX, W | N, 2 },
		    { 0, UINT32_MAX, W, 0 } } },
		{ "readable after writable",
		  { { HEADER, 16, N, 1 },
		    { STATUS, 1, W | N, 2 },
		    { DATA, 512, 0, 0 } } },
		{ "empty buffer",
		  { { HEADER, 16, N, 1 },
		    { DATA, 0, W | N, 2 },
		    { STATUS, 1, W, 0 } } },
	};
	struct world *w = *state;
	struct rig *r = &w->rig;
	uint32_t len;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		rig_start(r, FEATURES, 2);
		put_header(r, 0, 0);
		assert_int_equal(
			gmem_write(&r->mem, at(RIG_DESC(0)), table[i].d, 48),
			0);
		rig_offer(r, 0, 0);
		rig_kick(r, 0);
		if (rig_wait(r, 0, &len))
			fail_msg("%s: answered", table[i].name);
		assert_int_equal(rig_status(r), 15 | VIRTIO_S_NEEDS_RESET);
		/* Both queues are dead until the reset at the loop's top. */
		rig_desc(r, RIG_DESC(1), 0, HEADER, 16, N, 1);
		rig_desc(r, RIG_DESC(1), 1, STATUS, 1, W, 0);
		rig_offer(r, 1, 0);
		rig_kick(r, 1);
		assert_false(rig_wait(r, 1, &len));
	}
}

/* Requests that fail, each in its own status; nothing is read or written. */
static void fails_requests(void **state)
{
	static const struct {
		const char *name;
		uint32_t type;
		uint64_t sector;
		uint32_t len;
		bool to_guest;
		uint8_t status;
	} table[] = {
		{ "read past the end", 0, SECTORS, 512, true, 1 },
		{ "read over the end", 0, SECTORS - 1, 1024, true, 1 },
		{ "read that wraps", 0, ~0ull, 1024, true, 1 },
		{ "read whose offset wraps", 0, 1ull << 55, 512, true, 1 },
		{ "part of a sector", 0, 0, 511, true, 1 },
		{ "write past the end", 1, SECTORS, 512, false, 1 },
		{ "write over the end", 1, SECTORS - 1, 1024, false, 1 },
		{ "write that wraps", 1, ~0ull, 1024, false, 1 },
		{ "write of part of a sector", 1, 0, 513, false, 1 },
		{ "no such type", 2, 0, 512, true, 2 },
		{ "secure erase, not offered", 14, 0, 16, false, 2 },
		{ "type of all ones", ~0u, 0, 512, true, 2 },
		{ "discard of nothing", 11, 0, 0, false, 1 },
		{ "discard of half a range", 11, 0, 8, false, 1 },
		{ "discard of 17 ranges", 11, 0, 17 * 16, false, 1 },
		{ "zeroes in 2 ranges", 13, 0, 32, false, 1 },
	};
	struct world *w = *state;
	uint8_t before[512], after[512];
	uint32_t used;

	memset(before, 0x5a, sizeof(before));
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		assert_int_equal(gmem_write(&w->rig.mem, at(DATA), before, 512),
				 0);
		if (request(&w->rig, 0, table[i].type, table[i].sector,
			    table[i].len, table[i].to_guest,
			    &used) != table[i].status)
			fail_msg("%s: status %u", table[i].name,
				 get_status(&w->rig));
		assert_int_equal(used, table[i].to_guest ? 0 : 1);
		assert_int_equal(gmem_read(&w->rig.mem, at(DATA), after, 512),
				 0);
		assert_memory_equal(before, after, 512);
	}
}

static void fails_ranges(void **state)
{
	static const struct {
		const char *name;
		uint32_t type;
		uint64_t sector;
		uint32_t sectors, flags;
		uint8_t status;
	} table[] = {
		{ "discard past the end", 11, SECTORS, 1, 0, 1 },
		{ "discard that wraps", 11, ~0ull, 2, 0, 1 },
		{ "discard with unmap", 11, 0, 8, 1, 2 },
		{ "discard with a strange flag", 11, 0, 8, 2, 2 },
		{ "discard over the limit", 11, 0, 0x200001, 0, 1 },
		{ "zeroes over the end", 13, SECTORS - 1, 2, 0, 1 },
		{ "zeroes with a strange flag", 13, 0, 8, 0x80000000, 2 },
		{ "zeroes over the limit", 13, 0, 0x10001, 0, 1 },
		{ "nothing at the end", 13, SECTORS, 0, 0, 0 },
	};
	struct world *w = *state;
	uint8_t range[16];
	uint32_t used;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		put_le64(range, table[i].sector);
		put_le32(range + 8, table[i].sectors);
		put_le32(range + 12, table[i].flags);
		assert_int_equal(gmem_write(&w->rig.mem, at(DATA), range, 16),
				 0);
		if (request(&w->rig, 0, table[i].type, 0, 16, false, &used) !=
		    table[i].status)
			fail_msg("%s: status %u", table[i].name,
				 get_status(&w->rig));
	}
}

/* Memory that no test touches, three times as a buffer of half a GiB. */
static void fails_giant_requests(void **state)
{
	const uint64_t huge = 4 * GIB;
	const uint32_t half = 512 * MIB;
	struct world *w = *state;
	struct rig *r = &w->rig;
	uint32_t used;

	blk_pause(&w->blk); /* it looks at what is changed here */
	assert_int_equal(gmem_add(&r->mem, at(huge), half, GMEM_RAM, "huge"),
			 0);
	assert_int_equal(ftruncate(w->fd, (off_t)(2 * GIB)), 0);
	w->blk.file.bytes = 2 * GIB;
	blk_resume(&w->blk);
	for (unsigned write = 0; write < 2; write++) {
		unsigned flags = write ? N : N | W;

		put_header(r, write, 0);
		rig_desc(r, RIG_DESC(0), 0, HEADER, 16, N, 1);
		for (unsigned i = 1; i < 4; i++)
			rig_desc(r, RIG_DESC(0), i, huge, half, flags, i + 1);
		rig_desc(r, RIG_DESC(0), 4, STATUS, 1, W, 0);
		rig_offer(r, 0, 0);
		rig_kick(r, 0);
		assert_true(rig_wait(r, 0, &used));
		assert_int_equal(get_status(r), 1);
		assert_int_equal(used, write);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(breaks_on_nonsense),
		T(fails_requests),
		T(fails_ranges),
		T(fails_giant_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
