/* SPDX-License-Identifier: Apache-2.0 */
/*
 * q35: host bridge, LPC bridge, power management, reset. Register numbers are
 * those of Intel's 3 Series (316966-002) and ICH9 (316972-004) datasheets.
 */
#include "devices/q35.h"

#include <errno.h>
#include <time.h>

#include "vmm/board_map.h"
#include "vmm/log.h"
#include "vmm/timeline_once.h"

/* MCH, device 0 (316966-002, 5.1). */
#define MCH_PCIEXBAR 0x60
#define PCIEXBAR_ENABLE 0x1u
#define PCIEXBAR_WRITABLE 0xff0000007ull
#define PCIEXBAR_BASE 0xff0000000ull
#define MCH_PAM0 0x90
#define MCH_PAM_END 0x97
#define MCH_SMRAM 0x9d
#define SMRAM_LOCKED 0x12 /* D_LCK, and the fixed C_BASE_SEG */

/* ICH9 LPC bridge, 0:1f.0 (316972-004, 13.1). */
#define LPC_PMBASE 0x40
#define LPC_ACPI_CNTL 0x44
#define ACPI_CNTL_ENABLE 0x80
#define LPC_PIRQA 0x60 /* A to D here, E to H from 0x68 */
#define LPC_PIRQE 0x68
#define PIRQ_OFF 0x80
#define LPC_RCBA 0xf0

/* Power management (316972-004, 13.8.3; ACPI 6.4, 4.8.3). */
#define PM1_STS 0x00
#define PM1_EN 0x02
#define PM1_CNT 0x04
#define PM1_TMR 0x08
#define STS_TMR 0x0001
#define STS_GBL 0x0020
#define STS_PWRBTN 0x0100
#define STS_RTC 0x0400
#define STS_WAKE 0x8000
#define STS_ALL (STS_TMR | STS_GBL | STS_PWRBTN | STS_RTC | STS_WAKE)
#define EN_ALL (STS_TMR | STS_GBL | STS_PWRBTN | STS_RTC)
#define CNT_SCI_EN 0x0001
#define CNT_WRITABLE 0x1c03 /* SLP_TYP, BM_RLD, SCI_EN */
#define CNT_SLP_TYP_SHIFT 10
#define CNT_SLP_TYP_MASK 7
#define CNT_SLP_EN 0x2000

#define PM_TIMER_HZ 3579545ull
#define PM_TIMER_MASK 0xffffffu
#define PM_TIMER_HALF 23 /* TMR_STS is set when this bit changes */

#define PORT_A_RESET 0x01
#define PORT_A_A20 0x02
#define RESET_CPU 0x04 /* 0xCF9 bit 2 starts the reset of bit 1 */
#define RESET_WRITABLE 0x0e

static uint64_t timer_ticks(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * PM_TIMER_HZ +
	       (uint64_t)t.tv_nsec * PM_TIMER_HZ / 1000000000ull;
}

/*
 * TMR_STS is brought up to date when the guest looks. So with TMR_EN set the
 * SCI comes late, at the next access to the block; systems that have a better
 * timer (all of ours do) leave TMR_EN off.
 */
static void sci_update(struct q35 *q)
{
	if (timer_ticks() >> PM_TIMER_HALF != q->timer_seen)
		q->pm1_sts |= STS_TMR;
	irq_line(q->irq, BOARD_IRQ_SCI, q->pm1_sts & q->pm1_en & EN_ALL);
}

static bool pm_read(void *dev, uint64_t off, uint8_t *buf, size_t len)
{
	struct q35 *q = dev;
	uint8_t reg[BOARD_PM_SIZE] = { 0 };

	sci_update(q);
	put_le16(&reg[PM1_STS], q->pm1_sts);
	put_le16(&reg[PM1_EN], q->pm1_en);
	put_le16(&reg[PM1_CNT], q->pm1_cnt);
	put_le32(&reg[PM1_TMR], timer_ticks() & PM_TIMER_MASK);
	bytes_copy(buf, len, &reg[off], len);
	return true;
}

static void pm1_cnt_written(struct q35 *q, uint16_t v)
{
	unsigned type = v >> CNT_SLP_TYP_SHIFT & CNT_SLP_TYP_MASK;

	q->pm1_cnt = (v & CNT_WRITABLE) | CNT_SCI_EN;
	if ((v & CNT_SLP_EN) && type == BOARD_SLP_TYP_S5)
		power_ask(q->power, POWER_OFF, "ACPI soft-off");
}

