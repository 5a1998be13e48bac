/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhost_user_test: a device whose peer is the test. Peers that lie come first,
 * then peers that die, then those that do as they should.
 */
#include "tests/unit/vhost_rig.h"

#include "tests/unit/capture.h"

static const struct {
	const char *name;
	uint32_t at;
	enum lie lie;
} lies[] = {
	{ "another request", VHOST_GET_FEATURES, LIE_REQUEST },
	{ "no reply", VHOST_GET_FEATURES, LIE_FLAGS },
	{ "another version", VHOST_GET_FEATURES, LIE_VERSION },
	{ "too short", VHOST_GET_FEATURES, LIE_SHORT },
	{ "too long", VHOST_GET_FEATURES, LIE_LONG },
	{ "empty", VHOST_GET_FEATURES, LIE_EMPTY },
	{ "a descriptor", VHOST_GET_FEATURES, LIE_FD },
	{ "descriptors", VHOST_GET_FEATURES, LIE_FDS },
	{ "gone", VHOST_GET_FEATURES, LIE_CLOSE },
	{ "half", VHOST_GET_FEATURES, LIE_HALF },
	{ "protocol, too long", VHOST_GET_PROTOCOL_FEATURES, LIE_LONG },
	{ "owner refused", VHOST_SET_OWNER, LIE_NUMBER },
	{ "queues, gone", VHOST_GET_QUEUE_NUM, LIE_CLOSE },
	{ "channel refused", VHOST_SET_BACKEND_REQ_FD, LIE_NUMBER },
	{ "config of another place", VHOST_GET_CONFIG, LIE_NUMBER },
	{ "config of another size", VHOST_GET_CONFIG, LIE_SECOND },
	{ "no config", VHOST_GET_CONFIG, LIE_EMPTY },
	{ "config too long", VHOST_GET_CONFIG, LIE_LONG },
	{ "config, gone", VHOST_GET_CONFIG, LIE_CLOSE },
};

static void lies_at_first(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		struct capture c = capture_begin();
		char text[512];

		/* What stops in the middle is waited for: one such is enough */
		w->peer.lies_at = lies[i].at;
		w->peer.lie = lies[i].lie;
		assert_int_not_equal(attach(w, &vhost_disk, 1), 0);
		(void)capture_end(&c, text, sizeof(text));
		if (!strstr(text, w->path) ||
		    strchr(text, '\n') != text + strlen(text) - 1)
			fail_msg("%s: %s", lies[i].name, text);
		w->peer.hangs_up = true;
		eventually(!w->peer.hangs_up);
	}
}

static void not_enough(void **state)
{
	struct world *w = *state;
	struct peer *p = &w->peer;

	p->features &= ~V1;
	assert_int_equal(attach(w, &vhost_disk, 1), -EPROTONOSUPPORT);
	p->features = V1;
	assert_int_equal(attach(w, &vhost_disk, 1), -EPROTONOSUPPORT);
	p->features = PEER_FEATURES;
	p->protocol &= ~VHOST_P_CONFIG;
	assert_int_equal(attach(w, &vhost_disk, 1), -EPROTONOSUPPORT);
	p->protocol = PEER_PROTOCOL;
	assert_int_equal(attach(w, &vhost_disk, PEER_RINGS + 1), -EINVAL);
	p->queues = 0;
	assert_int_equal(attach(w, &vhost_disk, 0), -EINVAL);
	p->queues = 1;
	assert_int_equal(attach(w, &vhost_fs, 0), -EINVAL);
}

/* Only once they serve: the connection is cut, and another one made. */
static void lies_later(void **state)
{
	static const struct {
		uint32_t at;
		enum lie lie;
	} later[] = {
		{ VHOST_GET_VRING_BASE, LIE_NUMBER },
		{ VHOST_GET_VRING_BASE, LIE_SECOND },
		{ VHOST_GET_VRING_BASE, LIE_CLOSE },
		{ VHOST_GET_VRING_BASE, LIE_LONG },
		{ VHOST_SET_MEM_TABLE, LIE_NUMBER },
		{ VHOST_SET_VRING_KICK, LIE_CLOSE },
		{ VHOST_SET_VRING_ENABLE, LIE_REQUEST },
	};
	struct world *w = *state;

	begin(w, &vhost_disk, 1);
	offer(w, 0, 1);
	served(w, 0, 1);
	for (size_t i = 0; i < ARRAY_LEN(later); i++) {
		unsigned before = w->peer.connections;

		w->peer.lies_at = later[i].at;
		w->peer.lie = later[i].lie;
		vhost_user_pause(&w->dev);
		vhost_user_resume(&w->dev);
		eventually(w->peer.connections > before);
		w->peer.lie = LIE_NONE;
		offer(w, 0, 1);
		served(w, 0, 1);
		assert_false(is_broken(w));
	}
}

