/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msix_test: vectors that are masked, moved or not there, and a driver that
 * has none.
 */
#include "tests/unit/echo_rig.h"

static void masked_vectors_wait(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;
	const struct msix *m = &w->pci.msix;
	uint64_t entry = VIRTIO_PCI_TABLE + 16 * 2; /* queue 1's */

	rig_msix(r, m);
	rig_start(r, V1, 2);
	reg_set(r, entry + 12, 4, 0xffffffff);
	assert_int_equal(reg_get(r, entry + 12, 4), 1);
	serve_one_on(r, 1);
	while (!reg_get(r, VIRTIO_PCI_PBA, 8))
		rig_nap();
	assert_int_equal(reg_get(r, VIRTIO_PCI_PBA, 8), 1 << 2);
	assert_int_equal(rig_fired(r, m, 2), 0);
	reg_set(r, entry + 12, 4, 0);
	assert_int_equal(rig_fired(r, m, 2), 1);
	assert_int_equal(reg_get(r, VIRTIO_PCI_PBA, 8), 0);

	/* The function's mask over all of them. */
	cfg_set(r, m->cap + 2, 2, 0xc000);
	serve_one_on(r, 1);
	while (reg_get(r, VIRTIO_PCI_PBA, 4) != 1 << 2)
		rig_nap();
	assert_int_equal(rig_fired(r, m, 2), 0);
	cfg_set(r, m->cap + 2, 2, 0x8000);
	assert_int_equal(rig_fired(r, m, 2), 1);
	/* MSI-X was on: the ISR says nothing of queues. */
	assert_int_equal(reg_get(r, VIRTIO_PCI_ISR, 1), 0);
}

static void messages_are_the_guests(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;
	const struct irq_msi *msi = &r->irq.msi[w->pci.msix.v[1].msi];
	uint64_t entry = VIRTIO_PCI_TABLE + 16;

	assert_false(msi->routed);
	rig_msix(r, &w->pci.msix);
	assert_true(msi->routed);
	assert_int_equal(msi->addr, 0xfee00000);
	assert_int_equal(msi->data, 0x41);
	/* As Linux moves an interrupt to another CPU. */
	reg_set(r, entry + 12, 4, 1);
	reg_set(r, entry, 8, 0x00000001fee01000);
	reg_set(r, entry + 8, 4, 0x55);
	assert_int_equal(msi->data, 0x41);
	reg_set(r, entry + 12, 4, 0);
	assert_int_equal(msi->addr, 0x1fee01000);
	assert_int_equal(msi->data, 0x55);
	pci_reset(&r->pci);
	assert_false(msi->routed);
}

static void vectors_that_are_not_there(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;

	rig_msix(r, &w->pci.msix);
	rig_start(r, V1, 1);
	reg_set(r, 22, 2, 0);
	reg_set(r, 26, 2, QUEUES);
	assert_int_equal(reg_get(r, 26, 2), QUEUES);
	reg_set(r, 26, 2, QUEUES + 1);
	assert_int_equal(reg_get(r, 26, 2), 0xffff);
	reg_set(r, 16, 2, 0x1234);
	assert_int_equal(reg_get(r, 16, 2), 0xffff);
	serve_one_on(r, 0);
	vdev_break(&w->dev, "for the test");
	for (unsigned i = 0; i <= QUEUES; i++)
		assert_int_equal(rig_fired(r, &w->pci.msix, i), 0);
}

static void isr_without_msix(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;

	rig_start(r, V1, 1);
	serve_one_on(r, 0);
	vdev_pause(&w->dev); /* the interrupt comes after the used index */
	assert_int_equal(reg_get(r, VIRTIO_PCI_ISR, 1), 1);
	assert_int_equal(reg_get(r, VIRTIO_PCI_ISR, 1), 0);
	vdev_break(&w->dev, "for the test");
	assert_int_equal(reg_get(r, VIRTIO_PCI_ISR, 1), 2);
	vdev_resume(&w->dev);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(masked_vectors_wait),
		T(messages_are_the_guests),
		T(vectors_that_are_not_there),
		T(isr_without_msix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
