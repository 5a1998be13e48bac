/* SPDX-License-Identifier: Apache-2.0 */
/*
 * q35_test: what the two bridges refuse, the power-management block, the power
 * button and every way to reset or power off.
 */
#include "tests/unit/board_rig.h"

#include <errno.h>
#include <time.h>

#include "devices/q35.h"

#define PM1_STS BOARD_PM1A_EVT
#define PM1_EN (BOARD_PM1A_EVT + 2)
#define PM1_CNT BOARD_PM1A_CNT
#define PWRBTN 0x100
#define SLP_EN 0x2000

struct world {
	struct board_rig rig;
	struct pci_bus bus;
	struct q35 q35;
};

static int setup(void **state)
{
	static struct world w;

	rig_open(&w.rig);
	assert_int_equal(pci_open(&w.bus, &w.rig.pio, &w.rig.mmio), 0);
	assert_int_equal(
		q35_attach(&w.q35, &w.bus, &w.rig.irq, &w.rig.power, 0), 0);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	q35_close(&w->q35);
	rig_close(&w->rig);
	return 0;
}

static void ports_taken(void **state)
{
	struct world *w = *state;
	static struct q35 second;

	assert_int_equal(
		q35_attach(&second, &w->bus, &w->rig.irq, &w->rig.power, 0),
		-EEXIST);
}

/* Where no ECAM may be; the PCI identity of the last one is all ones. */
static void bad_ecam(void **state)
{
	static const uint64_t bad[] = {
		0x00000001, /* on RAM */
		0x70000001,  0xf000000000001, /* beyond 36 bits: cut off */
		0xe0000000, /* not enabled */
		0x100000001, /* where high RAM may be */
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		cfg_out(&w->rig, 0, 0x60, 4, 0);
		cfg_out(&w->rig, 0, 0x64, 4, (uint32_t)(bad[i] >> 32));
		cfg_out(&w->rig, 0, 0x60, 4, (uint32_t)bad[i]);
		assert_int_equal(w->rig.mmio.n, 0);
	}
}

/* The order that firmware uses: off, high half, low half with enable. */
static void good_ecam(void **state)
{
	struct world *w = *state;
	uint64_t lpc = BOARD_ECAM_BASE + (BOARD_DEVFN_LPC << 12);

	cfg_out(&w->rig, 0, 0x60, 4, 0);
	cfg_out(&w->rig, 0, 0x64, 4, 0);
	cfg_out(&w->rig, 0, 0x60, 4, BOARD_ECAM_BASE | 1);
	assert_int_equal(cfg_in(&w->rig, 0, 0x60, 4), BOARD_ECAM_BASE | 1);
	assert_int_equal(mmio_in(&w->rig, BOARD_ECAM_BASE, 4), 0x29c08086);
	assert_int_equal(mmio_in(&w->rig, lpc, 4), 0x29188086);
	/* Moved through itself, then away with a reset. */
	mmio_out(&w->rig, BOARD_ECAM_BASE + 0x60, 4, 0xd0000001);
	assert_int_equal(mmio_in(&w->rig, BOARD_ECAM_BASE, 4), 0xffffffff);
	assert_int_equal(mmio_in(&w->rig, 0xd0000000, 4), 0x29c08086);
	pci_reset(&w->bus);
	assert_int_equal(w->rig.mmio.n, 0);
	assert_int_equal(cfg_in(&w->rig, 0, 0x60, 4), 0);
}

/* For a guest without firmware: there at power-on, and after each reset. */
static void ecam_from_the_start(void **state)
{
	struct board_rig rig;
	static struct pci_bus bus;
	static struct q35 q;

	(void)state;
	rig_open(&rig);
	assert_int_equal(pci_open(&bus, &rig.pio, &rig.mmio), 0);
	assert_int_equal(
		q35_attach(&q, &bus, &rig.irq, &rig.power, BOARD_ECAM_BASE), 0);
	assert_int_equal(mmio_in(&rig, BOARD_ECAM_BASE, 4), 0x29c08086);
	cfg_out(&rig, 0, 0x60, 4, 0xd0000001);
	assert_int_equal(mmio_in(&rig, BOARD_ECAM_BASE, 4), 0xffffffff);
	pci_reset(&bus);
	q35_reset(&q);
	assert_int_equal(mmio_in(&rig, BOARD_ECAM_BASE, 4), 0x29c08086);
	assert_int_equal(cfg_in(&rig, 0, 0x60, 4), BOARD_ECAM_BASE | 1);
	q35_close(&q);
	assert_int_equal(rig.mmio.n, 0);
	rig_close(&rig);
}

