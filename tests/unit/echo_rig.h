/* SPDX-License-Identifier: Apache-2.0 */
/*
 * echo_rig: a virtio device that answers every request alike, on the board of
 * virtio_rig, for tests of what is around a device.
 */
#ifndef CARREL_TESTS_UNIT_ECHO_RIG_H
#define CARREL_TESTS_UNIT_ECHO_RIG_H

#include "tests/unit/virtio_rig.h"

#define QUEUES 3
#define CONFIG_LEN 13
#define RINGS (VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX)
#define FEATURE (1ull << 5) /* of the device type */
#define V1 VIRTIO_F_VERSION_1
#define PLATFORM VIRTIO_F_ACCESS_PLATFORM
#define NEEDS_RESET VIRTIO_S_NEEDS_RESET

struct world {
	struct rig rig;
	struct vdev dev;
	struct virtio_pci pci;
	_Atomic(int) served;
	_Atomic(bool) stuck; /* the second request waits while this holds */
};

static inline int echo(struct vdev *d, struct chain *c, uint32_t *written)
{
	struct world *w =
		(struct world *)((char *)d - offsetof(struct world, dev));

	int rc = 0;

	*written = 7;
	if (w->stuck && w->served)
		rc = vdev_will_wait(c);
	while (w->stuck && w->served)
		usleep(100);
	atomic_fetch_add(&w->served, 1);
	return rc;
}

static const struct vdev_ops echo_ops = {
	.name = "echo",
	.type = 30,
	.class = 0x010203,
	.request = echo,
};

static inline struct world *world_open(bool platform)
{
	static struct world w;

	w = (struct world){ 0 };
	rig_open(&w.rig);
	for (uint8_t i = 0; i < CONFIG_LEN; i++)
		w.dev.config[i] = (uint8_t)(0xc0 + i);
	w.dev.config_len = CONFIG_LEN;
	assert_int_equal(vdev_open(&w.dev, &echo_ops, "echo", &w.rig.mem,
				   FEATURE, platform, QUEUES, NULL),
			 0);
	assert_int_equal(virtio_pci_attach(&w.pci, &w.dev, &w.rig.pci,
					   RIG_DEVFN, &w.rig.irq),
			 0);
	rig_place(&w.rig);
	return &w;
}

static inline int setup(void **state)
{
	*state = world_open(false);
	return 0;
}

static inline int setup_platform(void **state)
{
	*state = world_open(true);
	return 0;
}

static inline int teardown(void **state)
{
	struct world *w = *state;

	vdev_close(&w->dev);
	virtio_pci_close(&w->pci);
	rig_close(&w->rig);
	return 0;
}

static inline void serve_one_on(struct rig *r, uint16_t q)
{
	uint32_t len = 0;

	rig_desc(r, RIG_DESC(q), 0, RIG_DATA, 8, 0, 0);
	rig_offer(r, q, 0);
	rig_kick(r, q);
	assert_true(rig_wait(r, q, &len));
	assert_int_equal(len, 7);
}

#endif
