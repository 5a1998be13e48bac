/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio_pci_test: the transport around a device that only echoes. Drivers
 * that negotiate, place queues and touch registers wrongly come first.
 */
#include "tests/unit/echo_rig.h"

#include <stdlib.h>

#include "tests/unit/capture.h"

static void refuses_features(void **state)
{
	static const struct {
		const char *name;
		uint64_t accept;
		bool ok;
	} table[] = {
		{ "none", 0, false },
		{ "legacy", FEATURE | RINGS, false },
		{ "not offered", V1 | 1ull << 6, false },
		{ "platform, not offered", V1 | PLATFORM, false },
		{ "all ones", ~0ull, false },
		{ "just enough", V1, true },
		{ "everything", V1 | FEATURE | RINGS, true },
	};
	struct world *w = *state;

	assert_int_equal(rig_features(&w->rig), V1 | FEATURE | RINGS);
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (rig_negotiate(&w->rig, table[i].accept) != table[i].ok)
			fail_msg("%s", table[i].name);
}

static void requires_platform(void **state)
{
	struct world *w = *state;

	assert_int_equal(rig_features(&w->rig),
			 V1 | PLATFORM | FEATURE | RINGS);
	assert_false(rig_negotiate(&w->rig, V1));
	assert_false(rig_negotiate(&w->rig, V1 | RINGS | FEATURE));
	assert_true(rig_negotiate(&w->rig, V1 | PLATFORM));
}

static void features_stay_settled(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;

	assert_true(rig_negotiate(r, V1));
	reg_set(r, 8, 4, 0);
	reg_set(r, 12, 4, 0xffffffff);
	assert_int_equal(reg_get(r, 12, 4), 0);
	/* Words that do not exist. */
	reg_set(r, 20, 1, 0);
	reg_set(r, 8, 4, 2);
	reg_set(r, 12, 4, 1);
	assert_int_equal(reg_get(r, 12, 4), 0);
	reg_set(r, 0, 4, 0xffffffff);
	assert_int_equal(reg_get(r, 4, 4), 0);
}

static void status_never_loses_a_bit(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;

	reg_set(r, 20, 1, VIRTIO_S_ACKNOWLEDGE);
	reg_set(r, 20, 1, VIRTIO_S_DRIVER);
	assert_int_equal(rig_status(r), 3);
	reg_set(r, 20, 1, 0x30); /* reserved */
	assert_int_equal(rig_status(r), 3);
	reg_set(r, 20, 1, VIRTIO_S_FAILED);
	assert_int_equal(rig_status(r), 0x83);
	reg_set(r, 20, 1, 0);
	assert_int_equal(rig_status(r), 0);
	reg_set(r, 20, 1, NEEDS_RESET); /* not the driver's to set */
	assert_int_equal(rig_status(r), 0);
}

static void ok_without_features(struct rig *r)
{
	reg_set(r, 20, 1, 0);
	reg_set(r, 20, 1, 3 | VIRTIO_S_DRIVER_OK);
}

static void queue_before_features(struct rig *r)
{
	reg_set(r, 20, 1, 0);
	rig_queue(r, 0, RIG_QUEUE);
}

static void bad_size(struct rig *r)
{
	rig_negotiate(r, V1);
	rig_queue(r, 0, 12);
}

static void big_size(struct rig *r)
{
	rig_negotiate(r, V1);
	rig_queue(r, 0, 512);
}

static void unaligned(struct rig *r)
{
	rig_negotiate(r, V1);
	reg_set(r, 22, 2, 0);
	reg_set(r, 32, 4, RIG_DESC(0) + 1);
	reg_set(r, 28, 2, 1);
}

static void high_half_wrong(struct rig *r)
{
	rig_negotiate(r, V1);
	reg_set(r, 22, 2, 0);
	reg_set(r, 32, 8, RIG_DESC(0));
	reg_set(r, 36, 4, 1);
	reg_set(r, 28, 2, 1);
}

static void moved_while_live(struct rig *r)
{
	rig_start(r, V1, 1);
	reg_set(r, 22, 2, 0);
	reg_set(r, 40, 4, 0x40000);
}

