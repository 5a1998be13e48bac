/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtq_test: rings that lie, then the suppression rules at their edges. The
 * rings are written by hand at the offsets of virtio 1.2, 2.7.
 */
#include "tests/unit/virtio_rig.h"

#include <errno.h>

#define DESC 0x10000ull
#define AVAIL 0x11000ull
#define USED 0x12000ull
#define TABLE 0x20000ull /* an indirect one */
#define DATA 0x30000ull
#define SIZE 8

#define W VRING_DESC_WRITE
#define N VRING_DESC_NEXT
#define I VRING_DESC_INDIRECT

struct world {
	struct gmem mem;
	struct virtq q;
	struct chain c;
};

static const struct virtq_setup good = { SIZE, { DESC }, { AVAIL }, { USED } };

static void reopen(struct world *w, uint64_t features)
{
	uint8_t zero[0x3000] = { 0 };

	assert_int_equal(gmem_write(&w->mem, at(DESC), zero, sizeof(zero)), 0);
	assert_int_equal(virtq_open(&w->q, &w->mem, &good, features), 0);
}

static int setup(void **state)
{
	static struct world w;

	assert_int_equal(gmem_open(&w.mem, 4 * MIB), 0);
	assert_int_equal(
		gmem_add(&w.mem, at(0xff000000), 0x10000, GMEM_ROM, "rom"), 0);
	reopen(&w, 0);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	gmem_close(&w->mem);
	return 0;
}

static void put16(struct world *w, uint64_t a, unsigned v)
{
	assert_int_equal(gmem_store16(&w->mem, at(a), (uint16_t)v), 0);
}

static unsigned get16(struct world *w, uint64_t a)
{
	uint16_t v;

	assert_int_equal(gmem_load16(&w->mem, at(a), &v), 0);
	return v;
}

static void put_desc(struct world *w, uint64_t a, const struct vring_desc *d)
{
	assert_int_equal(gmem_write(&w->mem, at(a), d, sizeof(*d)), 0);
}

static void refuses_setups(void **state)
{
	static const struct {
		const char *name;
		struct virtq_setup s;
		int rc;
	} table[] = {
		{ "size 0", { 0, { DESC }, { AVAIL }, { USED } }, -EINVAL },
		{ "size 3", { 3, { DESC }, { AVAIL }, { USED } }, -EINVAL },
		{ "size 512", { 512, { DESC }, { AVAIL }, { USED } }, -EINVAL },
		{ "size 65535",
		  { 65535, { DESC }, { AVAIL }, { USED } },
		  -EINVAL },
		{ "desc + 8",
		  { 8, { DESC + 8 }, { AVAIL }, { USED } },
		  -EINVAL },
		{ "avail + 1",
		  { 8, { DESC }, { AVAIL + 1 }, { USED } },
		  -EINVAL },
		{ "used + 2",
		  { 8, { DESC }, { AVAIL }, { USED + 2 } },
		  -EINVAL },
		{ "desc over the end",
		  { 8, { 4 * MIB - 112 }, { AVAIL }, { USED } },
		  -EFAULT },
		{ "desc wraps",
		  { 8, { ~15ull }, { AVAIL }, { USED } },
		  -EFAULT },
		{ "avail in a hole",
		  { 8, { DESC }, { 4 * MIB }, { USED } },
		  -EFAULT },
		{ "avail event over the end",
		  { 8, { DESC }, { 4 * MIB - 20 }, { USED } },
		  -EFAULT },
		{ "used event over the end",
		  { 8, { DESC }, { AVAIL }, { 4 * MIB - 68 } },
		  -EFAULT },
		{ "used in ROM",
		  { 8, { DESC }, { AVAIL }, { 0xff000000 } },
		  -EACCES },
	};
	struct world *w = *state;
	struct virtq q = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (virtq_open(&q, &w->mem, &table[i].s, 0) != table[i].rc)
			fail_msg("%s", table[i].name);
	/* The largest ring, flush with the end of memory, is fine. */
	assert_int_equal(virtq_open(&q, &w->mem,
				    &(struct virtq_setup){
					    256,
					    { DESC },
					    { AVAIL },
					    { 4 * MIB - (4 + 256 * 8 + 4) } },
				    0),
			 0);
}

/* ring: descriptors 0 to 3; table: indirect 0 to 3. */
struct lie {
	const char *name;
	uint16_t avail, head;
	struct vring_desc ring[4], table[4];
	uint64_t features;
	int rc;
};

