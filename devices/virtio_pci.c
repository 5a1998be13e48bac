/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio_pci: see the header. The registers of the common configuration are
 * read and written here; what they mean for the device is vdev's.
 */
#include "devices/virtio_pci.h"

#include <errno.h>

#include "vmm/log.h"
#include "vmm/timeline_once.h"

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
	COMMON_SIZE = 56,
};

/* Capabilities (4.1.4): a vendor capability, told apart by its type. */
#define MARKS_MAX 4 /* firmware takes a device and lets go, a kernel takes it */
#define CAP_VENDOR 0x09
#define CAP_LEN 16
#define CAP_LENGTH 2
#define CAP_TYPE 3
#define CAP_BAR 4
#define CAP_OFFSET 8
#define CAP_SIZE 12
#define CAP_EXTRA 16 /* notify: the multiplier; PCI_CFG: the data window */
#define TYPE_COMMON 1
#define TYPE_NOTIFY 2
#define TYPE_ISR 3
#define TYPE_DEVICE 4
#define TYPE_PCI_CFG 5

#define ISR_QUEUE 1u
#define ISR_CONFIG 2u

static_assert(VDEV_QUEUES < MSIX_VECTORS, "one each, one for configuration");

static struct virtio_pci *of_pci(struct pci_dev *d)
{
	static_assert(offsetof(struct virtio_pci, pci) == 0, "cast");

	return (struct virtio_pci *)d;
}

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
static bool common_width_ok(uint64_t off, size_t len)
{
	if (off < CONFIG_VECTOR)
		return len == 4 && off % 4 == 0;
	if (off == DEVICE_STATUS || off == CONFIG_GENERATION)
		return len == 1;
	if (off < QUEUE_DESC)
		return len == 2 && off % 2 == 0;
	return off + len <= COMMON_SIZE && (len == 4 || len == 8) &&
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

static uint64_t common_get(struct virtio_pci *p, uint64_t off)
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

static void registers_reset(struct virtio_pci *p)
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

static void common_set(struct virtio_pci *p, uint64_t off, size_t len,
		       uint64_t v)
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
			registers_reset(p);
		break;
	case QUEUE_SELECT: p->queue_select = (uint16_t)v; break;
	case DEVICE_FEATURE:
	case NUM_QUEUES:
	case CONFIG_GENERATION: break; /* read-only */
	default: queue_set(p, off, len, v); break;
	}
}

static bool isr_read(struct virtio_pci *p, uint64_t off, uint8_t *buf,
		     size_t len)
{
	if (off || len != 1)
		return false;
	buf[0] = atomic_exchange(&p->isr, 0); /* 4.1.4.5: read to clear */
	return true;
}

static bool bar_read(void *dev, uint64_t off, uint8_t *buf, size_t len)
{
	struct virtio_pci *p = dev;
	uint64_t at = off % VIRTIO_PCI_PAGE;

	switch (off - at) {
	case VIRTIO_PCI_COMMON:
		if (!common_width_ok(at, len))
			return false;
		put_le(buf, len, common_get(p, at));
		return true;
	case VIRTIO_PCI_ISR: return isr_read(p, at, buf, len);
	case VIRTIO_PCI_DEVICE: return vdev_config_read(p->dev, at, buf, len);
	case VIRTIO_PCI_TABLE: return msix_table_read(&p->msix, at, buf, len);
	case VIRTIO_PCI_PBA: return msix_pba_read(&p->msix, at, buf, len);
	default: return false;
	}
}

static bool notify_write(struct virtio_pci *p, uint64_t off)
{
	uint64_t i = off / VIRTIO_PCI_NOTIFY_STEP;

	if (off % VIRTIO_PCI_NOTIFY_STEP || i >= p->dev->n_queues)
		return false;
	/* Mostly KVM rings the same eventfd itself and we never get here. */
	vdev_ring(p->dev, (unsigned)i);
	return true;
}

static bool bar_write(void *dev, uint64_t off, const uint8_t *buf, size_t len)
{
	struct virtio_pci *p = dev;
	uint64_t at = off % VIRTIO_PCI_PAGE;

	switch (off - at) {
	case VIRTIO_PCI_COMMON:
		if (!common_width_ok(at, len))
			return false;
		common_set(p, at, len, get_le(buf, len));
		return true;
	case VIRTIO_PCI_NOTIFY: return notify_write(p, at);
	case VIRTIO_PCI_DEVICE: return vdev_config_write(p->dev, at, buf, len);
	case VIRTIO_PCI_TABLE: return msix_table_write(&p->msix, at, buf, len);
	default: return false;
	}
}

