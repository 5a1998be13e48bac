/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vdev_test: when a device's queues may run and when they tell: pauses, resets,
 * bus mastering, requests that wait.
 */
#include "tests/unit/echo_rig.h"

/* Holds are counted: a reset in a pause does not end the pause. */
static void reset_in_a_pause(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;
	uint32_t len;

	rig_start(r, V1, 1);
	vdev_pause(&w->dev);
	rig_start(r, V1, 1);
	rig_desc(r, RIG_DESC(0), 0, RIG_DATA, 8, 0, 0);
	rig_offer(r, 0, 0);
	rig_kick(r, 0);
	for (int nap = 0; nap < 10; nap++)
		rig_nap();
	assert_int_equal(w->served, 0);
	vdev_resume(&w->dev);
	assert_true(rig_wait(r, 0, &len));
}

/*
 * A function that is no bus master reads and writes no memory and sends no
 * message; what was left undone is done when it is one again.
 */
static void no_master_no_dma(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;
	struct msix *m = &w->pci.msix;
	uint32_t len;

	rig_msix(r, m);
	rig_start(r, V1, 1);
	cfg_set(r, PCI_COMMAND, 2, PCI_CMD_MEM);
	rig_desc(r, RIG_DESC(0), 0, RIG_DATA, 8, 0, 0);
	rig_offer(r, 0, 0);
	rig_kick(r, 0);
	/* Nor does a reset make it one. */
	rig_start(r, V1, 1);
	rig_desc(r, RIG_DESC(0), 0, RIG_DATA, 8, 0, 0);
	rig_offer(r, 0, 0);
	rig_kick(r, 0);
	rig_kick(r, QUEUES);
	reg_set(r, 22, 2, 0);
	reg_set(r, 24, 2, 4); /* breaks it: a message is due */
	for (int nap = 0; nap < 10; nap++)
		rig_nap();
	assert_int_equal(w->served, 0);
	assert_int_equal(rig_fired(r, m, 0), 0);
	cfg_set(r, PCI_COMMAND, 2, PCI_CMD_MEM | PCI_CMD_MASTER);
	assert_int_equal(rig_fired(r, m, 0), 1);

	rig_start(r, V1, 1);
	cfg_set(r, PCI_COMMAND, 2, PCI_CMD_MEM);
	rig_desc(r, RIG_DESC(0), 0, RIG_DATA, 8, 0, 0);
	rig_offer(r, 0, 0);
	rig_kick(r, 0);
	for (int nap = 0; nap < 10; nap++)
		rig_nap();
	assert_int_equal(w->served, 0);
	cfg_set(r, PCI_COMMAND, 2, PCI_CMD_MEM | PCI_CMD_MASTER);
	cfg_set(r, PCI_COMMAND, 2, PCI_CMD_MEM | PCI_CMD_MASTER);
	assert_true(rig_wait(r, 0, &len));
	assert_true(rig_waits_irq(r, m, 1));
	/* Power-on: off again. */
	pci_reset(&r->pci);
	assert_false(w->dev.master);
	rig_place(r);
	rig_start(r, V1, 1);
	serve_one_on(r, 0);
}

/* A request that is done is not kept back by one that takes its time. */
static void announces_before_it_waits(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;
	uint32_t len;

	rig_msix(r, &w->pci.msix);
	rig_start(r, V1, 1);
	rig_desc(r, RIG_DESC(0), 0, RIG_DATA, 8, 0, 0);
	rig_desc(r, RIG_DESC(0), 1, RIG_DATA, 8, 0, 0);
	vdev_pause(&w->dev);
	rig_offer(r, 0, 0);
	rig_offer(r, 0, 1);
	w->stuck = true;
	vdev_resume(&w->dev);
	assert_true(rig_waits_irq(r, &w->pci.msix, 1));
	assert_int_equal(w->served, 1);
	assert_true(rig_wait(r, 0, &len));
	w->stuck = false;
	assert_true(rig_wait(r, 0, &len));
	assert_true(rig_waits_irq(r, &w->pci.msix, 1));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(no_master_no_dma),
		T(reset_in_a_pause),
		T(announces_before_it_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
