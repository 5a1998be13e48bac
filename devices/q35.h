/* SPDX-License-Identifier: Apache-2.0 */
/*
 * q35: what is left of a Q35 board when nothing is behind it: the host bridge
 * (MCH) with its ECAM register, and the LPC bridge (ICH9) with the ACPI
 * power-management block, the power button and the three ways to reset. ACPI
 * mode is always on and there is no SMM: the registers of both are plain
 * storage or read zero. Port 0x80 (POST codes), the keyboard controller's
 * data port and the RCBA window are left to the open bus on purpose: all ones
 * is how drivers learn that nothing is there.
 */
#ifndef CARREL_DEVICES_Q35_H
#define CARREL_DEVICES_Q35_H

#include <stdint.h>

#include "devices/pci.h"
#include "vmm/irq.h"
#include "vmm/power.h"

struct q35 {
	struct pci_dev mch, lpc;
	struct pci_bus *pci;
	struct irq *irq;
	struct power *power;
	uint16_t pm1_sts, pm1_en, pm1_cnt;
	uint64_t timer_seen; /* PM timer's half-periods at the last clear */
	uint8_t port_a; /* 0x92 */
	uint8_t reset_ctl; /* 0xCF9 */
	bool warned; /* of a PCIEXBAR that is out of place */
};

/*
 * Claims the ports, attaches both functions. The rest is borrowed. ecam: where
 * PCIEXBAR is, and on, at power-on, for guests without firmware to set it; 0:
 * off.
 */
int q35_attach(struct q35 *q, struct pci_bus *pci, struct irq *irq,
	       struct power *power, uint64_t ecam) MUST_USE;

/* Power-on state; pci_reset has reset the two functions already. */
void q35_reset(struct q35 *q);

/* Gives the ports back. */
void q35_close(struct q35 *q);

/* Presses the power button. Any thread that does not hold the bus lock. */
void q35_power_button(struct q35 *q);

#endif