static const struct bus_ops bar_ops = {
	.name = "virtio",
	.read = bar_read,
	.write = bar_write,
};

/*
 * 4.1.4.9: configuration space as a window into the BAR, for firmware that
 * cannot reach memory. The guest chose bar, offset and length: false unless
 * they name an aligned access inside our BAR.
 */
static bool window(const struct virtio_pci *p, uint64_t *off, size_t *len)
{
	const uint8_t *cap = &p->pci.cfg[p->cap_cfg];

	*off = get_le32(cap + CAP_OFFSET);
	*len = get_le32(cap + CAP_SIZE);
	return cap[CAP_BAR] == VIRTIO_PCI_BAR &&
	       (*len == 1 || *len == 2 || *len == 4) && *off % *len == 0 &&
	       range_ok(*off, *len, VIRTIO_PCI_BAR_SIZE);
}

/* Does an access meet the n bytes at reg? */
static bool touches(unsigned off, size_t len, unsigned reg, unsigned n)
{
	return off < reg + n && off + len > reg;
}

static bool in_window(const struct virtio_pci *p, unsigned off, size_t len)
{
	return touches(off, len, p->cap_cfg + CAP_EXTRA, 4);
}

static void cfg_reading(struct pci_dev *d, unsigned off, size_t len)
{
	struct virtio_pci *p = of_pci(d);
	uint8_t *data = &d->cfg[p->cap_cfg + CAP_EXTRA];
	uint64_t at;
	size_t n;

	if (!in_window(p, off, len))
		return;
	put_le32(data, 0xffffffff);
	if (window(p, &at, &n) && !bar_read(p, at, data, n))
		put_le32(data, 0xffffffff);
}

static void cfg_written(struct pci_dev *d, unsigned off, size_t len)
{
	struct virtio_pci *p = of_pci(d);
	const uint8_t *data = &d->cfg[p->cap_cfg + CAP_EXTRA];
	uint64_t at;
	size_t n;

	if (touches(off, len, PCI_COMMAND, 1)) {
		/* PCI 3.0, 6.2.2: without it neither data nor messages. */
		vdev_set_master(p->dev, d->cfg[PCI_COMMAND] & PCI_CMD_MASTER);
		msix_control(&p->msix);
	}
	if (touches(off, len, p->msix.cap, 4))
		msix_control(&p->msix);
	if (in_window(p, off, len) && window(p, &at, &n))
		(void)bar_write(p, at, data, n);
}

/*
 * Doorbells follow the BAR. One that KVM refuses still works, slower: its
 * writes come out to notify_write.
 */
static void bar_moved(struct pci_dev *d, unsigned bar, uint64_t addr,
		      bool mapped)
{
	struct virtio_pci *p = of_pci(d);
	int rc = 0;

	(void)bar;
	for (unsigned i = 0; i < p->dev->n_queues; i++) {
		int one = irq_doorbell(p->msix.irq,
				       addr + VIRTIO_PCI_NOTIFY +
					       VIRTIO_PCI_NOTIFY_STEP * i,
				       vdev_doorbell(p->dev, i), mapped);
		if (one)
			rc = one;
	}
	if (!rc || !mapped || p->warned)
		return;
	p->warned = true;
	log_warn("%s: no doorbell from KVM (%s): slower notifications",
		 p->dev->label, strerror(-rc));
}

static void reset(struct pci_dev *d)
{
	struct virtio_pci *p = of_pci(d);

	vdev_set_master(p->dev, false);
	vdev_reset(p->dev);
	msix_reset(&p->msix);
	registers_reset(p);
}

static void queue_interrupt(void *ctx, const struct vqueue *q)
{
	struct virtio_pci *p = ctx;

	/* 4.1.5.1.4: the ISR bit is for a driver without MSI-X, who polls. */
	if (!msix_fire(&p->msix, atomic_load(&q->vector)))
		atomic_fetch_or(&p->isr, ISR_QUEUE);
}