static void says_what_nobody_asked(void **state)
{
	const struct vhost_header odd[] = {
		{ 1, VHOST_VERSION, 0 }, /* a miss of the IOTLB */
		{ 2, VHOST_VERSION, 8 },
		{ 2, VHOST_VERSION | VHOST_REPLY, 0 },
		{ 2, 2, 0 },
		{ 0xffffffff, 0xffffffff, 0xffffffff },
	};
	struct world *w = *state;

	begin(w, &vhost_disk, 1);
	for (size_t i = 0; i <= ARRAY_LEN(odd); i++) {
		unsigned before = w->peer.connections;

		offer(w, 0, 1);
		served(w, 0, 1);
		if (i < ARRAY_LEN(odd))
			send_with(w->peer.back, &odd[i], sizeof(odd[i]), NULL,
				  0);
		else /* nor on the other connection */
			send_with(w->peer.conn, &odd[0], sizeof(odd[0]), NULL,
				  0);
		eventually(w->peer.connections > before);
	}
	offer(w, 0, 1);
	served(w, 0, 1);
	assert_false(is_broken(w));
}

static void silence_ends(void **state)
{
	struct world *w = *state;

	begin(w, &vhost_disk, 1);
	offer(w, 0, 1);
	served(w, 0, 1);
	w->peer.lies_at = VHOST_GET_VRING_BASE;
	w->peer.lie = LIE_SILENT;
	vhost_user_pause(&w->dev); /* returns */
	w->peer.lie = LIE_NONE;
	vhost_user_resume(&w->dev);
	eventually(w->peer.connections == 2);
	offer(w, 0, 1);
	served(w, 0, 1);
}

static void dies_idle(void **state)
{
	struct world *w = *state;

	begin(w, &vhost_disk, 2);
	for (unsigned i = 1; i <= 3; i++) {
		offer(w, 0, 3);
		offer(w, 1, 1);
		served(w, 0, 3);
		served(w, 1, 1);
		w->peer.hangs_up = true;
		eventually(w->peer.connections == i + 1);
	}
	offer(w, 0, 1);
	served(w, 0, 1);
	assert_int_equal(w->peer.served, 13);
	assert_false(is_broken(w));
}

/* Which of them were done only the dead one knew. */
static void dies_at_work(void **state)
{
	struct world *w = *state;

	begin(w, &vhost_disk, 1);
	offer(w, 0, 2);
	served(w, 0, 2);
	w->peer.rests = true;
	offer(w, 0, 3);
	w->peer.hangs_up = true;
	eventually(is_broken(w));
	w->peer.rests = false;
	eventually(w->peer.connections == 2);
	rig_nap();
	assert_int_equal(w->peer.served, 2);
	/* The driver begins anew, with the peer that is there by then. */
	drive(w, 1);
	offer(w, 0, 1);
	served(w, 0, 1);
	assert_int_equal(w->peer.served, 3);
	assert_false(is_broken(w));
}

static void dies_with_books(void **state)
{
	struct world *w = *state;
	ino_t ino;

	w->peer.protocol |= VHOST_P_INFLIGHT;
	begin(w, &vhost_disk, 1);
	offer(w, 0, 2);
	served(w, 0, 2);
	ino = w->peer.inflight_ino;
	w->peer.rests = true;
	offer(w, 0, 3);
	w->peer.inflight_ino = 0;
	w->peer.hangs_up = true;
	eventually(w->peer.connections == 2 && w->peer.inflight_ino);
	assert_int_equal(w->peer.inflight_ino, ino);
	assert_int_equal(w->peer.inflights, 1);
	w->peer.rests = false;
	served(w, 0, 3);
	assert_int_equal(w->peer.served, 5);
	assert_false(is_broken(w));
	/* After a reset they are of no use. */
	drive(w, 1);
	offer(w, 0, 1);
	served(w, 0, 1);
	assert_int_equal(w->peer.inflights, 2);
}