static void identity(void **state)
{
	struct world *w = *state;

	assert_int_equal(cfg_in(&w->rig, 0, 0, 4), 0x29c08086);
	assert_int_equal(cfg_in(&w->rig, 0, 0x08, 4) >> 8, 0x060000);
	assert_int_equal(cfg_in(&w->rig, BOARD_DEVFN_LPC, 0, 4), 0x29188086);
	assert_int_equal(cfg_in(&w->rig, BOARD_DEVFN_LPC, 0x08, 4) >> 8,
			 0x060100);
	/* No SMM: SMRAM is locked and T_EN stays off, whatever is written. */
	cfg_out(&w->rig, 0, 0x9c, 4, 0xffffffff);
	assert_int_equal(cfg_in(&w->rig, 0, 0x9d, 1), 0x12);
	assert_int_equal(cfg_in(&w->rig, 0, 0x9e, 1), 0);
	/* PMBASE is where the tables say, and on. */
	cfg_out(&w->rig, BOARD_DEVFN_LPC, 0x40, 4, 0xb000);
	cfg_out(&w->rig, BOARD_DEVFN_LPC, 0x44, 1, 0);
	assert_int_equal(cfg_in(&w->rig, BOARD_DEVFN_LPC, 0x40, 4),
			 BOARD_PMBASE | 1);
	assert_int_equal(cfg_in(&w->rig, BOARD_DEVFN_LPC, 0x44, 1), 0x80);
	cfg_out(&w->rig, BOARD_DEVFN_LPC, 0xf0, 4, 0xfed1c001);
	assert_int_equal(cfg_in(&w->rig, BOARD_DEVFN_LPC, 0xf0, 4), 0xfed1c001);
	cfg_out(&w->rig, BOARD_DEVFN_LPC, 0x60, 1, 0x0a);
	assert_int_equal(cfg_in(&w->rig, BOARD_DEVFN_LPC, 0x60, 1), 0x0a);
}

/* Nothing that merely looks like a request is one. */
static void no_request(void **state)
{
	struct world *w = *state;
	struct board_rig *r = &w->rig;

	out(r, BOARD_PORT_RESET, 1, 0x02);
	out(r, BOARD_PORT_RESET, 2, 0x0606); /* straddles into 0xCFA */
	out(r, BOARD_PORT_PCI_ADDR, 4, 0x80000600);
	out(r, BOARD_PORT_PCI_ADDR, 2, 0x0600);
	out(r, BOARD_PORT_RESET_A, 1, 0x02);
	out(r, BOARD_PORT_RESET_A, 2, 0x0101);
	out(r, BOARD_PORT_KBC, 1, 0xff);
	out(r, BOARD_PORT_KBC, 1, 0xd1);
	out(r, BOARD_PORT_KBC, 1, 0x60);
	out(r, BOARD_PORT_KBC - 4, 1, 0xfe);
	out(r, PM1_CNT, 2, SLP_EN | 5 << 10); /* S3 is not offered */
	out(r, PM1_CNT, 2, 0);
	out(r, PM1_CNT, 1, 0xff);
	out(r, PM1_CNT - 1, 2, 0x2000);
	assert_int_equal(asked(r), POWER_NONE);
}

static void requests(void **state)
{
	struct world *w = *state;
	struct board_rig *r = &w->rig;

	out(r, BOARD_PORT_RESET, 1, 0x02);
	out(r, BOARD_PORT_RESET, 1, BOARD_RESET_VALUE);
	assert_int_equal(asked(r), POWER_RESET);
	assert_int_equal(in(r, BOARD_PORT_RESET, 1), BOARD_RESET_VALUE);
	out(r, BOARD_PORT_RESET_A, 1, in(r, BOARD_PORT_RESET_A, 1) | 1);
	assert_int_equal(asked(r), POWER_RESET);
	out(r, BOARD_PORT_KBC, 1, 0xfe);
	assert_int_equal(asked(r), POWER_RESET);
	out(r, PM1_CNT, 2, SLP_EN);
	assert_int_equal(asked(r), POWER_OFF);
	out(r, PM1_CNT + 1, 1, SLP_EN >> 8);
	assert_int_equal(asked(r), POWER_OFF);
	out(r, PM1_CNT, 4, SLP_EN);
	assert_int_equal(asked(r), POWER_OFF);
}

static void absent_keyboard(void **state)
{
	struct world *w = *state;

	assert_int_equal(in(&w->rig, BOARD_PORT_KBC, 1), 0xff);
	assert_int_equal(in(&w->rig, 0x60, 1), 0xff);
	assert_int_equal(in(&w->rig, BOARD_PORT_RESET_A, 1), 0x02);
}

