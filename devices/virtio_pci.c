/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio_pci: see the header. The registers of the common configuration are in
 * virtio_regs.c.
 */
#include "devices/virtio_pci.h"

#include <errno.h>

#include "devices/virtio_regs.h"
#include "vmm/log.h"

/* Capabilities (4.1.4): a vendor capability, told apart by its type. */
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
		if (!regs_access_ok(at, len))
			return false;
		put_le(buf, len, regs_get(p, at));
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
		if (!regs_access_ok(at, len))
			return false;
		regs_set(p, at, len, get_le(buf, len));
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
	regs_reset(p);
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

	rc = add_cap(p, TYPE_COMMON, VIRTIO_PCI_COMMON, VIRTIO_REGS_SIZE, 0,
		     &off);
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
	regs_reset(p);
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