/* The registers are ones of bytes too (ACPI 6.4, 4.8.3): bit 0 is at shift. */
static void pm_write_byte(struct q35 *q, uint64_t off, uint8_t byte)
{
	unsigned shift = off & 1 ? 8 : 0;
	uint16_t v = (uint16_t)(byte << shift);
	uint16_t mask = (uint16_t)(0xff << shift);

	switch (off & ~1ull) {
	case PM1_STS:
		q->pm1_sts &= (uint16_t)~v;
		if (v & STS_TMR)
			q->timer_seen = timer_ticks() >> PM_TIMER_HALF;
		break;
	case PM1_EN:
		timeline_once(q->pci->pio->timeline, ONCE_ACPI, "PM1_EN");
		q->pm1_en = ((q->pm1_en & ~mask) | v) & EN_ALL;
		break;
	case PM1_CNT:
		pm1_cnt_written(q, (uint16_t)((q->pm1_cnt & ~mask) | v));
		break;
	default: break;
	}
}

static bool pm_write(void *dev, uint64_t off, const uint8_t *buf, size_t len)
{
	struct q35 *q = dev;

	for (size_t i = 0; i < len; i++)
		pm_write_byte(q, off + i, buf[i]);
	sci_update(q);
	return true;
}

static const struct bus_ops pm_ops = {
	.name = "pm",
	.read = pm_read,
	.write = pm_write,
};

/* 0x92: fast A20 and fast reset. A20 is never masked; the bit is kept. */
static bool port_a_read(void *dev, uint64_t off, uint8_t *buf, size_t len)
{
	const struct q35 *q = dev;

	(void)off;
	put_le(buf, len, q->port_a);
	return true;
}

static bool port_a_write(void *dev, uint64_t off, const uint8_t *buf,
			 size_t len)
{
	struct q35 *q = dev;

	(void)off;
	(void)len;
	if (buf[0] & ~q->port_a & PORT_A_RESET)
		power_ask(q->power, POWER_RESET, "port 0x92");
	q->port_a = buf[0] & (PORT_A_RESET | PORT_A_A20);
	return true;
}

static const struct bus_ops port_a_ops = {
	.name = "port-a",
	.read = port_a_read,
	.write = port_a_write,
};

/*
 * 0x64: a keyboard controller that is not there, but for its commands 0xF0 to
 * 0xFE, which pulse output lines: line 0 (selected by a 0) is the reset.
 */
static bool kbc_read(void *dev, uint64_t off, uint8_t *buf, size_t len)
{
	(void)dev;
	(void)off;
	(void)buf;
	(void)len;
	return false;
}

static bool kbc_write(void *dev, uint64_t off, const uint8_t *buf, size_t len)
{
	struct q35 *q = dev;

	(void)off;
	(void)len;
	if ((buf[0] & 0xf1) == 0xf0)
		power_ask(q->power, POWER_RESET, "port 0x64");
	return true;
}

static const struct bus_ops kbc_ops = {
	.name = "kbc",
	.read = kbc_read,
	.write = kbc_write,
};

/* 0xCF9, found at offset 1 of the narrow accesses to 0xCF8. */
static bool reset_read(void *dev, uint64_t off, uint8_t *buf, size_t len)
{
	const struct q35 *q = dev;

	if (off != BOARD_PORT_RESET - BOARD_PORT_PCI_ADDR || len != 1)
		return false;
	buf[0] = q->reset_ctl;
	return true;
}

static bool reset_write(void *dev, uint64_t off, const uint8_t *buf, size_t len)
{
	struct q35 *q = dev;

	if (off != BOARD_PORT_RESET - BOARD_PORT_PCI_ADDR || len != 1)
		return false;
	if (buf[0] & ~q->reset_ctl & RESET_CPU)
		power_ask(q->power, POWER_RESET, "port 0xcf9");
	q->reset_ctl = buf[0] & RESET_WRITABLE;
	return true;
}

static const struct bus_ops reset_ops = {
	.name = "reset",
	.read = reset_read,
	.write = reset_write,
};

static struct q35 *mch_q35(struct pci_dev *d)
{
	return (struct q35 *)((char *)d - offsetof(struct q35, mch));
}

static void mch_written(struct pci_dev *d, unsigned off, size_t len)
{
	struct q35 *q = mch_q35(d);
	uint64_t v = get_le64(&d->cfg[MCH_PCIEXBAR]);
	int rc;

	if (off >= MCH_PCIEXBAR + 8 || off + len <= MCH_PCIEXBAR)
		return;
	v = v & PCIEXBAR_ENABLE ? v & PCIEXBAR_BASE : 0;
	rc = pci_set_ecam(d->bus, v);
	if (rc && !q->warned)
		log_warn("PCIEXBAR 0x%llx: %s; accepted is a free place below "
			 "0x%x",
			 (unsigned long long)v, strerror(-rc),
			 BOARD_MMIO_HIGH_END);
	q->warned = q->warned || rc;
}

