/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pci: configuration space of bus 0 and the BARs that it places. Every access
 * reaches a function as one that stays inside an aligned dword, so a device
 * never sees a straddling one.
 */
#include "devices/pci.h"

#include <errno.h>

#include "vmm/board_map.h"
#include "vmm/log.h"
#include "vmm/timeline_once.h"

/* PCI 3.0, 3.2.2.3.2: the address port. */
#define ADDR_ENABLE (1u << 31)
#define ADDR_MASK 0x80fffffcu

#define ECAM_BUS_SIZE (1ull << 20)

#define CAPS_FIRST 0x40
#define CAPS_END 0x100
#define STATUS_CAP_LIST 0x10
#define HEADER_MULTI 0x80
#define BAR_FIRST 0x10
#define BAR_MIN_SIZE 4096
#define INTERRUPT_LINE 0x3c

/* I/O, memory, bus master, parity, SERR#, interrupt disable (PCI 3.0, 6.2.2) */
#define COMMAND_WRITABLE 0x0547

static bool window_ok(uint64_t base, uint64_t size)
{
	uint64_t low = BOARD_MMIO_LOW_BASE, high = BOARD_MMIO_HIGH_BASE;

	return (base >= low &&
		range_ok(base - low, size, BOARD_MMIO_LOW_END - low)) ||
	       (base >= high &&
		range_ok(base - high, size, BOARD_MMIO_HIGH_END - high));
}

static void bar_unmap(struct pci_dev *d, unsigned i)
{
	struct pci_bar *bar = &d->bar[i];

	if (!bar->mapped)
		return;
	bus_release(d->bus->mmio, bar->addr, bar->dev);
	bar->mapped = false;
	if (d->ops->bar_moved)
		d->ops->bar_moved(d, i, bar->addr, false);
}

static void bar_map(struct pci_dev *d, unsigned i, uint64_t addr)
{
	struct pci_bar *bar = &d->bar[i];
	int rc = -ERANGE;

	if (window_ok(addr, bar->size))
		rc = bus_claim(d->bus->mmio, addr, bar->size, bar->ops,
			       bar->dev);
	if (rc) {
		if (!bar->warned)
			log_warn("%s: BAR %u at 0x%llx is not in a free part "
				 "of the PCI window and answers nothing",
				 d->ops->name, i, (unsigned long long)addr);
		bar->warned = true;
		return;
	}
	bar->addr = addr;
	bar->mapped = true;
	if (d->ops->bar_moved)
		d->ops->bar_moved(d, i, addr, true);
}

/*
 * Where a BAR ought to be claimed; 0: nowhere. All ones and zero are what
 * sizing and an unplaced BAR leave behind (PCI 3.0, 6.2.5.1): no place is
 * meant.
 */
static uint32_t bar_wanted(const struct pci_dev *d, unsigned i)
{
	uint32_t addr = get_le32(&d->cfg[BAR_FIRST + 4 * i]);
	uint32_t size = d->bar[i].size;

	if (!size || !(d->cfg[PCI_COMMAND] & PCI_CMD_MEM) ||
	    addr == ~(size - 1))
		return 0;
	return addr;
}

/*
 * Makes all claims follow the registers: those that move go first, since they
 * may make room for another function.
 */
static void bars_update(struct pci_bus *b)
{
	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < ARRAY_LEN(b->dev) * PCI_BARS; i++) {
			struct pci_dev *d = b->dev[i / PCI_BARS];
			unsigned n = i % PCI_BARS;
			uint32_t addr = d ? bar_wanted(d, n) : 0;

			if (!d || (d->bar[n].mapped && d->bar[n].addr == addr))
				continue;
			if (pass == 0)
				bar_unmap(d, n);
			else if (addr)
				bar_map(d, n, addr);
		}
}

static bool touches(unsigned off, size_t len, unsigned first, unsigned end)
{
	return off < end && off + len > first;
}

static void func_read(struct pci_dev *d, unsigned off, uint8_t *buf, size_t len)
{
	if (d->ops->cfg_reading)
		d->ops->cfg_reading(d, off, len);
	bytes_copy(buf, len, &d->cfg[off], len);
}

static void func_write(struct pci_dev *d, unsigned off, const uint8_t *buf,
		       size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t *reg = &d->cfg[off + i], mask = d->wmask[off + i];

		*reg = (uint8_t)((*reg & ~mask) | (buf[i] & mask));
	}
	if (touches(off, len, PCI_COMMAND, PCI_COMMAND + 1) ||
	    touches(off, len, BAR_FIRST, BAR_FIRST + 4 * PCI_BARS))
		bars_update(d->bus);
	if (d->ops->cfg_written)
		d->ops->cfg_written(d, off, len);
}

