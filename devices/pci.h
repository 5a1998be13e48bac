/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pci: one root bus (bus 0), reached by ports 0xCF8/0xCFC and, where the host
 * bridge's PCIEXBAR says so, by ECAM. A function is 4 KiB of configuration
 * space with a mask of what the guest may write; everything else about it is
 * in its ops, which see only accesses that stay inside an aligned dword. BARs
 * are claimed on the MMIO bus while memory decoding is on; a BAR that the
 * guest puts on top of something else, or outside the PCI windows, is simply
 * not claimed (one log line), so it answers nothing.
 */
#ifndef CARREL_DEVICES_PCI_H
#define CARREL_DEVICES_PCI_H

#include <stdint.h>

#include "vmm/bus.h"

#define PCI_SLOTS 32
#define PCI_FUNCS 8
#define PCI_CFG_SIZE 4096
#define PCI_BARS 6

/* Configuration registers (PCI 3.0, 6.1) used outside pci.c. */
#define PCI_VENDOR 0x00
#define PCI_DEVICE 0x02
#define PCI_COMMAND 0x04
#define PCI_STATUS 0x06
#define PCI_REVISION 0x08
#define PCI_HEADER_TYPE 0x0e
#define PCI_SUBVENDOR 0x2c
#define PCI_SUBDEVICE 0x2e
#define PCI_CAP_PTR 0x34
#define PCI_CMD_MEM (1u << 1)
#define PCI_CMD_MASTER (1u << 2)

struct pci_dev;

struct pci_ops {
	const char *name;
	/* After the guest's masked bytes were stored there. May be NULL. */
	void (*cfg_written)(struct pci_dev *d, unsigned off, size_t len);
	/* Before the guest reads there: refreshes the bytes. May be NULL. */
	void (*cfg_reading)(struct pci_dev *d, unsigned off, size_t len);
	/* A BAR was placed at addr, or taken away. May be NULL. */
	void (*bar_moved)(struct pci_dev *d, unsigned bar, uint64_t addr,
			  bool mapped);
	void (*reset)(struct pci_dev *d); /* may be NULL */
};

struct pci_bar {
	uint32_t size; /* 0: not there; a power of two >= 4096 */
	const struct bus_ops *ops; /* called with offsets inside the BAR */
	void *dev;
	uint64_t addr; /* where it is claimed */
	bool mapped;
	bool warned; /* one log line about a bad place */
};

struct pci_dev {
	const struct pci_ops *ops;
	struct pci_bus *bus;
	uint8_t devfn;
	uint8_t cfg[PCI_CFG_SIZE]; /* what the guest reads */
	uint8_t wmask[PCI_CFG_SIZE]; /* bits the guest may write */
	uint8_t initial[PCI_CFG_SIZE]; /* cfg as attached, for reset */
	struct pci_bar bar[PCI_BARS]; /* 32-bit memory, non-prefetchable */
	unsigned next_cap; /* where pci_add_cap puts the next one */
};

struct pci_bus {
	struct bus *pio, *mmio;
	struct pci_dev *dev[PCI_SLOTS * PCI_FUNCS];
	uint32_t addr; /* port 0xCF8 */
	uint64_t ecam; /* claimed base; 0: off */
	const struct bus_ops *narrow; /* see pci_narrow_ports */
	void *narrow_dev;
};

int pci_open(struct pci_bus *b, struct bus *pio, struct bus *mmio) MUST_USE;

/* Who answers accesses at 0xCF8 to 0xCFB that are not a dword's. */
void pci_narrow_ports(struct pci_bus *b, const struct bus_ops *ops, void *dev);

/* Fills the identity registers; class is 24 bits. Before pci_attach. */
void pci_init(struct pci_dev *d, const struct pci_ops *ops, uint16_t vendor,
	      uint16_t device, uint32_t class, uint8_t revision);

/* A 32-bit memory BAR. -EINVAL: size or index. */
int pci_add_bar(struct pci_dev *d, unsigned bar, uint32_t size,
		const struct bus_ops *ops, void *dev) MUST_USE;

/* Appends a capability of len bytes, zeroed and read-only; *off is where. */
int pci_add_cap(struct pci_dev *d, uint8_t id, size_t len,
		unsigned *off) MUST_USE;

/* devfn = slot << 3 | function. -EEXIST: taken. Saves cfg as initial. */
int pci_attach(struct pci_bus *b, struct pci_dev *d, uint8_t devfn) MUST_USE;

/* Moves (or with base 0 takes away) the ECAM window of bus 0, 1 MiB a bus. */
int pci_set_ecam(struct pci_bus *b, uint64_t base) MUST_USE;

/* Back to power-on: BARs unmapped, cfg = initial, then each ops->reset. */
void pci_reset(struct pci_bus *b);

#endif