static void resized_while_live(struct rig *r)
{
	rig_start(r, V1, 1);
	reg_set(r, 22, 2, 0);
	reg_set(r, 24, 2, 4);
}

static void index_ran_ahead(struct rig *r)
{
	uint32_t len;

	rig_start(r, V1, 1);
	r->offered[0] = 100;
	rig_offer(r, 0, 0);
	rig_kick(r, 0);
	assert_false(rig_wait(r, 0, &len));
}

/* Each ends in a broken device that does nothing until its reset. */
static void breaks(void **state)
{
	static const struct {
		const char *name;
		void (*driver)(struct rig *r);
		bool told; /* DRIVER_OK was said: a config interrupt */
	} table[] = {
		{ "DRIVER_OK without features", ok_without_features, false },
		{ "queue before features", queue_before_features, false },
		{ "size 12", bad_size, false },
		{ "size 512", big_size, false },
		{ "unaligned", unaligned, false },
		{ "4 GiB too high", high_half_wrong, false },
		{ "moved while live", moved_while_live, true },
		{ "resized while live", resized_while_live, true },
		{ "index ran ahead", index_ran_ahead, true },
	};
	struct world *w = *state;
	struct rig *r = &w->rig;
	uint32_t len;

	rig_msix(r, &w->pci.msix);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		table[i].driver(r);
		if (!(rig_status(r) & NEEDS_RESET))
			fail_msg("%s: not broken", table[i].name);
		/* A worker shows the status first, then it interrupts. */
		if (table[i].told ? !rig_waits_irq(r, &w->pci.msix, 0)
				  : rig_fired(r, &w->pci.msix, 0))
			fail_msg("%s: config interrupt", table[i].name);
		w->served = 0;
		reg_set(r, 20, 1, 15);
		assert_true(rig_status(r) & NEEDS_RESET);
		rig_queue(r, 1, RIG_QUEUE);
		rig_offer(r, 1, 0);
		rig_kick(r, 1);
		for (int nap = 0; nap < 5; nap++)
			rig_nap();
		assert_int_equal(w->served, 0);

		rig_start(r, V1, 2);
		rig_desc(r, RIG_DESC(1), 0, RIG_DATA, 8, 0, 0);
		rig_offer(r, 1, 0);
		rig_kick(r, 1);
		assert_true(rig_wait(r, 1, &len));
	}
}

static void queues_that_are_not_there(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;

	rig_start(r, V1, 1);
	reg_set(r, 22, 2, QUEUES);
	for (uint64_t off = 24; off < 56; off += 4)
		assert_int_equal(reg_get(r, off, off < 32 ? 2 : 4), 0);
	reg_set(r, 24, 2, 8);
	reg_set(r, 28, 2, 1);
	assert_int_equal(reg_get(r, 28, 2), 0);
	rig_kick(r, QUEUES);
	rig_kick(r, 0x3ff);
	/* One that is, but is not enabled. */
	rig_kick(r, 2);
	for (int nap = 0; nap < 5; nap++)
		rig_nap();
	assert_int_equal(rig_status(r), 15);
	assert_int_equal(w->served, 0);
}

/* No access of any width anywhere does harm, and most find nobody. */
static void any_access_is_harmless(void **state)
{
	static const size_t widths[] = { 1, 2, 4, 8 };
	struct world *w = *state;
	struct rig *r = &w->rig;

	srandom(1);
	for (uint64_t off = 0; off < VIRTIO_PCI_BAR_SIZE; off++) {
		for (size_t i = 0; i < 4; i++) {
			uint64_t v = (uint64_t)random() << 33 ^
				     (uint64_t)random();

			if (off % 0x1000 > 0x200)
				continue;
			reg_set(r, off, widths[i], v);
			(void)reg_get(r, off, widths[i]);
		}
	}
	for (unsigned off = 0; off < 0x100; off++) {
		for (size_t i = 0; i < 3; i++) {
			if ((off & 3) + widths[i] > 4)
				continue;
			cfg_set(r, off, widths[i], (uint32_t)random());
			(void)cfg_get(r, off, widths[i]);
		}
	}
	pci_reset(&r->pci);
	rig_place(r);
	rig_msix(r, &w->pci.msix);
	rig_start(r, V1, QUEUES);
}