static bool inside_dword(uint64_t off, size_t len)
{
	return len <= 4 && (off & 3) + len <= 4;
}

static bool data_read(void *dev, uint64_t off, uint8_t *buf, size_t len)
{
	struct pci_bus *b = dev;
	uint32_t bus = b->addr >> 16 & 0xff;
	struct pci_dev *d = b->dev[b->addr >> 8 & 0xff];

	/* OVMF's drivers, once it has them, use the ECAM; Linux begins here. */
	timeline_once(b->pio->timeline, ONCE_KERNEL, "PCI ports");
	if (!(b->addr & ADDR_ENABLE) || bus || !d || !inside_dword(off, len))
		return false;
	func_read(d, (b->addr & 0xfc) + (unsigned)off, buf, len);
	return true;
}

static bool data_write(void *dev, uint64_t off, const uint8_t *buf, size_t len)
{
	struct pci_bus *b = dev;
	uint32_t bus = b->addr >> 16 & 0xff;
	struct pci_dev *d = b->dev[b->addr >> 8 & 0xff];

	if (!(b->addr & ADDR_ENABLE) || bus || !d || !inside_dword(off, len))
		return false;
	func_write(d, (b->addr & 0xfc) + (unsigned)off, buf, len);
	return true;
}

static const struct bus_ops data_ops = {
	.name = "pci-data",
	.read = data_read,
	.write = data_write,
};

/*
 * Only a dword access is the address register; anything narrower is an
 * ordinary port access (PCI 3.0, 3.2.2.3.2), which is how the chipset's reset
 * control comes to live at 0xCF9.
 */
static bool addr_read(void *dev, uint64_t off, uint8_t *buf, size_t len)
{
	struct pci_bus *b = dev;

	if (off == 0 && len == 4) {
		put_le32(buf, b->addr);
		return true;
	}
	return b->narrow && b->narrow->read(b->narrow_dev, off, buf, len);
}

static bool addr_write(void *dev, uint64_t off, const uint8_t *buf, size_t len)
{
	struct pci_bus *b = dev;

	if (off == 0 && len == 4) {
		b->addr = get_le32(buf) & ADDR_MASK;
		return true;
	}
	return b->narrow && b->narrow->write(b->narrow_dev, off, buf, len);
}

static const struct bus_ops addr_ops = {
	.name = "pci-address",
	.read = addr_read,
	.write = addr_write,
};

/* PCI Express 3.0, 7.2.2: offset = bus << 20 | devfn << 12 | register. */
static struct pci_dev *ecam_dev(struct pci_bus *b, uint64_t off)
{
	return b->dev[off >> 12 & 0xff];
}

/* A qword is two dwords, as on the bus; an unaligned one finds nobody. */
static bool ecam_len_ok(uint64_t off, size_t len)
{
	return inside_dword(off, len) || (len == 8 && !(off & 7));
}

static bool ecam_read(void *dev, uint64_t off, uint8_t *buf, size_t len)
{
	struct pci_dev *d = ecam_dev(dev, off);
	unsigned reg = off & (PCI_CFG_SIZE - 1);

	timeline_once(((struct pci_bus *)dev)->pio->timeline, ONCE_DXE, "ECAM");
	if (!d || !ecam_len_ok(off, len))
		return false;
	if (len == 8) {
		func_read(d, reg + 4, buf + 4, 4);
		len = 4;
	}
	func_read(d, reg, buf, len);
	return true;
}

static bool ecam_write(void *dev, uint64_t off, const uint8_t *buf, size_t len)
{
	struct pci_dev *d = ecam_dev(dev, off);
	unsigned reg = off & (PCI_CFG_SIZE - 1);

	if (!d || !ecam_len_ok(off, len))
		return false;
	if (len == 4 &&
	    touches(reg, len, BAR_FIRST, BAR_FIRST + 4 * PCI_BARS) &&
	    get_le32(buf) == UINT32_MAX)
		timeline_once(((struct pci_bus *)dev)->pio->timeline, ONCE_BDS,
			      "BAR sized");
	func_write(d, reg, buf, len == 8 ? 4 : len);
	if (len == 8)
		func_write(d, reg + 4, buf + 4, 4);
	return true;
}

static const struct bus_ops ecam_ops = {
	.name = "pci-ecam",
	.read = ecam_read,
	.write = ecam_write,
};