static void refuses_lies(void **state)
{
	static const struct lie table[] = {
		{ .name = "index ran ahead",
		  .avail = SIZE + 1,
		  .rc = -EBADMSG },
		{ .name = "index ran back", .avail = 0xffff, .rc = -EBADMSG },
		{ .name = "head out of range",
		  .avail = 1,
		  .head = SIZE,
		  .rc = -EBADMSG },
		{ .name = "head of all ones",
		  .avail = 1,
		  .head = 0xffff,
		  .rc = -EBADMSG },
		{ .name = "next out of range",
		  .avail = 1,
		  .ring = { { DATA, 1, N, SIZE } },
		  .rc = -EBADMSG },
		{ .name = "a loop of one",
		  .avail = 1,
		  .ring = { { DATA, 1, N, 0 } },
		  .rc = -ELOOP },
		{ .name = "a loop of two",
		  .avail = 1,
		  .ring = { { DATA, 1, N, 1 }, { DATA, 1, N, 0 } },
		  .rc = -ELOOP },
		{ .name = "a loop later on",
		  .avail = 1,
		  .ring = { { DATA, 1, N, 1 },
			    { DATA, 1, N, 2 },
			    { DATA, 1, N, 1 } },
		  .rc = -ELOOP },
		{ .name = "readable after writable",
		  .avail = 1,
		  .ring = { { DATA, 1, W | N, 1 }, { DATA, 1, 0, 0 } },
		  .rc = -EBADMSG },
		{ .name = "zero length",
		  .avail = 1,
		  .ring = { { DATA, 0, 0, 0 } },
		  .rc = -EBADMSG },
		{ .name = "zero length in the middle",
		  .avail = 1,
		  .ring = { { DATA, 1, N, 1 },
			    { DATA, 0, N, 2 },
			    { DATA, 1, 0, 0 } },
		  .rc = -EBADMSG },
		{ .name = "indirect, not negotiated",
		  .avail = 1,
		  .ring = { { TABLE, 16, I, 0 } },
		  .table = { { DATA, 1, 0, 0 } },
		  .rc = -EBADMSG },
		{ .name = "indirect and next",
		  .avail = 1,
		  .ring = { { TABLE, 16, I | N, 1 }, { DATA, 1, 0, 0 } },
		  .features = VIRTIO_F_INDIRECT_DESC,
		  .rc = -EBADMSG },
		{ .name = "indirect in indirect",
		  .avail = 1,
		  .ring = { { TABLE, 16, I, 0 } },
		  .table = { { TABLE, 16, I, 0 } },
		  .features = VIRTIO_F_INDIRECT_DESC,
		  .rc = -EBADMSG },
		{ .name = "table of no bytes",
		  .avail = 1,
		  .ring = { { TABLE, 0, I, 0 } },
		  .features = VIRTIO_F_INDIRECT_DESC,
		  .rc = -EBADMSG },
		{ .name = "table of half an entry",
		  .avail = 1,
		  .ring = { { TABLE, 24, I, 0 } },
		  .table = { { DATA, 1, 0, 0 } },
		  .features = VIRTIO_F_INDIRECT_DESC,
		  .rc = -EBADMSG },
		{ .name = "table of 257",
		  .avail = 1,
		  .ring = { { TABLE, 257 * 16, I, 0 } },
		  .table = { { DATA, 1, 0, 0 } },
		  .features = VIRTIO_F_INDIRECT_DESC,
		  .rc = -ELOOP },
		{ .name = "table in a hole",
		  .avail = 1,
		  .ring = { { 4 * MIB, 16, I, 0 } },
		  .features = VIRTIO_F_INDIRECT_DESC,
		  .rc = -EFAULT },
		{ .name = "table that wraps",
		  .avail = 1,
		  .ring = { { ~0ull - 15, 32, I, 0 } },
		  .features = VIRTIO_F_INDIRECT_DESC,
		  .rc = -EFAULT },
		{ .name = "next leaves the table",
		  .avail = 1,
		  .ring = { { TABLE, 32, I, 0 } },
		  .table = { { DATA, 1, N, 2 }, { 0 }, { DATA, 1, 0, 0 } },
		  .features = VIRTIO_F_INDIRECT_DESC,
		  .rc = -EBADMSG },
		{ .name = "loop in the table",
		  .avail = 1,
		  .ring = { { TABLE, 32, I, 0 } },
		  .table = { { DATA, 1, N, 1 }, { DATA, 1, N, 0 } },
		  .features = VIRTIO_F_INDIRECT_DESC,
		  .rc = -ELOOP },
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const struct lie *t = &table[i];
		int rc;

		reopen(w, t->features);
		for (unsigned k = 0; k < 4; k++) {
			put_desc(w, DESC + 16 * k, &t->ring[k]);
			put_desc(w, TABLE + 16 * k, &t->table[k]);
		}
		put16(w, AVAIL + 4, t->head);
		put16(w, AVAIL + 2, t->avail);
		rc = virtq_take(&w->q, &w->c);
		if (rc != t->rc)
			fail_msg("%s: %d", t->name, rc);
	}
}