static void widths_are_strict(void **state)
{
	static const struct {
		uint64_t off;
		size_t len;
		bool answers;
	} table[] = {
		{ 0, 4, true },
		{ 0, 1, false },
		{ 0, 2, false },
		{ 0, 8, false },
		{ 1, 1, false },
		{ 2, 2, false },
		{ 16, 2, true },
		{ 16, 4, false },
		{ 18, 2, true },
		{ 20, 1, true },
		{ 20, 2, false },
		{ 20, 4, false },
		{ 21, 1, true },
		{ 22, 2, true },
		{ 22, 1, false },
		{ 23, 1, false },
		{ 30, 2, true },
		{ 30, 4, false },
		{ 32, 8, true },
		{ 32, 4, true },
		{ 36, 4, true },
		{ 36, 8, false },
		{ 48, 8, true },
		{ 52, 4, true },
		{ 54, 2, false },
		{ 56, 2, false },
		{ 56, 4, false },
		{ VIRTIO_PCI_ISR, 1, true },
		{ VIRTIO_PCI_ISR, 4, false },
		{ VIRTIO_PCI_ISR + 1, 1, false },
		{ VIRTIO_PCI_DEVICE + 5, 8, true },
		{ VIRTIO_PCI_DEVICE + 6, 8, false },
		{ VIRTIO_PCI_DEVICE + 12, 1, true },
		{ VIRTIO_PCI_DEVICE + 13, 1, false },
		{ VIRTIO_PCI_NOTIFY, 2, false },
		{ VIRTIO_PCI_TABLE + 4, 4, true },
		{ VIRTIO_PCI_TABLE + 8, 8, true },
		{ VIRTIO_PCI_TABLE + 4, 8, false },
		{ VIRTIO_PCI_TABLE, 2, false },
		{ VIRTIO_PCI_TABLE + 16 * (QUEUES + 1) - 8, 8, true },
		{ VIRTIO_PCI_TABLE + 16 * (QUEUES + 1), 4, false },
		{ VIRTIO_PCI_PBA, 8, true },
		{ VIRTIO_PCI_PBA + 4, 4, true },
		{ VIRTIO_PCI_PBA + 8, 4, false },
		{ 0x6000, 4, false },
		{ 0x7ffc, 4, false },
	};
	struct world *w = *state;
	const struct bus_ops *ops = w->pci.pci.bar[0].ops;
	uint8_t b[8];

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (ops->read(&w->pci, table[i].off, b, table[i].len) !=
		    table[i].answers)
			fail_msg("0x%llx, %zu bytes",
				 (unsigned long long)table[i].off,
				 table[i].len);
}

static void has_an_identity(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;

	assert_int_equal(cfg_get(r, 0, 4), (0x1040u + 30) << 16 | 0x1af4);
	assert_int_equal(cfg_get(r, 8, 4), 0x01020301);
	assert_int_equal(cfg_get(r, 0x2c, 4), (0x1040u + 30) << 16 | 0x1af4);
	assert_int_equal(cfg_get(r, 0x3d, 1), 0); /* no INTx */
	assert_int_equal(reg_get(r, VIRTIO_PCI_DEVICE, 4), 0xc3c2c1c0);
	assert_int_equal(reg_get(r, 18, 2), QUEUES);
}

