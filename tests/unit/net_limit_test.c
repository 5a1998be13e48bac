/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_limit_test: an interface with limits: each direction keeps to its own,
 * loses nothing, and lets go at once of a pause, a reset and the end.
 */
#include "tests/unit/net_rig.h"

#include "vmm/clock.h"

#define AT_ONCE (500ull * CLOCK_NS_PER_MS) /* on a busy machine, too */
#define FRAME 100u

static void limits(struct world *w, struct rates rx, struct rates tx)
{
	net_set_limits(&w->net, &rx, &tx);
}

static void await(const struct world *w, enum net_counter what, uint64_t n)
{
	for (int i = 0; counted(w, what) < n && i < 25000; i++)
		rig_nap();
	assert_int_equal(counted(w, what), n);
}

/* n frames with empty headers, all of the same bytes. */
static void guest_sends(struct world *w, unsigned n)
{
	struct rig *r = &w->rig;
	static const uint8_t bytes[HDR + FRAME];

	assert_int_equal(
		gmem_write(&r->mem, at(RIG_DATA), bytes, sizeof(bytes)), 0);
	rig_desc(r, RIG_DESC(TX), 0, RIG_DATA, HDR + FRAME, 0, 0);
	for (unsigned i = 0; i < n; i++)
		rig_offer(r, TX, 0);
	rig_kick(r, TX);
}

static void guest_has_room(struct world *w, unsigned n)
{
	struct rig *r = &w->rig;

	rig_desc(r, RIG_DESC(RX), 0, RIG_DATA + 0x1000, 2000, W, 0);
	for (unsigned i = 0; i < n; i++)
		rig_offer(r, RX, 0);
	rig_kick(r, RX);
}

static void transmit(void **state)
{
	struct world *w = *state;
	uint8_t frame[NET_FRAME_MAX];
	uint64_t start = clock_ns();
	uint32_t len;

	limits(w, (struct rates){ 0 },
	       (struct rates){ .ops = 100, .ops_burst = 1 });
	guest_sends(w, 11);
	for (int i = 0; i < 11; i++) {
		assert_int_equal(peer_takes(w, frame), FRAME);
		assert_true(rig_wait(&w->rig, TX, &len));
	}
	assert_true(clock_ns() - start >= 100ull * CLOCK_NS_PER_MS);
	assert_int_equal(counted(w, NET_TX_FRAMES), 11);
	assert_int_equal(counted(w, NET_TX_BYTES), 11 * FRAME);
	assert_int_equal(counted(w, NET_TX_WAITS), 10);
	assert_int_equal(counted(w, NET_RX_WAITS), 0);
	/* The other direction is as fast as ever. */
	start = clock_ns();
	guest_has_room(w, 10);
	for (int i = 0; i < 10; i++) {
		peer_gives(w, 1, FRAME);
		assert_true(rig_wait(&w->rig, RX, &len));
	}
	assert_int_equal(counted(w, NET_RX_FRAMES), 10);
	assert_int_equal(counted(w, NET_RX_BYTES), 10 * FRAME);
}

static void receive(void **state)
{
	struct world *w = *state;
	uint64_t start = clock_ns();
	uint32_t len;

	limits(w, (struct rates){ .bytes = 10 * FRAME, .bytes_burst = 1 },
	       (struct rates){ 0 });
	guest_has_room(w, 3);
	for (int i = 0; i < 3; i++)
		peer_gives(w, (uint8_t)i, FRAME);
	for (int i = 0; i < 3; i++) {
		assert_true(rig_wait(&w->rig, RX, &len));
		assert_int_equal(len, HDR + FRAME);
	}
	assert_true(clock_ns() - start >= 200ull * CLOCK_NS_PER_MS);
	assert_true(counted(w, NET_RX_WAITS) >= 2);
	assert_true(counted(w, NET_RX_WAIT_NS) >= 190ull * CLOCK_NS_PER_MS);
}

/* Both directions in debt for minutes. */
static void stuck(struct world *w)
{
	const struct rates slow = { .bytes = 1 };
	uint8_t frame[NET_FRAME_MAX];
	uint32_t len;

	limits(w, slow, slow);
	guest_sends(w, 2);
	assert_int_equal(peer_takes(w, frame), FRAME);
	assert_true(rig_wait(&w->rig, TX, &len));
	guest_has_room(w, 2);
	peer_gives(w, 1, FRAME);
	peer_gives(w, 2, FRAME);
	assert_true(rig_wait(&w->rig, RX, &len));
	await(w, NET_TX_WAITS, 1);
	await(w, NET_RX_WAITS, 1);
}

static void pause_and_lift(void **state)
{
	struct world *w = *state;
	uint8_t frame[NET_FRAME_MAX];
	uint64_t start;
	uint32_t len;

	stuck(w);
	start = clock_ns();
	net_pause(&w->net);
	assert_true(clock_ns() - start < AT_ONCE);
	limits(w, (struct rates){ 0 }, (struct rates){ 0 });
	net_resume(&w->net);
	assert_int_equal(peer_takes(w, frame), FRAME);
	assert_true(rig_wait(&w->rig, RX, &len));
	assert_int_equal(counted(w, NET_TX_FRAMES), 2);
	assert_int_equal(counted(w, NET_RX_FRAMES), 2);
}

static void reset_meanwhile(void **state)
{
	struct world *w = *state;
	uint64_t start;

	stuck(w);
	start = clock_ns();
	reg_set(&w->rig, 20, 1, 0);
	assert_true(clock_ns() - start < AT_ONCE);
}

/* A link that is down holds nothing back: frames are dropped, as ever. */
static void link_down(void **state)
{
	struct world *w = *state;
	uint32_t len;

	stuck(w);
	net_set_link(&w->net, false);
	assert_true(rig_wait(&w->rig, TX, &len));
	await(w, NET_TX_DROPS, 1);
	await(w, NET_RX_DROPS, 1);
}

static void end_meanwhile(void **state)
{
	stuck(*state);
}

#define RIG(test) cmocka_unit_test_setup_teardown(test, world_open, world_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RIG(transmit),	      RIG(receive),   RIG(pause_and_lift),
		RIG(reset_meanwhile), RIG(link_down), RIG(end_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
