/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_test: what breaks a network device or costs its peer the connection, then
 * frames both ways, of which the peer is the independent witness.
 */
#include "tests/unit/net_rig.h"

static bool holds(struct world *w, uint64_t from, uint8_t seed, size_t len)
{
	static uint8_t b[NET_FRAME_MAX];

	assert_int_equal(gmem_read(&w->rig.mem, at(from), b, len), 0);
	for (size_t i = 0; i < len; i++)
		if (b[i] != (uint8_t)(seed + i))
			return false;
	return true;
}

static void put_frame(struct world *w, uint64_t to, uint8_t seed, size_t len)
{
	static uint8_t b[NET_FRAME_MAX];

	for (size_t i = 0; i < len; i++)
		b[i] = (uint8_t)(seed + i);
	assert_int_equal(gmem_write(&w->rig.mem, at(to), b, len), 0);
}

static void breaks(void **state)
{
	static const struct {
		const char *name;
		uint16_t q;
		struct net_hdr h;
		uint64_t addr;
		uint32_t len, flags;
	} table[] = {
		{ "tx: no header", TX, { 0 }, RIG_DATA, 11, 0 },
		{ "tx: to be written", TX, { 0 }, RIG_DATA, 100, W },
		{ "tx: too long",
		  TX,
		  { 0 },
		  RIG_DATA,
		  HDR + NET_FRAME_MAX + 1,
		  0 },
		{ "tx: a hole", TX, { 0 }, RIG_RAM, 100, 0 },
		{ "tx: over the end", TX, { 0 }, RIG_RAM - 99, 100, 0 },
		{ "tx: a sum that nobody offered",
		  TX,
		  { .flags = 1 },
		  RIG_DATA,
		  100,
		  0 },
		{ "tx: a segment that nobody offered",
		  TX,
		  { .gso_type = 1 },
		  RIG_DATA,
		  100,
		  0 },
		{ "rx: to be read", RX, { 0 }, RIG_DATA, 2000, 0 },
		{ "rx: no room for a header", RX, { 0 }, RIG_DATA, 11, W },
		{ "rx: a hole", RX, { 0 }, RIG_RAM, 2000, W },
	};
	struct world *w = *state;
	struct rig *r = &w->rig;
	uint32_t len;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		world_start(w, FEATURES);
		assert_int_equal(gmem_write(&r->mem, at(RIG_DATA), &table[i].h,
					    sizeof(table[i].h)),
				 0);
		rig_desc(r, RIG_DESC(table[i].q), 0, table[i].addr,
			 table[i].len, table[i].flags, 0);
		rig_offer(r, table[i].q, 0);
		rig_kick(r, table[i].q);
		if (rig_wait(r, table[i].q, &len))
			fail_msg("%s: answered", table[i].name);
		if (!(rig_status(r) & VIRTIO_S_NEEDS_RESET))
			fail_msg("%s: ignored", table[i].name);
	}
}

/* Not offered to a peer that could not keep it. */
static void offers(void **state)
{
	struct world *w = *state;
	uint64_t f = rig_features(&w->rig);

	assert_int_equal(f & 0xffffff,
			 NET_F_MAC | NET_F_STATUS | NET_F_MRG_RXBUF);
	assert_int_equal(reg_get(&w->rig, VIRTIO_PCI_DEVICE, 4), 2);
	assert_int_equal(reg_get(&w->rig, LINK_AT, 2), 1);
	assert_int_equal(reg_get(&w->rig, 18, 2), 2);
	assert_false(rig_negotiate(&w->rig, FEATURES | NET_F_CSUM));
}

static void sends(void **state)
{
	static uint8_t frame[NET_FRAME_MAX];
	static const size_t size[] = {
		14, 60, 4096, 4097, 60000, NET_FRAME_MAX
	};
	struct world *w = *state;
	struct rig *r = &w->rig;
	const struct net_hdr none = { 0 };
	uint32_t len;

	assert_int_equal(gmem_write(&r->mem, at(RIG_DATA), &none, HDR), 0);
	for (size_t i = 0; i < ARRAY_LEN(size); i++) {
		uint32_t first = (uint32_t)size[i] / 3;

		put_frame(w, RIG_DATA + HDR, (uint8_t)i, size[i]);
		/* Header and frame are cut at no particular place. */
		rig_desc(r, RIG_DESC(TX), 0, RIG_DATA, HDR + first, N, 1);
		rig_desc(r, RIG_DESC(TX), 1, RIG_DATA + HDR + first,
			 (uint32_t)size[i] - first, 0, 0);
		rig_offer(r, TX, 0);
		rig_kick(r, TX);
		assert_int_equal(peer_takes(w, frame), size[i]);
		for (size_t k = 0; k < size[i]; k++)
			assert_int_equal(frame[k], (uint8_t)(i + k));
		assert_true(rig_wait(r, TX, &len));
		assert_int_equal(len, 0);
	}
}