static void power_button(void **state)
{
	struct world *w = *state;
	struct board_rig *r = &w->rig;

	/* Before a system listens it is only noted. */
	q35_power_button(&w->q35);
	assert_false(line(r, BOARD_IRQ_SCI));
	assert_int_equal(in(r, PM1_STS, 2) & PWRBTN, PWRBTN);
	out(r, PM1_STS, 2, PWRBTN);
	out(r, PM1_EN, 2, PWRBTN);
	assert_false(line(r, BOARD_IRQ_SCI));
	q35_power_button(&w->q35);
	assert_true(line(r, BOARD_IRQ_SCI));
	/* Writing zeros clears nothing; a byte of ones clears its half. */
	out(r, PM1_STS, 2, 0);
	out(r, PM1_STS, 1, 0xff);
	assert_true(line(r, BOARD_IRQ_SCI));
	out(r, PM1_STS + 1, 1, PWRBTN >> 8);
	assert_false(line(r, BOARD_IRQ_SCI));
	assert_int_equal(in(r, PM1_STS, 2) & PWRBTN, 0);
	q35_power_button(&w->q35);
	q35_reset(&w->q35);
	assert_false(line(r, BOARD_IRQ_SCI));
	assert_int_equal(in(r, PM1_EN, 2), 0);
}

static void pm_registers(void **state)
{
	struct world *w = *state;
	struct board_rig *r = &w->rig;

	assert_int_equal(in(r, PM1_CNT, 2), 1); /* ACPI mode */
	out(r, PM1_CNT, 2, 0);
	assert_int_equal(in(r, PM1_CNT, 2), 1);
	out(r, PM1_EN, 2, 0xffff);
	assert_int_equal(in(r, PM1_EN, 2), 0x0521);
	assert_int_equal(in(r, BOARD_PM1A_EVT, 4) >> 16, 0x0521);
	out(r, BOARD_GPE0, 4, 0xffffffff);
	for (uint16_t off = 0xc; off < BOARD_PM_SIZE; off++)
		assert_int_equal(in(r, (uint16_t)(BOARD_PMBASE + off), 1), 0);
	assert_int_equal(in(r, BOARD_PMBASE + BOARD_PM_SIZE - 2, 4),
			 0xffffffff);
}

/* Against the host's clock: 24 bits, 3.579545 MHz, never backwards. */
static void pm_timer(void **state)
{
	struct world *w = *state;
	struct timespec pause = { .tv_nsec = 20000000 }, a, b;
	uint64_t t0, t1, ns, ticks;

	clock_gettime(CLOCK_MONOTONIC, &a);
	t0 = in(&w->rig, BOARD_PM_TIMER, 4);
	nanosleep(&pause, NULL);
	t1 = in(&w->rig, BOARD_PM_TIMER, 4);
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_true(t0 < 1 << 24 && t1 < 1 << 24);
	ticks = (t1 - t0) & 0xffffff;
	ns = (uint64_t)(b.tv_sec - a.tv_sec) * 1000000000ull +
	     (uint64_t)b.tv_nsec - (uint64_t)a.tv_nsec;
	assert_true(ticks >= 71590); /* 20 ms */
	assert_true(ticks <= ns * 3579545 / 1000000000 + 1);
}

/* Bit 23 changes every 2.34 s: TMR_STS is set, and a 1 clears it. */
static void timer_status(void **state)
{
	struct world *w = *state;
	struct board_rig *r = &w->rig;

	w->q35.timer_seen--;
	assert_int_equal(in(r, PM1_STS, 2) & 1, 1);
	out(r, PM1_EN, 2, 1);
	assert_true(line(r, BOARD_IRQ_SCI));
	out(r, PM1_STS, 2, 1);
	assert_int_equal(in(r, PM1_STS, 2) & 1, 0);
	assert_false(line(r, BOARD_IRQ_SCI));
}

static void hostile(void **state)
{
	struct world *w = *state;

	hammer(&w->rig, BOARD_PMBASE - 3, BOARD_PM_SIZE + 3);
	hammer(&w->rig, BOARD_PORT_PCI_ADDR - 3, 11);
	hammer(&w->rig, BOARD_PORT_RESET_A - 3, 4);
	hammer(&w->rig, 0x60 - 3, 8);
	for (uint32_t fn = 0; fn < 2; fn++)
		for (unsigned off = 0; off < 0x100; off++)
			cfg_out(&w->rig, fn ? BOARD_DEVFN_LPC : 0, off, 1,
				0xff);
	pci_reset(&w->bus);
	q35_reset(&w->q35);
	assert_int_equal(w->rig.mmio.n, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(ports_taken),
		T(bad_ecam),
		T(no_request),
		T(good_ecam),
		T(identity),
		T(requests),
		cmocka_unit_test(ecam_from_the_start),
		T(absent_keyboard),
		T(power_button),
		T(pm_registers),
		T(pm_timer),
		T(timer_status),
		T(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
