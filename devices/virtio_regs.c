/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio_regs: see the header. What the registers mean for the device is
 * vdev's.
 */
#include "devices/virtio_regs.h"

#include "vmm/timeline_once.h"

#define MARKS_MAX 4 /* firmware takes a device and lets go, a kernel takes it */

/* Common configuration (4.1.4.3). */
enum {
	DEVICE_FEATURE_SELECT = 0,
	DEVICE_FEATURE = 4,
	DRIVER_FEATURE_SELECT = 8,
	DRIVER_FEATURE = 12,
	CONFIG_VECTOR = 16,
	NUM_QUEUES = 18,
	DEVICE_STATUS = 20,
	CONFIG_GENERATION = 21,
	QUEUE_SELECT = 22,
	QUEUE_SIZE = 24,
	QUEUE_VECTOR = 26,
	QUEUE_ENABLE = 28,
	QUEUE_NOTIFY_OFF = 30,
	QUEUE_DESC = 32,
	QUEUE_DRIVER = 40,
	QUEUE_DEVICE = 48,
};

/* The queue that queue_select names, or NULL (its registers then read 0). */
static struct vqueue *selected(struct virtio_pci *p)
{
	if (p->queue_select >= p->dev->n_queues)
		return NULL;
	return &p->dev->queue[p->queue_select];
}

/*
 * 4.1.3.1: each field by accesses of its own width, a 64-bit one also by its
 * halves. Which widths does the field at off have?
 */
bool regs_access_ok(uint64_t off, size_t len)
{
	if (off < CONFIG_VECTOR)
		return len == 4 && off % 4 == 0;
	if (off == DEVICE_STATUS || off == CONFIG_GENERATION)
		return len == 1;
	if (off < QUEUE_DESC)
		return len == 2 && off % 2 == 0;
	return off + len <= VIRTIO_REGS_SIZE && (len == 4 || len == 8) &&
	       off % len == 0;
}

static uint64_t queue_get(struct virtio_pci *p, uint64_t off)
{
	const struct vqueue *q = selected(p);

	if (!q)
		return 0;
	switch (off) {
	case QUEUE_SIZE: return q->setup.size;
	case QUEUE_VECTOR: return atomic_load(&q->vector);
	case QUEUE_ENABLE: return q->enabled;
	case QUEUE_NOTIFY_OFF: return p->queue_select;
	case QUEUE_DESC: return q->setup.desc.v;
	case QUEUE_DESC + 4: return q->setup.desc.v >> 32;
	case QUEUE_DRIVER: return q->setup.avail.v;
	case QUEUE_DRIVER + 4: return q->setup.avail.v >> 32;
	case QUEUE_DEVICE: return q->setup.used.v;
	case QUEUE_DEVICE + 4: return q->setup.used.v >> 32;
	default: return 0;
	}
}

static uint64_t feature_word(uint64_t features, uint32_t word)
{
	return word > 1 ? 0 : (uint32_t)(features >> 32 * word);
}

uint64_t regs_get(struct virtio_pci *p, uint64_t off)
{
	const struct vdev *d = p->dev;

	switch (off) {
	case DEVICE_FEATURE_SELECT: return p->device_feature_select;
	case DEVICE_FEATURE:
		return feature_word(d->offered, p->device_feature_select);
	case DRIVER_FEATURE_SELECT: return p->driver_feature_select;
	case DRIVER_FEATURE:
		return feature_word(d->accepted, p->driver_feature_select);
	case CONFIG_VECTOR: return atomic_load(&p->config_vector);
	case NUM_QUEUES: return d->n_queues;
	case DEVICE_STATUS: return vdev_status(d);
	case CONFIG_GENERATION: return d->generation;
	case QUEUE_SELECT: return p->queue_select;
	default: return queue_get(p, off);
	}
}