static void refuses_a_table_that_loops_forever(void **state)
{
	struct world *w = *state;

	/* 256 entries, each pointing at the next, the last at the first. */
	reopen(w, VIRTIO_F_INDIRECT_DESC);
	for (unsigned k = 0; k < 256; k++)
		put_desc(w, TABLE + 16 * k,
			 &(struct vring_desc){ DATA, 1, N,
					       (uint16_t)((k + 1) % 256) });
	put_desc(w, DESC, &(struct vring_desc){ TABLE, 256 * 16, I, 0 });
	put16(w, AVAIL + 2, 1);
	assert_int_equal(virtq_take(&w->q, &w->c), -ELOOP);
	/* With an end it is the longest chain there can be. */
	put_desc(w, TABLE + 16 * 255, &(struct vring_desc){ DATA, 1, W, 0 });
	put16(w, AVAIL + 2, 2);
	assert_int_equal(virtq_take(&w->q, &w->c), 1);
	assert_int_equal(w->c.n_out, 255);
	assert_int_equal(w->c.n_in, 1);
}

static void indirect_may_come_last(void **state)
{
	struct world *w = *state;

	reopen(w, VIRTIO_F_INDIRECT_DESC);
	put_desc(w, DESC, &(struct vring_desc){ DATA, 3, N, 1 });
	put_desc(w, DESC + 16, &(struct vring_desc){ TABLE, 32, I, 0 });
	put_desc(w, TABLE, &(struct vring_desc){ DATA, 4, N, 1 });
	put_desc(w, TABLE + 16, &(struct vring_desc){ DATA, 5, W, 0 });
	put16(w, AVAIL + 2, 1);
	assert_int_equal(virtq_take(&w->q, &w->c), 1);
	assert_int_equal(chain_out_len(&w->c), 7);
	assert_int_equal(chain_in_len(&w->c), 5);
	assert_int_equal(virtq_take(&w->q, &w->c), 0);
}

/* A driver that changes the descriptors after we took them changes nothing. */
static void descriptors_are_copied(void **state)
{
	struct world *w = *state;
	uint8_t b[2];

	put_desc(w, DESC, &(struct vring_desc){ DATA, 2, 0, 0 });
	assert_int_equal(gmem_write(&w->mem, at(DATA), "ab", 2), 0);
	put16(w, AVAIL + 2, 1);
	assert_int_equal(virtq_take(&w->q, &w->c), 1);
	put_desc(w, DESC, &(struct vring_desc){ ~0ull, 0xffffffff, 7, 9 });
	assert_int_equal(chain_read(&w->c, &w->mem, b, 2), 0);
	assert_memory_equal(b, "ab", 2);
}

static void wraps_at_65536(void **state)
{
	struct world *w = *state;

	put_desc(w, DESC + 16, &(struct vring_desc){ DATA, 1, W, 0 });
	for (unsigned k = 0; k < SIZE; k++)
		put16(w, AVAIL + 4 + 2 * k, 1);
	for (unsigned n = 1; n <= 65536 + 3; n++) {
		put16(w, AVAIL + 2, (uint16_t)n);
		assert_int_equal(virtq_take(&w->q, &w->c), 1);
		assert_int_equal(virtq_take(&w->q, &w->c), 0);
		assert_int_equal(virtq_give(&w->q, 1, n), 0);
		assert_int_equal(get16(w, USED + 2), (uint16_t)n);
	}
	/* The last entry: number 65538, in slot 2. */
	assert_int_equal(get16(w, USED + 4 + 8 * 2), 1);
	assert_int_equal(get16(w, USED + 4 + 8 * 2 + 4), 3);
	assert_int_equal(get16(w, USED + 4 + 8 * 2 + 6), 1);
}

static void flags_suppress(void **state)
{
	struct world *w = *state;
	bool irq, more;

	assert_int_equal(virtq_give(&w->q, 0, 0), 0);
	assert_int_equal(virtq_interrupt(&w->q, &irq), 0);
	assert_true(irq);
	assert_int_equal(virtq_interrupt(&w->q, &irq), 0);
	assert_false(irq); /* nothing new */
	put16(w, AVAIL, VRING_AVAIL_NO_INTERRUPT);
	assert_int_equal(virtq_give(&w->q, 0, 0), 0);
	assert_int_equal(virtq_interrupt(&w->q, &irq), 0);
	assert_false(irq);
	assert_int_equal(virtq_notify_me(&w->q, false, &more), 0);
	assert_int_equal(get16(w, USED), VRING_USED_NO_NOTIFY);
	put16(w, AVAIL + 2, 1);
	assert_int_equal(virtq_notify_me(&w->q, true, &more), 0);
	assert_int_equal(get16(w, USED), 0);
	assert_true(more);
	put16(w, AVAIL + 2, 0x4000);
	assert_int_equal(virtq_notify_me(&w->q, true, &more), -EBADMSG);
}

