/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rng_test: requests the entropy device refuses, then bytes that differ.
 */
#include "tests/unit/virtio_rig.h"

#include "devices/rng.h"

#define FEATURES (VIRTIO_F_VERSION_1)

struct world {
	struct rig rig;
	struct rng rng;
};

static int setup(void **state)
{
	static struct world w;
	struct rng_config cfg = { .platform = false };

	rig_open(&w.rig);
	assert_int_equal(rng_attach(&w.rng, &cfg, &w.rig.pci, RIG_DEVFN,
				    &w.rig.mem, &w.rig.irq, NULL),
			 0);
	rig_place(&w.rig);
	rig_msix(&w.rig, &w.rng.pci.msix);
	rig_start(&w.rig, FEATURES, 1);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	rng_close(&w->rng);
	rig_close(&w->rig);
	return 0;
}

struct refusal {
	const char *name;
	uint64_t addr;
	uint32_t len, flags;
};

static void refuses(void **state)
{
	static const struct refusal table[] = {
		{ "to read only", RIG_DATA, 64, 0 },
		{ "no bytes", RIG_DATA, 0, VRING_DESC_WRITE },
		{ "a hole", RIG_RAM, 64, VRING_DESC_WRITE },
		{ "over the end", RIG_RAM - 63, 64, VRING_DESC_WRITE },
		{ "wraps", ~0ull - 3, 64, VRING_DESC_WRITE },
	};
	struct world *w = *state;
	struct rig *r = &w->rig;
	uint32_t len;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const struct refusal *t = &table[i];

		rig_start(r, FEATURES, 1);
		rig_desc(r, RIG_DESC(0), 0, t->addr, t->len, t->flags, 0);
		rig_offer(r, 0, 0);
		rig_kick(r, 0);
		if (rig_wait(r, 0, &len))
			fail_msg("%s: answered", t->name);
		assert_int_equal(rig_status(r), 15 | VIRTIO_S_NEEDS_RESET);
		assert_true(rig_waits_irq(r, &w->rng.pci.msix, 0));
	}
}

static void fills(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;
	uint8_t a[64], b[64], zero[64] = { 0 };
	uint32_t len;

	rig_desc(r, RIG_DESC(0), 0, RIG_DATA, 60, 3, 1);
	rig_desc(r, RIG_DESC(0), 1, RIG_DATA + 60, 4, 2, 0);
	for (int i = 0; i < 2; i++) {
		rig_offer(r, 0, 0);
		rig_kick(r, 0);
		assert_true(rig_wait(r, 0, &len));
		assert_int_equal(len, 64);
		assert_true(rig_waits_irq(r, &w->rng.pci.msix, 1));
		assert_int_equal(
			gmem_read(&r->mem, at(RIG_DATA), i ? a : b, 64), 0);
	}
	assert_memory_not_equal(a, b, 64);
	assert_memory_not_equal(a + 56, zero, 8);
}

static void is_bounded(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;
	uint8_t past[64], zero[64] = { 0 };
	uint32_t len;

	rig_desc(r, RIG_DESC(0), 0, RIG_DATA, 1 * MIB, 2, 0);
	rig_offer(r, 0, 0);
	rig_kick(r, 0);
	assert_true(rig_wait(r, 0, &len));
	assert_int_equal(len, RNG_BYTES);
	assert_int_equal(gmem_read(&r->mem, at(RIG_DATA + RNG_BYTES), past, 64),
			 0);
	assert_memory_equal(past, zero, 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(fills, setup, teardown),
		cmocka_unit_test_setup_teardown(is_bounded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