/* len bytes of a 64-bit register whose part at byte off is written. */
static gpa_t merge(gpa_t old, uint64_t off, size_t len, uint64_t v)
{
	if (len == 8)
		return (gpa_t){ v };
	if (off % 8)
		return (gpa_t){ (uint32_t)old.v | v << 32 };
	return (gpa_t){ (old.v & ~0xffffffffull) | v };
}

/* 4.1.5.1.2.1: a vector that is not there reads back as none. */
static uint16_t vector_of(const struct virtio_pci *p, uint64_t v)
{
	return v < p->msix.n ? (uint16_t)v : VIRTIO_NO_VECTOR;
}

/* Whoever else serves queue i interrupts by its vector. */
static void feed(struct virtio_pci *p, unsigned i)
{
	const struct vqueue *q = &p->dev->queue[i];

	if (q->call_fd >= 0)
		msix_feed(&p->msix, i, q->call_fd, atomic_load(&q->vector));
}

static void queue_set(struct virtio_pci *p, uint64_t off, size_t len,
		      uint64_t v)
{
	struct vqueue *q = selected(p);
	struct virtq_setup s;

	if (!q)
		return;
	s = q->setup;
	switch (off & ~7ull) {
	case QUEUE_DESC: s.desc = merge(s.desc, off, len, v); break;
	case QUEUE_DRIVER: s.avail = merge(s.avail, off, len, v); break;
	case QUEUE_DEVICE: s.used = merge(s.used, off, len, v); break;
	default: break;
	}
	switch (off) {
	case QUEUE_VECTOR:
		atomic_store(&q->vector, vector_of(p, v));
		feed(p, p->queue_select);
		return;
	case QUEUE_ENABLE:
		if (v == 1)
			vdev_enable_queue(p->dev, p->queue_select);
		return;
	case QUEUE_NOTIFY_OFF: return;
	case QUEUE_SIZE: s.size = (uint16_t)v; break;
	default: break;
	}
	vdev_setup_queue(p->dev, p->queue_select, &s);
}

void regs_reset(struct virtio_pci *p)
{
	p->device_feature_select = p->driver_feature_select = 0;
	p->queue_select = 0;
	for (unsigned i = 0; i < p->dev->n_queues; i++)
		feed(p, i); /* it has no vector any more */
	atomic_store(&p->config_vector, VIRTIO_NO_VECTOR);
	atomic_store(&p->isr, 0);
}

/* A driver is there, or lets go: of the first few, on the time line. */
static void set_status(struct virtio_pci *p, uint8_t v)
{
	struct timeline *t = p->pci.bus->pio->timeline;
	bool had = vdev_status(p->dev) & VIRTIO_S_DRIVER_OK, has;

	vdev_set_status(p->dev, v);
	has = vdev_status(p->dev) & VIRTIO_S_DRIVER_OK;
	if (had == has || p->told >= MARKS_MAX)
		return;
	p->told++;
	if (has)
		timeline_once(t, ONCE_DRIVERS, p->dev->label);
	timeline_moment(t, TIMELINE_GUEST, has ? "driver" : "driver-gone",
			p->dev->label);
}

void regs_set(struct virtio_pci *p, uint64_t off, size_t len, uint64_t v)
{
	switch (off) {
	case DEVICE_FEATURE_SELECT:
		p->device_feature_select = (uint32_t)v;
		break;
	case DRIVER_FEATURE_SELECT:
		p->driver_feature_select = (uint32_t)v;
		break;
	case DRIVER_FEATURE:
		vdev_accept(p->dev, p->driver_feature_select, (uint32_t)v);
		break;
	case CONFIG_VECTOR:
		atomic_store(&p->config_vector, vector_of(p, v));
		break;
	case DEVICE_STATUS:
		set_status(p, (uint8_t)v);
		if (!v)
			regs_reset(p);
		break;
	case QUEUE_SELECT: p->queue_select = (uint16_t)v; break;
	case DEVICE_FEATURE:
	case NUM_QUEUES:
	case CONFIG_GENERATION: break; /* read-only */
	default: queue_set(p, off, len, v); break;
	}
}
