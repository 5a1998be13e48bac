/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_tap_edge_test: a network device over a tap that is deleted, whose MTU
 * changes, or whose queues the driver still uses when it said it would not; and
 * what a driver that accepted little is not to see.
 */
#include "tests/unit/tap_rig.h"

static uint64_t cpu_ns(void)
{
	struct timespec t;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int lies_of_sums(struct net_end *e, struct net_frame *f)
{
	static const uint8_t bytes[60];
	static bool said;

	(void)e;
	if (said)
		return -EAGAIN;
	said = true;
	f->hdr = (struct net_hdr){ .flags = 2 }; /* DATA_VALID */
	f->bytes = bytes;
	f->len = sizeof(bytes);
	return 0;
}

/* 5.1.6.4.1: to a driver that knows of no sums, flags are zero. */
static void flags_are_for_who_asked(void **state)
{
	const struct net_end_ops ops = { .receive = lies_of_sums };
	struct world *w = world_open("two", 2);
	const struct net_end_ops *tap = w->net.pair[0]->end->ops;
	struct rig *r = &w->rig;
	struct net_hdr h = { .flags = 0xff };
	uint32_t len;

	(void)state;
	rig_start(r, VIRTIO_F_VERSION_1, 2);
	rig_loop(&w->ev, 20);
	vdev_pause(&w->net.vdev);
	w->net.pair[0]->end->ops = &ops;
	vdev_resume(&w->net.vdev);
	rig_desc(r, RIG_DESC(0), 0, RIG_DATA, 100, W, 0);
	rig_offer(r, 0, 0);
	rig_kick(r, 0);
	assert_true(rig_wait(r, 0, &len));
	vdev_pause(&w->net.vdev);
	w->net.pair[0]->end->ops = tap;
	vdev_resume(&w->net.vdev);
	assert_int_equal(len, HDR + 60);
	assert_int_equal(gmem_read(&r->mem, at(RIG_DATA), &h, HDR), 0);
	assert_int_equal(h.flags, 0);
	world_close(w);
}

/* The interface's MTU was raised since: the guest was told 9000. */
static void keeps_to_the_mtu(uint32_t each)
{
	struct net_counts counts;
	struct ifreq more = { .ifr_mtu = 12000 }, as_was = { .ifr_mtu = 9000 };
	static uint8_t frame[9500];
	struct world *w = world_open("one", 1);
	struct rig *r = &w->rig;
	uint32_t len = 0, sum = 0;

	rig_start(r, VIRTIO_F_VERSION_1 | NET_F_MTU | NET_F_MRG_RXBUF, 2);
	rig_loop(&w->ev, 20);
	assert_int_equal(request("one", SIOCSIFMTU, &more), 0);
	for (uint16_t i = 0; i < RIG_QUEUE; i++) {
		rig_desc(r, RIG_DESC(0), i, RIG_DATA + i * each, each, W, 0);
		rig_offer(r, 0, i);
	}
	rig_kick(r, 0);
	fill(frame, 1, sizeof(frame));
	assert_int_equal(send(w->witness, frame, 9019, 0), 9019);
	assert_int_equal(send(w->witness, frame, 9014, 0), 9014);
	while (sum < HDR + 9014) {
		assert_true(rig_wait(r, 0, &len));
		sum += len;
	}
	assert_int_equal(sum, HDR + 9014);
	net_count(&w->net, &counts);
	assert_int_equal(counts.n[NET_RX_ERRORS], 1);
	assert_int_equal(request("one", SIOCSIFMTU, &as_was), 0);
	world_close(w);
}

static void drops_what_is_beyond_the_mtu(void **state)
{
	(void)state;
	keeps_to_the_mtu(0x2800); /* into the guest's buffers */
	keeps_to_the_mtu(1000); /* into ours */
}

/* A driver's queue stops a moment later than it says, and that is no loss. */
static void sends_by_a_pair_out_of_use(void **state)
{
	const struct command one = { "one pair", { 4, 0, 1, 0 }, 4, 0 };
	struct world *w = world_open("two", 2);
	struct rig *r = &w->rig;
	uint32_t len;

	(void)state;
	world_start(w);
	command(w, &one);
	rig_desc(r, RIG_DESC(3), 0, RIG_DATA, HDR + 60, 0, 0);
	rig_offer(r, 3, 0);
	rig_kick(r, 3);
	assert_true(rig_wait(r, 3, &len));
	rig_loop(&w->ev, 20);
	assert_int_equal(reg_get(r, VIRTIO_PCI_DEVICE + 6, 2), 1);
	world_close(w);
}

/* Before the driver comes: it gets no link, and nobody spins. */
static void deleted_before_the_driver(void **state)
{
	const struct command late = { "offloads", { 5, 0, 0x82, 1 }, 10, 1 };
	struct world *w;
	struct rig *r;
	uint64_t cpu;
	uint32_t len;

	(void)state;
	if (!can)
		skip();
	assert_int_equal(make_tap("three", IFF_MULTI_QUEUE, 1500), 0);
	w = world_open("three", 2);
	r = &w->rig;
	delete_tap("three");
	rig_start(r, FEATURES, QUEUES);
	rig_loop(&w->ev, 100);
	assert_int_equal(reg_get(r, VIRTIO_PCI_DEVICE + 6, 2), 0);
	cpu = cpu_ns();
	rig_loop(&w->ev, 200);
	assert_true(cpu_ns() - cpu < 50000000);
	rig_desc(r, RIG_DESC(1), 0, RIG_DATA, HDR + 60, 0, 0);
	rig_offer(r, 1, 0);
	rig_kick(r, 1);
	assert_true(rig_wait(r, 1, &len)); /* dropped, as on a dead wire */
	command(w, &late); /* refused: the device is well */
	assert_int_equal(rig_status(r), 15);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags_are_for_who_asked),
		cmocka_unit_test(drops_what_is_beyond_the_mtu),
		cmocka_unit_test(sends_by_a_pair_out_of_use),
		cmocka_unit_test(deleted_before_the_driver),
	};

	can = make_network();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
