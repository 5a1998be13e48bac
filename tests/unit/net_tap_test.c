/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_tap_test: a network device over a tap: which are refused, what is
 * offered, control commands, frames both ways.
 */
#include "tests/unit/tap_rig.h"

static void taps_are_refused(void **state)
{
	static const struct {
		const char *name;
		unsigned n;
		int rc;
	} table[] = {
		{ "none", 1, -ENODEV },
		{ "lo", 1, -EINVAL },
		{ "one", 2, -EINVAL },
	};
	struct net_end *end[2];

	(void)state;
	if (!can)
		skip();
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (tap_open(end, table[i].n, table[i].name) != table[i].rc)
			fail_msg("%s", table[i].name);
	assert_int_equal(if_nametoindex("none"), 0); /* nor was it made */
	assert_int_equal(tap_open(end, 1, "one"), 0);
	assert_int_equal(tap_open(end + 1, 1, "one"), -EBUSY);
	end[0]->ops->close(end[0]);
}

static void offers(void **state)
{
	struct world *w = world_open("one", 1);
	uint64_t f = rig_features(&w->rig), want = FEATURES;

	(void)state;
	assert_true(f & NET_F_MTU && !(f & NET_F_MQ));
	assert_int_equal(reg_get(&w->rig, VIRTIO_PCI_DEVICE + 10, 2), 9000);
	world_close(w);

	w = world_open("two", 2);
	f = rig_features(&w->rig);
	assert_true((f & want) == want);
	assert_false(f & NET_F_MTU);
	assert_int_equal(reg_get(&w->rig, VIRTIO_PCI_DEVICE + 8, 2), 2);
	assert_int_equal(reg_get(&w->rig, VIRTIO_PCI_DEVICE, 1) & 3, 2);
	assert_false(rig_negotiate(&w->rig, VIRTIO_F_VERSION_1 | NET_F_MQ));
	assert_false(
		rig_negotiate(&w->rig, VIRTIO_F_VERSION_1 | NET_F_GUEST_TSO4));
	assert_true(rig_negotiate(&w->rig, want));
	world_close(w);
}

static void control(void **state)
{
	static const struct command table[] = {
		{ "half a header", { 4 }, 1, -1 },
		{ "an unknown class", { 9, 0, 1, 0 }, 4, 1 },
		{ "an unknown command", { 4, 1, 1, 0 }, 4, 1 },
		{ "promiscuous mode", { 0, 0, 1 }, 3, 1 },
		{ "no pairs", { 4, 0, 0, 0 }, 4, 1 },
		{ "a pair too many", { 4, 0, 3, 0 }, 4, 1 },
		{ "32768 pairs", { 4, 0, 0, 0x80 }, 4, 1 },
		{ "half a number", { 4, 0, 1 }, 3, 1 },
		{ "a number and more", { 4, 0, 1, 0, 0 }, 5, 1 },
		{ "nothing behind it", { 4, 0 }, 2, 1 },
		{ "offloads that are none", { 5, 0, 1 }, 10, 1 },
		{ "TSO without sums", { 5, 0, 0x80 }, 10, 1 },
		{ "two pairs", { 4, 0, 2, 0 }, 4, 0 },
		{ "two pairs again", { 4, 0, 2, 0 }, 4, 0 },
		{ "one pair", { 4, 0, 1, 0 }, 4, 0 },
		{ "no offloads", { 5, 0 }, 10, 0 },
		{ "sums and TSO", { 5, 0, 0x82, 1 }, 10, 0 },
	};
	struct world *w = world_open("two", 2);
	struct rig *r = &w->rig;

	(void)state;
	world_start(w);
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		command(w, &table[i]);
	/* Nowhere to put the answer. */
	rig_desc(r, RIG_DESC(CONTROL), 0, RIG_DATA, 4, 0, 0);
	rig_offer(r, CONTROL, 0);
	rig_kick(r, CONTROL);
	assert_false(rig_wait(r, CONTROL, &(uint32_t){ 0 }));
	world_close(w);
}

static size_t witness_takes(struct world *w, uint8_t *to, size_t cap)
{
	struct pollfd p = { .fd = w->witness, .events = POLLIN };

	assert_int_equal(poll(&p, 1, 5000), 1);
	return (size_t)recv(w->witness, to, cap, 0);
}