static void mch_reset(struct pci_dev *d)
{
	mch_written(d, MCH_PCIEXBAR, 8);
}

static const struct pci_ops mch_ops = {
	.name = "mch",
	.cfg_written = mch_written,
	.reset = mch_reset,
};

static const struct pci_ops lpc_ops = { .name = "lpc" };

static void mch_init(struct pci_dev *d, uint64_t ecam)
{
	pci_init(d, &mch_ops, BOARD_PCI_INTEL, BOARD_PCI_MCH, 0x060000, 2);
	if (ecam)
		put_le64(&d->cfg[MCH_PCIEXBAR], ecam | PCIEXBAR_ENABLE);
	put_le64(&d->wmask[MCH_PCIEXBAR], PCIEXBAR_WRITABLE);
	for (unsigned i = MCH_PAM0; i < MCH_PAM_END; i++)
		d->wmask[i] = 0x33;
	d->cfg[MCH_SMRAM] = SMRAM_LOCKED;
}

/*
 * PMBASE is hard-wired and on from the start: firmware that finds ACPI_CNTL's
 * enable bit set leaves it alone, and the tables name the same address.
 */
static void lpc_init(struct pci_dev *d)
{
	pci_init(d, &lpc_ops, BOARD_PCI_INTEL, BOARD_PCI_LPC, 0x060100, 2);
	put_le32(&d->cfg[LPC_PMBASE], BOARD_PMBASE | 1);
	d->cfg[LPC_ACPI_CNTL] = ACPI_CNTL_ENABLE;
	for (unsigned i = 0; i < 4; i++) {
		d->cfg[LPC_PIRQA + i] = PIRQ_OFF;
		d->cfg[LPC_PIRQE + i] = PIRQ_OFF;
		d->wmask[LPC_PIRQA + i] = 0x8f;
		d->wmask[LPC_PIRQE + i] = 0x8f;
	}
	put_le32(&d->wmask[LPC_RCBA], 0xffffc001);
}

void q35_reset(struct q35 *q)
{
	q->pm1_sts = 0;
	q->pm1_en = 0;
	q->pm1_cnt = CNT_SCI_EN;
	q->timer_seen = timer_ticks() >> PM_TIMER_HALF;
	q->port_a = PORT_A_A20;
	q->reset_ctl = 0;
	irq_line(q->irq, BOARD_IRQ_SCI, false);
}

void q35_close(struct q35 *q)
{
	if (q->pci->narrow_dev == q)
		pci_narrow_ports(q->pci, NULL, NULL);
	(void)!pci_set_ecam(q->pci, 0);
	bus_release(q->pci->pio, BOARD_PMBASE, q);
	bus_release(q->pci->pio, BOARD_PORT_RESET_A, q);
	bus_release(q->pci->pio, BOARD_PORT_KBC, q);
}

int q35_attach(struct q35 *q, struct pci_bus *pci, struct irq *irq,
	       struct power *power, uint64_t ecam)
{
	int rc;

	*q = (struct q35){ .pci = pci, .irq = irq, .power = power };
	mch_init(&q->mch, ecam);
	lpc_init(&q->lpc);
	rc = pci_attach(pci, &q->mch, BOARD_DEVFN_MCH);
	if (!rc)
		rc = pci_attach(pci, &q->lpc, BOARD_DEVFN_LPC);
	if (!rc)
		rc = bus_claim(pci->pio, BOARD_PMBASE, BOARD_PM_SIZE, &pm_ops,
			       q);
	if (!rc)
		rc = bus_claim(pci->pio, BOARD_PORT_RESET_A, 1, &port_a_ops, q);
	if (!rc)
		rc = bus_claim(pci->pio, BOARD_PORT_KBC, 1, &kbc_ops, q);
	if (rc) {
		q35_close(q);
		return rc;
	}
	pci_narrow_ports(pci, &reset_ops, q);
	q35_reset(q);
	mch_reset(&q->mch);
	return 0;
}

void q35_power_button(struct q35 *q)
{
	bus_lock(q->pci->pio);
	q->pm1_sts |= STS_PWRBTN;
	sci_update(q);
	bus_unlock(q->pci->pio);
}