/* A peer that reads late gets every frame whole, in order. */
static void sends_to_a_slow_peer(void **state)
{
	static uint8_t frame[NET_FRAME_MAX];
	struct world *w = *state;
	struct rig *r = &w->rig;
	const struct net_hdr none = { 0 };
	uint32_t len;

	assert_int_equal(gmem_write(&r->mem, at(RIG_DATA), &none, HDR), 0);
	put_frame(w, RIG_DATA + HDR, 3, 50001);
	rig_desc(r, RIG_DESC(TX), 0, RIG_DATA, HDR + 50001, 0, 0);
	rig_desc(r, RIG_DESC(TX), 1, RIG_DATA, HDR + 61, 0, 0);
	for (unsigned i = 0; i < RIG_QUEUE; i++)
		rig_offer(r, TX, i & 1);
	rig_kick(r, TX);
	rig_nap();
	for (unsigned i = 0; i < RIG_QUEUE; i++) {
		size_t want = i & 1 ? 61 : 50001;

		assert_int_equal(peer_takes(w, frame), want);
		for (size_t k = 0; k < want; k++)
			assert_int_equal(frame[k], (uint8_t)(3 + k));
		assert_true(rig_wait(r, TX, &len));
	}
}

static void receives(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;
	struct net_hdr h;
	uint32_t len;

	/* The buffer comes first, then the frame; then the other way round. */
	for (unsigned i = 0; i < 2; i++) {
		rig_desc(r, RIG_DESC(RX), 0, RIG_DATA, 5, W | N, 1);
		rig_desc(r, RIG_DESC(RX), 1, RIG_DATA + 5, 1521, W, 0);
		if (i)
			peer_gives(w, 9, 1514);
		rig_offer(r, RX, 0);
		rig_kick(r, RX);
		if (!i)
			peer_gives(w, 9, 1514);
		assert_true(rig_wait(r, RX, &len));
		assert_int_equal(len, HDR + 1514);
		assert_int_equal(gmem_read(&r->mem, at(RIG_DATA), &h, HDR), 0);
		assert_int_equal(h.num_buffers, 1);
		assert_int_equal(h.flags, 0);
		assert_true(holds(w, RIG_DATA + HDR, 9, 1514));
		assert_true(rig_waits_irq(r, &w->net.pci.msix, RX + 1));
	}
}

static void drops_what_does_not_fit(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;
	uint32_t len;

	rig_desc(r, RIG_DESC(RX), 0, RIG_DATA, 1526, W, 0);
	rig_offer(r, RX, 0);
	rig_kick(r, RX);
	peer_gives(w, 1, 1515);
	peer_gives(w, 2, 60);
	assert_true(rig_wait(r, RX, &len));
	assert_int_equal(len, HDR + 60);
	assert_true(holds(w, RIG_DATA + HDR, 2, 60));
	assert_int_equal(counted(w, NET_RX_ERRORS), 1);
}

static void offer_small(struct rig *r, uint16_t from, uint16_t n)
{
	for (uint16_t i = from; i < from + n; i++) {
		rig_desc(r, RIG_DESC(RX), i, RIG_DATA + 1000ull * i, 1000, W,
			 0);
		rig_offer(r, RX, i);
	}
	rig_kick(r, RX);
}

/* A frame over several buffers, the last of which come late. */
static void merges(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;
	struct net_hdr h;
	uint16_t idx;
	uint32_t len;

	world_start(w, FEATURES | NET_F_MRG_RXBUF);
	peer_gives(w, 7, 4000);
	offer_small(r, 0, 4);
	for (int i = 0; i < 50; i++)
		rig_nap();
	assert_int_equal(gmem_load16(&r->mem, at(RIG_USED(RX) + 2), &idx), 0);
	assert_int_equal(idx, 0);
	offer_small(r, 4, 4);
	for (unsigned i = 0; i < 5; i++) {
		assert_true(rig_wait(r, RX, &len));
		assert_int_equal(len, i < 4 ? 1000 : 12);
	}
	assert_int_equal(gmem_read(&r->mem, at(RIG_DATA), &h, HDR), 0);
	assert_int_equal(h.num_buffers, 5);
	assert_true(holds(w, RIG_DATA + HDR, 7, 4000));
	/* The next frame begins with the next buffer. */
	peer_gives(w, 5, 100);
	assert_true(rig_wait(r, RX, &len));
	assert_int_equal(len, HDR + 100);
	assert_true(holds(w, RIG_DATA + 5000 + HDR, 5, 100));
}