static void books_are_none(void **state)
{
	struct world *w = *state;

	w->peer.protocol |= VHOST_P_INFLIGHT;
	w->peer.lies_at = VHOST_GET_INFLIGHT_FD;
	w->peer.lie = LIE_FD; /* two instead of one */
	begin(w, &vhost_disk, 1);
	eventually(w->peer.connections >= 2);
	w->peer.lie = LIE_LONG;
	eventually(w->peer.connections >= 4);
	w->peer.lie = LIE_NONE;
	offer(w, 0, 1);
	served(w, 0, 1);
}

/* A file system's open files are gone with it. */
static void dies_with_state(void **state)
{
	struct world *w = *state;

	begin(w, &vhost_fs, 1);
	assert_int_equal(w->dev.vdev.n_queues, 2);
	assert_int_equal(reg_get(&w->rig, VIRTIO_PCI_DEVICE + 36, 4), 1);
	offer(w, 1, 1);
	served(w, 1, 1);
	w->peer.hangs_up = true;
	eventually(is_broken(w));
	eventually(w->peer.connections == 2);
	drive(w, 2);
	offer(w, 1, 1);
	served(w, 1, 1);
	assert_false(is_broken(w));
}

static void comes_back_smaller(void **state)
{
	struct world *w = *state;

	begin(w, &vhost_disk, 2);
	w->peer.queues = 1;
	w->peer.hangs_up = true;
	eventually(w->peer.connections >= 2);
	w->peer.queues = PEER_RINGS;
	offer(w, 0, 1);
	served(w, 0, 1);
}

/* Where the peer could not reach it, nobody asks the peer. */
static void ring_in_rom(void **state)
{
	struct world *w = *state;

	assert_int_equal(
		gmem_add(&w->rig.mem, at(8 * MIB), 64 * KIB, GMEM_ROM, "rom"),
		0);
	assert_int_equal(attach(w, &vhost_disk, 1), 0);
	rig_place(&w->rig);
	assert_true(rig_negotiate(&w->rig, V1));
	reg_set(&w->rig, 22, 2, 0);
	reg_set(&w->rig, 24, 2, RIG_QUEUE);
	reg_set(&w->rig, 32, 8, 8 * MIB);
	reg_set(&w->rig, 40, 8, RIG_AVAIL(0));
	reg_set(&w->rig, 48, 8, RIG_USED(0));
	reg_set(&w->rig, 28, 2, 1);
	reg_set(&w->rig, 20, 1, 15);
	eventually(is_broken(w));
	assert_int_equal(w->peer.connections, 1);
}

static void stop_and_cont(void **state)
{
	struct world *w = *state;

	begin(w, &vhost_disk, 2);
	for (unsigned i = 0; i < 50; i++) {
		offer(w, 0, 5);
		vhost_user_pause(&w->dev);
		/* What had been taken is answered, and nothing else comes. */
		unsigned n = w->peer.served;

		offer(w, 1, 3);
		rig_nap();
		assert_int_equal(w->peer.served, n);
		vhost_user_resume(&w->dev);
		served(w, 0, 5);
		served(w, 1, 3);
	}
	assert_int_equal(w->peer.served, 50 * 8);
	assert_int_equal(w->peer.connections, 1);
}

static void features_pass(void **state)
{
	struct world *w = *state;
	const uint64_t both = V1 | RINGS | 1ull << 9;

	/* Packed rings, order, ring reset; of the type: unknown, CONFIG_WCE. */
	w->peer.features |= 1ull << 34 | 1ull << 35 | 1ull << 40 | 1ull << 20 |
			    1ull << 11;
	w->platform = true; /* the driver's to accept, and no peer's */
	assert_int_equal(attach(w, &vhost_disk, 1), 0);
	assert_int_equal(w->dev.vdev.offered, both | VIRTIO_F_ACCESS_PLATFORM);
	rig_place(&w->rig);
	drive(w, 1);
	eventually(w->peer.told_features);
	assert_int_equal(w->peer.told_features, both | VHOST_F_PROTOCOL);
	/* Nothing of the configuration is the driver's to write. */
	reg_set(&w->rig, VIRTIO_PCI_DEVICE + 32, 1, 1);
	assert_int_equal(reg_get(&w->rig, VIRTIO_PCI_DEVICE + 32, 1), 0);
}