static void event_indices_suppress(void **state)
{
	static const struct {
		const char *name;
		uint16_t used, told, event; /* before one more is used */
		bool irq;
	} table[] = {
		{ "first, asked for", 0, 0, 0, true },
		{ "asked for the next but one", 0, 0, 1, false },
		{ "asked for an old one", 5, 5, 3, false },
		{ "asked for one in between", 9, 5, 7, true },
		{ "asked for the one just told", 9, 5, 4, false },
		{ "over the wrap", 0xffff, 0xffff, 0xffff, true },
		{ "after the wrap", 0, 0xfffe, 0xffff, true },
		{ "before the wrap", 0xfffe, 0xfffe, 0xffff, false },
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		bool irq, more;

		reopen(w, VIRTIO_F_EVENT_IDX);
		w->q.published = w->q.filled = table[i].used;
		w->q.told = table[i].told;
		/* With event indices the flag means nothing. */
		put16(w, AVAIL, VRING_AVAIL_NO_INTERRUPT);
		put16(w, AVAIL + 4 + 2 * SIZE, table[i].event);
		assert_int_equal(virtq_give(&w->q, 0, 0), 0);
		assert_int_equal(virtq_interrupt(&w->q, &irq), 0);
		if (irq != table[i].irq)
			fail_msg("%s", table[i].name);
		w->q.taken = 7;
		put16(w, AVAIL + 2, 7);
		assert_int_equal(virtq_notify_me(&w->q, false, &more), 0);
		assert_int_equal(get16(w, USED + 4 + 8 * SIZE), 0);
		assert_int_equal(virtq_notify_me(&w->q, true, &more), 0);
		assert_int_equal(get16(w, USED + 4 + 8 * SIZE), 7);
		assert_false(more);
		assert_int_equal(get16(w, USED), 0);
	}
}

static void chains_are_eaten(void **state)
{
	struct world *w = *state;
	struct chain *c = &w->c;
	struct iovec iov[VIRTQ_SPANS];
	uint8_t b[8];
	gpa_t status;
	int n;

	*c = (struct chain){ .n_out = 2,
			     .n_in = 2,
			     .s = { { { DATA }, 3 },
				    { { DATA + 8 }, 2 },
				    { { DATA + 16 }, 4 },
				    { { DATA + 32 }, 1 } } };
	assert_int_equal(gmem_write(&w->mem, at(DATA), "abc.....de", 10), 0);
	assert_int_equal(chain_read(c, &w->mem, b, 4), 0);
	assert_memory_equal(b, "abcd", 4);
	assert_int_equal(chain_read(c, &w->mem, b, 2), -EBADMSG);
	assert_int_equal(c->n_out, 0);
	assert_int_equal(chain_write(c, &w->mem, "12345", 5), 0);
	assert_int_equal(chain_write(c, &w->mem, "123456", 6), -EBADMSG);
	assert_int_equal(chain_cut_status(c, &status), 0);
	assert_int_equal(status.v, DATA + 32);
	assert_int_equal(chain_in_len(c), 4);
	assert_int_equal(chain_cut_status(c, &status), 0);
	assert_int_equal(status.v, DATA + 19);
	assert_int_equal(chain_iov(c, &w->mem, true, iov, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(iov[0].iov_len, 3);
	assert_memory_equal(iov[0].iov_base, "123", 3);
	assert_int_equal(chain_iov(c, &w->mem, false, iov, &n), 0);
	assert_int_equal(n, 0);
	c->n_in = 0;
	assert_int_equal(chain_cut_status(c, &status), -EBADMSG);
}

static void nothing_is_written_to_rom(void **state)
{
	struct world *w = *state;
	struct iovec iov[VIRTQ_SPANS];
	int n;

	w->c = (struct chain){ .n_in = 1, .s = { { { 0xff000000 }, 8 } } };
	assert_int_equal(chain_iov(&w->c, &w->mem, true, iov, &n), -EACCES);
	assert_int_equal(chain_write(&w->c, &w->mem, "x", 1), -EACCES);
	w->c.n_in = 0;
	w->c.n_out = 1;
	assert_int_equal(chain_iov(&w->c, &w->mem, false, iov, &n), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(refuses_setups),
		T(refuses_lies),
		T(refuses_a_table_that_loops_forever),
		T(indirect_may_come_last),
		T(descriptors_are_copied),
		T(wraps_at_65536),
		T(flags_suppress),
		T(event_indices_suppress),
		T(chains_are_eaten),
		T(nothing_is_written_to_rom),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