static void config_interrupt(void *ctx)
{
	struct virtio_pci *p = ctx;

	atomic_fetch_or(&p->isr, ISR_CONFIG);
	(void)msix_fire(&p->msix, atomic_load(&p->config_vector));
}

static int add_cap(struct virtio_pci *p, uint8_t type, uint32_t at,
		   uint32_t size, unsigned extra, unsigned *off)
{
	uint8_t len = (uint8_t)(CAP_LEN + extra);
	int rc = pci_add_cap(&p->pci, CAP_VENDOR, len, off);

	if (rc)
		return rc;
	p->pci.cfg[*off + CAP_LENGTH] = len;
	p->pci.cfg[*off + CAP_TYPE] = type;
	p->pci.cfg[*off + CAP_BAR] = VIRTIO_PCI_BAR;
	put_le32(&p->pci.cfg[*off + CAP_OFFSET], at);
	put_le32(&p->pci.cfg[*off + CAP_SIZE], size);
	return 0;
}

static int add_caps(struct virtio_pci *p)
{
	uint32_t step = VIRTIO_PCI_NOTIFY_STEP;
	unsigned off;
	int rc;

	rc = add_cap(p, TYPE_COMMON, VIRTIO_PCI_COMMON, COMMON_SIZE, 0, &off);
	if (!rc)
		rc = add_cap(p, TYPE_ISR, VIRTIO_PCI_ISR, 1, 0, &off);
	if (!rc && p->dev->config_len)
		rc = add_cap(p, TYPE_DEVICE, VIRTIO_PCI_DEVICE,
			     (uint32_t)p->dev->config_len, 0, &off);
	if (!rc)
		rc = add_cap(p, TYPE_NOTIFY, VIRTIO_PCI_NOTIFY,
			     p->dev->n_queues * step, 4, &off);
	if (rc)
		return rc;
	put_le32(&p->pci.cfg[off + CAP_EXTRA], step);
	rc = add_cap(p, TYPE_PCI_CFG, 0, 0, 4, &p->cap_cfg);
	if (rc)
		return rc;
	p->pci.wmask[p->cap_cfg + CAP_BAR] = 0xff;
	put_le32(&p->pci.wmask[p->cap_cfg + CAP_OFFSET], 0xffffffff);
	put_le32(&p->pci.wmask[p->cap_cfg + CAP_SIZE], 0xffffffff);
	put_le32(&p->pci.wmask[p->cap_cfg + CAP_EXTRA], 0xffffffff);
	return 0;
}

int virtio_pci_attach(struct virtio_pci *p, struct vdev *dev,
		      struct pci_bus *pci, uint8_t devfn, struct irq *irq)
{
	/* 4.1.2: device id 0x1040 + type; subsystem ids are free. */
	uint16_t id = (uint16_t)(0x1040 + dev->ops->type);
	int rc;

	p->dev = dev;
	p->ops = (struct pci_ops){
		.name = dev->label,
		.cfg_written = cfg_written,
		.cfg_reading = cfg_reading,
		.bar_moved = bar_moved,
		.reset = reset,
	};
	pci_init(&p->pci, &p->ops, VIRTIO_PCI_VENDOR, id, dev->ops->class, 1);
	put_le16(&p->pci.cfg[PCI_SUBVENDOR], VIRTIO_PCI_VENDOR);
	put_le16(&p->pci.cfg[PCI_SUBDEVICE], id);
	rc = pci_add_bar(&p->pci, VIRTIO_PCI_BAR, VIRTIO_PCI_BAR_SIZE, &bar_ops,
			 p);
	if (!rc)
		rc = add_caps(p);
	if (!rc)
		rc = msix_open(&p->msix, &p->pci, irq, dev->n_queues + 1,
			       VIRTIO_PCI_BAR, VIRTIO_PCI_TABLE,
			       VIRTIO_PCI_PBA);
	if (rc)
		return rc;
	registers_reset(p);
	dev->transport = (struct vdev_transport){
		.queue_interrupt = queue_interrupt,
		.config_interrupt = config_interrupt,
		.ctx = p,
	};
	rc = pci_attach(pci, &p->pci, devfn);
	if (rc)
		msix_close(&p->msix);
	return rc;
}

void virtio_pci_close(struct virtio_pci *p)
{
	msix_close(&p->msix);
}