static void guest_sends(struct world *w, const struct net_hdr *h,
			const uint8_t *frame, uint32_t len)
{
	struct rig *r = &w->rig;
	uint32_t used;

	assert_int_equal(gmem_write(&r->mem, at(RIG_DATA), h, HDR), 0);
	assert_int_equal(gmem_write(&r->mem, at(RIG_DATA + HDR), frame, len),
			 0);
	rig_desc(r, RIG_DESC(1), 0, RIG_DATA, 7, N, 1);
	rig_desc(r, RIG_DESC(1), 1, RIG_DATA + 7, HDR - 7 + len, 0, 0);
	rig_offer(r, 1, 0);
	rig_kick(r, 1);
	assert_true(rig_wait(r, 1, &used));
}

static void sends(void **state)
{
	static const struct net_hdr none, wrong[] = {
		{ .flags = 1, .csum_start = 60000, .csum_offset = 16 },
		{ .flags = 1, .csum_start = 14, .csum_offset = 0xffff },
		{ .flags = 1, .csum_start = 0xffff, .csum_offset = 0xffff },
	};
	uint8_t frame[1514], got[2000];
	struct world *w = world_open("two", 2);
	struct net_counts counts;

	(void)state;
	world_start(w);
	fill(frame, 3, sizeof(frame));
	/* What the kernel will not have costs a frame, not the device. */
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		guest_sends(w, &wrong[i], frame, 100);
	guest_sends(w, &none, frame, 13);
	net_count(&w->net, &counts);
	assert_int_equal(counts.n[NET_TX_ERRORS], ARRAY_LEN(wrong) + 1);
	guest_sends(w, &none, frame, sizeof(frame));
	assert_int_equal(witness_takes(w, got, sizeof(got)), sizeof(frame));
	assert_memory_equal(got, frame, sizeof(frame));
	assert_int_equal(rig_status(&w->rig), 15);
	world_close(w);
}

/* A frame into buffers of each bytes from RIG_DATA + from on. */
static void receive_one(struct world *w, uint8_t seed, uint32_t each,
			uint64_t from)
{
	unsigned buffers = (HDR + 1514 + each - 1) / each;
	uint8_t frame[1514], got[1514];
	uint32_t len = 0, sum = 0;
	struct rig *r = &w->rig;
	struct net_hdr h;

	fill(frame, seed, sizeof(frame));
	assert_int_equal(send(w->witness, frame, sizeof(frame), 0),
			 sizeof(frame));
	for (unsigned i = 0; i < buffers; i++) {
		assert_true(rig_wait(r, 0, &len));
		sum += len;
	}
	assert_int_equal(sum, HDR + 1514);
	assert_int_equal(gmem_read(&r->mem, at(RIG_DATA + from), &h, HDR), 0);
	assert_int_equal(h.num_buffers, buffers);
	assert_int_equal(h.gso_type, 0);
	assert_int_equal(
		gmem_read(&r->mem, at(RIG_DATA + from + HDR), got, sizeof(got)),
		0);
	assert_memory_equal(got, frame, sizeof(frame));
}

static void receive(uint32_t each)
{
	struct world *w = world_open("two", 2);
	struct rig *r = &w->rig;
	uint64_t from = 0;

	world_start(w);
	for (uint16_t i = 0; i < RIG_QUEUE; i++) {
		rig_desc(r, RIG_DESC(0), i, RIG_DATA + i * each, each, W, 0);
		rig_offer(r, 0, i);
	}
	rig_kick(r, 0);
	for (uint8_t seed = 0; seed < 3; seed++) {
		receive_one(w, seed, each, from);
		from += (HDR + 1514 + each - 1) / each * each;
	}
	world_close(w);
}

/* Room for the largest frame: the kernel writes into the buffers itself. */
static void receives_straight(void **state)
{
	(void)state;
	receive(0x2800);
}

static void receives_over_several(void **state)
{
	(void)state;
	receive(700);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taps_are_refused),
		cmocka_unit_test(offers),
		cmocka_unit_test(control),
		cmocka_unit_test(sends),
		cmocka_unit_test(receives_straight),
		cmocka_unit_test(receives_over_several),
	};

	can = make_network();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