static void configuration(void **state)
{
	const struct vhost_header changed = { VHOST_BACKEND_CONFIG_CHANGE,
					      VHOST_VERSION | VHOST_NEED_REPLY,
					      0 };
	struct vhost_header h;
	struct world *w = *state;
	uint64_t before;

	begin(w, &vhost_disk, 2);
	assert_int_equal(reg_get(&w->rig, VIRTIO_PCI_DEVICE, 8), 8);
	assert_int_equal(reg_get(&w->rig, VIRTIO_PCI_DEVICE + 34, 2), 2);
	before = reg_get(&w->rig, 21, 1);
	w->peer.config[0] = 16;
	send_with(w->peer.back, &changed, sizeof(changed), NULL, 0);
	assert_int_equal(recv(w->peer.back, &h, sizeof(h), MSG_WAITALL),
			 sizeof(h));
	assert_int_equal(h.flags, VHOST_VERSION | VHOST_REPLY);
	for (int i = 0; i < 100 && reg_get(&w->rig, VIRTIO_PCI_DEVICE, 8) != 16;
	     i++)
		world_loop(w, 20);
	assert_int_equal(reg_get(&w->rig, VIRTIO_PCI_DEVICE, 8), 16);
	assert_int_not_equal(reg_get(&w->rig, 21, 1), before);
	assert_true(rig_waits_irq(&w->rig, &w->dev.pci.msix, 0));
}

/* Masked, an interrupt waits in the eventfd, and the pending bit says so. */
static void interrupts(void **state)
{
	struct world *w = *state;
	const struct msix *m = &w->dev.pci.msix;
	uint64_t entry = VIRTIO_PCI_TABLE + 16ull;

	begin(w, &vhost_disk, 1);
	eventually(m->feed[0].attached);
	reg_set(&w->rig, entry + 12, 4, 1);
	assert_false(m->feed[0].attached);
	offer(w, 0, 1);
	served(w, 0, 1);
	eventually(reg_get(&w->rig, VIRTIO_PCI_PBA, 8) == 2);
	reg_set(&w->rig, entry + 12, 4, 0);
	assert_true(m->feed[0].attached);
	assert_int_equal(reg_get(&w->rig, VIRTIO_PCI_PBA, 8), 0);
	/* Another vector; none; none that exists. */
	reg_set(&w->rig, 22, 2, 0);
	reg_set(&w->rig, 26, 2, 0);
	assert_true(m->feed[0].attached);
	assert_int_equal(m->feed[0].vector, 0);
	reg_set(&w->rig, 26, 2, 0xffff);
	assert_int_equal(m->feed[0].fd, -1);
	reg_set(&w->rig, 26, 2, 1);
	assert_true(m->feed[0].attached);
	cfg_set(&w->rig, PCI_COMMAND, 2, PCI_CMD_MEM);
	assert_false(m->feed[0].attached);
	cfg_set(&w->rig, PCI_COMMAND, 2, PCI_CMD_MEM | PCI_CMD_MASTER);
	assert_true(m->feed[0].attached);
	reg_set(&w->rig, 20, 1, 0);
	assert_int_equal(m->feed[0].fd, -1);
}

static void file_system(void **state)
{
	struct world *w = *state;

	w->peer.protocol &= ~VHOST_P_CONFIG;
	begin(w, &vhost_fs, 0);
	assert_int_equal(w->dev.vdev.n_queues, 3); /* two CPUs */
	assert_int_equal(reg_get(&w->rig, VIRTIO_PCI_DEVICE, 4),
			 't' | 'a' << 8 | 'g' << 16);
	assert_int_equal(reg_get(&w->rig, VIRTIO_PCI_DEVICE + 36, 4), 2);
	for (uint16_t q = 0; q < 3; q++) {
		offer(w, q, 4);
		served(w, q, 4);
	}
	/* It has nothing that a driver may write. */
	reg_set(&w->rig, VIRTIO_PCI_DEVICE + 32, 1, 7);
	assert_int_equal(reg_get(&w->rig, VIRTIO_PCI_DEVICE + 32, 1), 0);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, world_open, world_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lies_at_first),	  TEST(not_enough),
		TEST(lies_later),	  TEST(says_what_nobody_asked),
		TEST(silence_ends),	  TEST(dies_idle),
		TEST(dies_at_work),	  TEST(dies_with_books),
		TEST(books_are_none),	  TEST(dies_with_state),
		TEST(comes_back_smaller), TEST(ring_in_rom),
		TEST(stop_and_cont),	  TEST(features_pass),
		TEST(configuration),	  TEST(interrupts),
		TEST(file_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