int pci_open(struct pci_bus *b, struct bus *pio, struct bus *mmio)
{
	int rc;

	*b = (struct pci_bus){ .pio = pio, .mmio = mmio };
	rc = bus_claim(pio, BOARD_PORT_PCI_ADDR, 4, &addr_ops, b);
	if (rc)
		return rc;
	rc = bus_claim(pio, BOARD_PORT_PCI_DATA, 4, &data_ops, b);
	if (rc)
		bus_release(pio, BOARD_PORT_PCI_ADDR, b);
	return rc;
}

void pci_narrow_ports(struct pci_bus *b, const struct bus_ops *ops, void *dev)
{
	b->narrow = ops;
	b->narrow_dev = dev;
}

void pci_init(struct pci_dev *d, const struct pci_ops *ops, uint16_t vendor,
	      uint16_t device, uint32_t class, uint8_t revision)
{
	*d = (struct pci_dev){ .ops = ops, .next_cap = CAPS_FIRST };
	put_le16(&d->cfg[PCI_VENDOR], vendor);
	put_le16(&d->cfg[PCI_DEVICE], device);
	put_le32(&d->cfg[PCI_REVISION], class << 8 | revision);
	put_le16(&d->wmask[PCI_COMMAND], COMMAND_WRITABLE);
	d->wmask[INTERRUPT_LINE] = 0xff;
}

int pci_add_bar(struct pci_dev *d, unsigned bar, uint32_t size,
		const struct bus_ops *ops, void *dev)
{
	if (bar >= PCI_BARS || d->bar[bar].size || size < BAR_MIN_SIZE ||
	    (size & (size - 1)))
		return -EINVAL;
	d->bar[bar] = (struct pci_bar){ .size = size, .ops = ops, .dev = dev };
	put_le32(&d->wmask[BAR_FIRST + 4 * bar], ~(size - 1));
	return 0;
}

int pci_add_cap(struct pci_dev *d, uint8_t id, size_t len, unsigned *off)
{
	unsigned at = d->next_cap, link = PCI_CAP_PTR;

	if (len < 2 || !range_ok(at, len, CAPS_END))
		return -ENOSPC;
	while (d->cfg[link])
		link = d->cfg[link] + 1u;
	d->cfg[link] = (uint8_t)at;
	d->cfg[at] = id;
	d->cfg[PCI_STATUS] |= STATUS_CAP_LIST;
	d->next_cap = (at + (unsigned)len + 3) & ~3u;
	*off = at;
	return 0;
}

/* PCI 3.0, 6.2.1: function 0 says whether its slot holds others. */
static void mark_multi(struct pci_bus *b, unsigned slot)
{
	struct pci_dev **f = &b->dev[slot * PCI_FUNCS];
	bool others = false;

	for (unsigned i = 1; i < PCI_FUNCS; i++)
		others = others || f[i];
	if (f[0] && others) {
		f[0]->cfg[PCI_HEADER_TYPE] |= HEADER_MULTI;
		f[0]->initial[PCI_HEADER_TYPE] |= HEADER_MULTI;
	}
}

int pci_attach(struct pci_bus *b, struct pci_dev *d, uint8_t devfn)
{
	if (b->dev[devfn])
		return -EEXIST;
	d->bus = b;
	d->devfn = devfn;
	bytes_copy(d->initial, sizeof d->initial, d->cfg, sizeof d->cfg);
	b->dev[devfn] = d;
	mark_multi(b, devfn / PCI_FUNCS);
	return 0;
}

int pci_set_ecam(struct pci_bus *b, uint64_t base)
{
	int rc;

	if (base == b->ecam)
		return 0;
	if (b->ecam)
		bus_release(b->mmio, b->ecam, b);
	b->ecam = 0;
	if (!base)
		return 0;
	if (base < BOARD_MMIO_LOW_BASE || base >= BOARD_MMIO_HIGH_END)
		return -ERANGE;
	rc = bus_claim(b->mmio, base, ECAM_BUS_SIZE, &ecam_ops, b);
	if (!rc)
		b->ecam = base;
	return rc;
}

void pci_reset(struct pci_bus *b)
{
	b->addr = 0;
	for (unsigned i = 0; i < ARRAY_LEN(b->dev); i++) {
		struct pci_dev *d = b->dev[i];

		if (!d)
			continue;
		bytes_copy(d->cfg, sizeof d->cfg, d->initial,
			   sizeof d->initial);
		bars_update(b);
		if (d->ops->reset)
			d->ops->reset(d);
	}
}