/* As Linux and OVMF do: by the list, each structure where it says. */
static void has_capabilities(void **state)
{
	static const struct {
		uint8_t type;
		uint32_t off, len;
	} table[] = {
		{ 1, VIRTIO_PCI_COMMON, 56 },
		{ 3, VIRTIO_PCI_ISR, 1 },
		{ 4, VIRTIO_PCI_DEVICE, CONFIG_LEN },
		{ 2, VIRTIO_PCI_NOTIFY, 4 * QUEUES },
		{ 5, 0, 0 },
	};
	struct world *w = *state;
	struct rig *r = &w->rig;
	unsigned cap = cfg_get(r, PCI_CAP_PTR, 1);

	assert_true(cfg_get(r, PCI_STATUS, 2) & 0x10);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		assert_int_equal(cfg_get(r, cap, 1), 9);
		assert_int_equal(cfg_get(r, cap + 2, 1),
				 table[i].type == 2 || table[i].type == 5 ? 20
									  : 16);
		assert_int_equal(cfg_get(r, cap + 3, 1), table[i].type);
		assert_int_equal(cfg_get(r, cap + 4, 1), 0);
		assert_int_equal(cfg_get(r, cap + 8, 4), table[i].off);
		assert_int_equal(cfg_get(r, cap + 12, 4), table[i].len);
		if (table[i].type == 2)
			assert_int_equal(cfg_get(r, cap + 16, 4), 4);
		cap = cfg_get(r, cap + 1, 1);
	}
	assert_int_equal(cfg_get(r, cap, 1), 0x11);
	assert_int_equal(cfg_get(r, cap + 2, 2), QUEUES); /* N - 1 */
	assert_int_equal(cfg_get(r, cap + 4, 4), VIRTIO_PCI_TABLE);
	assert_int_equal(cfg_get(r, cap + 8, 4), VIRTIO_PCI_PBA);
	assert_int_equal(cfg_get(r, cap + 1, 1), 0);
}

static void window_set(struct rig *r, unsigned cap, uint8_t bar, uint32_t off,
		       uint32_t len)
{
	cfg_set(r, cap + 4, 1, bar);
	cfg_set(r, cap + 8, 4, off);
	cfg_set(r, cap + 12, 4, len);
}

static void window_into_the_bar(void **state)
{
	static const struct {
		uint8_t bar;
		uint32_t off, len;
	} refused[] = {
		{ 1, 20, 1 },	      { 0, 20, 0 },
		{ 0, 20, 3 },	      { 0, 21, 2 },
		{ 0, 0, 8 },	      { 0, VIRTIO_PCI_BAR_SIZE, 1 },
		{ 0, 0xfffffffc, 4 }, { 0, 20, 0xffffffff },
		{ 0, 20, 4 },
	};
	struct world *w = *state;
	struct rig *r = &w->rig;
	unsigned cap = w->pci.cap_cfg;

	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		window_set(r, cap, refused[i].bar, refused[i].off,
			   refused[i].len);
		cfg_set(r, cap + 16, 4, 1);
		assert_int_equal(cfg_get(r, cap + 16, 4), 0xffffffff);
		assert_int_equal(rig_status(r), 0);
	}
	/* The window works with memory decoding off. */
	cfg_set(r, PCI_COMMAND, 2, 0);
	window_set(r, cap, 0, 20, 1);
	cfg_set(r, cap + 16, 1, 1);
	cfg_set(r, cap + 16, 1, 3);
	assert_int_equal(cfg_get(r, cap + 16, 1), 3);
	window_set(r, cap, 0, VIRTIO_PCI_DEVICE + 4, 4);
	assert_int_equal(cfg_get(r, cap + 16, 4), 0xc7c6c5c4);
	assert_int_equal(cfg_get(r, cap + 18, 2), 0xc7c6);
}

/* A descriptor that is no VM refuses every doorbell; the guest tries on. */
static void complains_once_of_doorbells(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;
	struct capture c = capture_begin();
	char text[1024];

	r->irq.vm_fd = w->dev.queue[0].worker.kick_fd;
	for (int i = 0; i < 5; i++) {
		cfg_set(r, PCI_COMMAND, 2, 0);
		cfg_set(r, PCI_COMMAND, 2, PCI_CMD_MEM | PCI_CMD_MASTER);
	}
	r->irq.vm_fd = -1;
	(void)capture_end(&c, text, sizeof(text));
	assert_non_null(strstr(text, "echo: no doorbell from KVM"));
	assert_string_equal(strchr(text, '\n'), "\n");
	rig_start(r, V1, 1);
	serve_one_on(r, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(refuses_features),
		cmocka_unit_test_setup_teardown(requires_platform,
						setup_platform, teardown),
		T(features_stay_settled),
		T(status_never_loses_a_bit),
		T(breaks),
		T(queues_that_are_not_there),
		T(any_access_is_harmless),
		T(widths_are_strict),
		T(has_an_identity),
		T(has_capabilities),
		T(window_into_the_bar),
		T(complains_once_of_doorbells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