/* Sixteen buffers are all that the ring holds, and 16000 bytes too few. */
static void drops_what_never_fits(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;
	uint32_t len;

	world_start(w, FEATURES | NET_F_MRG_RXBUF);
	offer_small(r, 0, 16);
	peer_gives(w, 1, 16000);
	peer_gives(w, 2, 60);
	assert_true(rig_wait(r, RX, &len));
	assert_int_equal(len, HDR + 60);
	assert_int_equal(counted(w, NET_RX_ERRORS), 1);
}

static void link_goes_and_comes(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;
	uint8_t frame[NET_FRAME_MAX];
	uint32_t len;

	rig_desc(r, RIG_DESC(RX), 0, RIG_DATA, 1526, W, 0);
	rig_desc(r, RIG_DESC(TX), 0, RIG_DATA + 0x1000, HDR + 60, 0, 0);
	rig_offer(r, RX, 0);
	rig_kick(r, RX);
	rig_nap();
	net_set_link(&w->net, false);
	assert_int_equal(reg_get(r, LINK_AT, 2), 0);
	assert_int_equal(reg_get(r, 21, 1), 1);
	assert_true(rig_waits_irq(r, &w->net.pci.msix, 0));
	/* Frames are lost in both directions, and nothing stalls. */
	peer_gives(w, 1, 60);
	rig_offer(r, TX, 0);
	rig_kick(r, TX);
	assert_true(rig_wait(r, TX, &len));
	while (!counted(w, NET_RX_DROPS))
		rig_nap();
	net_set_link(&w->net, true);
	assert_int_equal(reg_get(r, LINK_AT, 2), 1);
	assert_int_equal(reg_get(r, 21, 1), 2);
	peer_gives(w, 2, 60);
	assert_true(rig_wait(r, RX, &len));
	assert_true(holds(w, RIG_DATA + HDR, 2, 60));
	rig_offer(r, TX, 0);
	rig_kick(r, TX);
	assert_int_equal(peer_takes(w, frame), 60);
}

static void check_lost(struct world *w)
{
	struct rig *r = &w->rig;
	uint32_t len;

	rig_loop(&w->ev, 300);
	assert_int_equal(reg_get(r, LINK_AT, 2), 0);
	assert_true(rig_waits_irq(r, &w->net.pci.msix, 0));
	assert_int_equal(rig_status(r), 15); /* the device is well */
	rig_desc(r, RIG_DESC(TX), 0, RIG_DATA, HDR + 60, 0, 0);
	for (int i = 0; i < 3; i++) {
		rig_offer(r, TX, 0);
		rig_kick(r, TX);
		assert_true(rig_wait(r, TX, &len));
	}
	/* Nor does set_link bring it back. */
	net_set_link(&w->net, true);
	assert_int_equal(reg_get(r, LINK_AT, 2), 0);
}

static void peer_lies(void **state)
{
	struct world *w = *state;
	const uint8_t bad[] = { 0, 1, 0, 18, 1, 2, 3 };

	rig_desc(&w->rig, RIG_DESC(RX), 0, RIG_DATA, 1526, W, 0);
	rig_offer(&w->rig, RX, 0);
	rig_kick(&w->rig, RX);
	assert_int_equal(send(w->peer, bad, sizeof(bad), 0), sizeof(bad));
	check_lost(w);
}

static void peer_goes(void **state)
{
	struct world *w = *state;

	rig_desc(&w->rig, RIG_DESC(RX), 0, RIG_DATA, 1526, W, 0);
	rig_offer(&w->rig, RX, 0);
	rig_kick(&w->rig, RX);
	shutdown(w->peer, SHUT_RDWR);
	check_lost(w);
}

/* Buffers of an old ring are forgotten with it. */
static void starts_anew(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;
	uint32_t len;

	world_start(w, FEATURES | NET_F_MRG_RXBUF);
	offer_small(r, 0, 4);
	peer_gives(w, 1, 60);
	assert_true(rig_wait(r, RX, &len));
	world_start(w, FEATURES | NET_F_MRG_RXBUF);
	offer_small(r, 8, 2);
	rig_nap();
	rig_loop(&w->ev, 20);
	peer_gives(w, 3, 60);
	assert_true(rig_wait(r, RX, &len));
	assert_true(holds(w, RIG_DATA + 8000 + HDR, 3, 60));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(breaks),
		TEST(offers),
		TEST(sends),
		TEST(sends_to_a_slow_peer),
		TEST(receives),
		TEST(drops_what_does_not_fit),
		TEST(merges),
		TEST(drops_what_never_fits),
		TEST(link_goes_and_comes),
		TEST(peer_lies),
		TEST(peer_goes),
		TEST(starts_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
