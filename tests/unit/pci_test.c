/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pci_test: configuration accesses that find nobody, BARs in places where
 * they must not answer, then a function that behaves.
 */
#include "tests/unit/board_rig.h"

#include <errno.h>

#include "devices/pci.h"

#define DEVFN 0x18 /* 0:3.0 */
#define BAR_A 0x90000000u
#define BAR_B 0x90010000u
#define BAR0 0x10
#define BAR1 0x14

struct card {
	struct pci_dev pci;
	unsigned writes, readings, resets;
	unsigned off; /* of the last access that cfg_written saw */
	size_t len;
	bool mapped;
	uint64_t addr;
	uint64_t reads; /* of BAR bytes */
};

struct world {
	struct board_rig rig;
	struct pci_bus bus;
	struct card card, other;
};

static void card_written(struct pci_dev *d, unsigned off, size_t len)
{
	struct card *c = (struct card *)d;

	c->writes++;
	c->off = off;
	c->len = len;
	assert_true((off & 3) + len <= 4);
}

static void card_reading(struct pci_dev *d, unsigned off, size_t len)
{
	((struct card *)d)->readings++;
	assert_true((off & 3) + len <= 4);
	d->cfg[0x80] = 0x5a;
}

static void card_moved(struct pci_dev *d, unsigned bar, uint64_t addr,
		       bool mapped)
{
	struct card *c = (struct card *)d;

	if (bar == 0) {
		c->mapped = mapped;
		c->addr = addr;
	}
}

static void card_reset(struct pci_dev *d)
{
	((struct card *)d)->resets++;
}

static const struct pci_ops card_ops = {
	.name = "card",
	.cfg_written = card_written,
	.cfg_reading = card_reading,
	.bar_moved = card_moved,
	.reset = card_reset,
};

static bool bar_read(void *dev, uint64_t off, uint8_t *buf, size_t len)
{
	struct card *c = dev;

	c->reads++;
	put_le(buf, len, off);
	return true;
}

static bool bar_write(void *dev, uint64_t off, const uint8_t *buf, size_t len)
{
	(void)dev;
	(void)off;
	(void)buf;
	(void)len;
	return true;
}

static const struct bus_ops bar_ops = {
	.name = "card",
	.read = bar_read,
	.write = bar_write,
};

static void card_init(struct card *c)
{
	*c = (struct card){ 0 };
	pci_init(&c->pci, &card_ops, 0x1234, 0x5678, 0xff0000, 7);
	assert_int_equal(pci_add_bar(&c->pci, 0, 0x4000, &bar_ops, c), 0);
	assert_int_equal(pci_add_bar(&c->pci, 1, 0x1000, &bar_ops, c), 0);
}

static int setup(void **state)
{
	static struct world w;

	rig_open(&w.rig);
	assert_int_equal(pci_open(&w.bus, &w.rig.pio, &w.rig.mmio), 0);
	card_init(&w.card);
	card_init(&w.other);
	assert_int_equal(pci_attach(&w.bus, &w.card.pci, DEVFN), 0);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	rig_close(&w->rig);
	return 0;
}

static void bad_functions(void **state)
{
	struct world *w = *state;
	struct pci_dev *d = &w->other.pci;
	unsigned off;

	assert_int_equal(pci_attach(&w->bus, d, DEVFN), -EEXIST);
	assert_int_equal(pci_add_bar(d, 6, 0x1000, &bar_ops, w), -EINVAL);
	assert_int_equal(pci_add_bar(d, 0, 0x1000, &bar_ops, w), -EINVAL);
	assert_int_equal(pci_add_bar(d, 2, 0x800, &bar_ops, w), -EINVAL);
	assert_int_equal(pci_add_bar(d, 2, 0x3000, &bar_ops, w), -EINVAL);
	assert_int_equal(pci_add_bar(d, 2, 0, &bar_ops, w), -EINVAL);
	assert_int_equal(pci_add_cap(d, 9, 1, &off), -ENOSPC);
	assert_int_equal(pci_add_cap(d, 9, 193, &off), -ENOSPC);
	assert_int_equal(pci_add_cap(d, 9, 192, &off), 0);
	assert_int_equal(pci_add_cap(d, 9, 2, &off), -ENOSPC);
	assert_int_equal(pci_set_ecam(&w->bus, 0x1000), -ERANGE);
	assert_int_equal(pci_set_ecam(&w->bus, 0xfee00000), -ERANGE);
	assert_int_equal(pci_set_ecam(&w->bus, 1ull << 40), -ERANGE);
}

static void nobody_there(void **state)
{
	struct world *w = *state;
	struct board_rig *r = &w->rig;

	assert_int_equal(cfg_in(&w->rig, DEVFN + 8, 0, 4), 0xffffffff);
	assert_int_equal(cfg_in(&w->rig, DEVFN + 1, 0, 2), 0xffff);
	/* Bus 1, and the enable bit off. */
	assert_int_equal(cfg_in(&w->rig, 0x100 | DEVFN, 0, 4), 0xffffffff);
	out(r, BOARD_PORT_PCI_ADDR, 4, DEVFN << 8);
	assert_int_equal(in(r, BOARD_PORT_PCI_DATA, 4), 0xffffffff);
	/* Straddling the dword, or the two ports. */
	(void)cfg_in(&w->rig, DEVFN, 0, 4);
	assert_int_equal(in(r, BOARD_PORT_PCI_DATA + 3, 2), 0xffff);
	assert_int_equal(in(r, BOARD_PORT_PCI_DATA + 1, 4), 0xffffffff);
	assert_int_equal(in(r, BOARD_PORT_PCI_ADDR + 2, 4), 0xffffffff);
	/* Narrow accesses are not the address register's. */
	out(r, BOARD_PORT_PCI_ADDR, 4, 0x80000000 | DEVFN << 8);
	out(r, BOARD_PORT_PCI_ADDR + 1, 1, 0x77);
	out(r, BOARD_PORT_PCI_ADDR, 2, 0x7777);
	assert_int_equal(in(r, BOARD_PORT_PCI_ADDR, 2), 0xffff);
	assert_int_equal(in(r, BOARD_PORT_PCI_ADDR, 4),
			 0x80000000 | DEVFN << 8);
}

static void read_only(void **state)
{
	struct world *w = *state;

	for (unsigned off = 0; off < 0x100; off += 4)
		if (off != PCI_COMMAND)
			cfg_out(&w->rig, DEVFN, off, 4, 0xffffffff);
	assert_int_equal(cfg_in(&w->rig, DEVFN, PCI_VENDOR, 4), 0x56781234);
	assert_int_equal(cfg_in(&w->rig, DEVFN, PCI_REVISION, 4), 0xff000007);
	assert_int_equal(cfg_in(&w->rig, DEVFN, PCI_SUBVENDOR, 4), 0);
	assert_int_equal(cfg_in(&w->rig, DEVFN, 0x30, 4), 0); /* no ROM */
	assert_int_equal(cfg_in(&w->rig, DEVFN, 0x18, 4), 0); /* no third BAR */
	w->card.readings = 0;
	assert_int_equal(cfg_in(&w->rig, DEVFN, 0x80, 1), 0x5a);
	assert_int_equal(w->card.readings, 1);
	cfg_out(&w->rig, DEVFN, PCI_COMMAND, 2, 0xffff);
	assert_int_equal(cfg_in(&w->rig, DEVFN, PCI_COMMAND, 2), 0x547);
}

/* No RAM, ROM, interrupt controller or another claim may be covered. */
static void bad_places(void **state)
{
	static const uint32_t bad[] = {
		0x00100000, 0x7fffc000, 0xe0000000, 0xefffc000, 0xfc000000,
		0xfec00000, 0xfee00000, 0xfeffc000, 0xffc00000, BAR_B,
	};
	struct world *w = *state;

	assert_int_equal(pci_attach(&w->bus, &w->other.pci, DEVFN + 8), 0);
	cfg_out(&w->rig, DEVFN + 8, BAR0, 4, BAR_B);
	cfg_out(&w->rig, DEVFN + 8, PCI_COMMAND, 2, PCI_CMD_MEM);
	assert_true(w->other.mapped);
	cfg_out(&w->rig, DEVFN, PCI_COMMAND, 2, PCI_CMD_MEM);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		cfg_out(&w->rig, DEVFN, BAR0, 4, bad[i]);
		assert_false(w->card.mapped);
	}
	/* It moves in as soon as the other one moves out. */
	cfg_out(&w->rig, DEVFN + 8, PCI_COMMAND, 2, 0);
	assert_true(w->card.mapped);
	assert_int_equal(w->card.addr, BAR_B);
	assert_false(w->other.mapped);
}

static void sizing(void **state)
{
	struct world *w = *state;

	cfg_out(&w->rig, DEVFN, PCI_COMMAND, 2, PCI_CMD_MEM);
	cfg_out(&w->rig, DEVFN, BAR0, 4, 0xffffffff);
	assert_int_equal(cfg_in(&w->rig, DEVFN, BAR0, 4), 0xffffc000);
	cfg_out(&w->rig, DEVFN, BAR1, 4, 0xffffffff);
	assert_int_equal(cfg_in(&w->rig, DEVFN, BAR1, 4), 0xfffff000);
	assert_false(w->card.mapped);
}

static void placing(void **state)
{
	struct world *w = *state;
	struct board_rig *r = &w->rig;

	cfg_out(&w->rig, DEVFN, BAR0, 4, BAR_A);
	assert_int_equal(mmio_in(r, BAR_A + 4, 4), 0xffffffff);
	cfg_out(&w->rig, DEVFN, PCI_COMMAND, 1, PCI_CMD_MEM);
	assert_int_equal(mmio_in(r, BAR_A + 4, 4), 4);
	assert_int_equal(mmio_in(r, BAR_A + 0x3ff8, 8), 0x3ff8);
	assert_int_equal(mmio_in(r, BAR_A + 0x3ffc, 8), ~0ull);
	/* A byte at a time, as a guest may: each step is a place. */
	cfg_out(&w->rig, DEVFN, BAR0 + 2, 1, 0x01);
	assert_int_equal(mmio_in(r, BAR_A + 4, 4), 0xffffffff);
	assert_int_equal(mmio_in(r, BAR_B + 8, 4), 8);
	cfg_out(&w->rig, DEVFN, PCI_COMMAND, 2, 0);
	assert_int_equal(mmio_in(r, BAR_B + 8, 4), 0xffffffff);
	assert_int_equal(w->rig.mmio.n, 0);
}

static void capabilities(void **state)
{
	struct world *w = *state;
	unsigned a, b, c;

	assert_int_equal(pci_add_cap(&w->other.pci, 0x11, 12, &a), 0);
	assert_int_equal(pci_add_cap(&w->other.pci, 0x09, 17, &b), 0);
	assert_int_equal(pci_add_cap(&w->other.pci, 0x05, 2, &c), 0);
	assert_int_equal(pci_attach(&w->bus, &w->other.pci, DEVFN + 1), 0);
	assert_int_equal(cfg_in(&w->rig, DEVFN + 1, PCI_STATUS, 2) & 0x10,
			 0x10);
	assert_int_equal(cfg_in(&w->rig, DEVFN + 1, PCI_CAP_PTR, 1), a);
	assert_int_equal(cfg_in(&w->rig, DEVFN + 1, a, 2), 0x11 | b << 8);
	assert_int_equal(cfg_in(&w->rig, DEVFN + 1, b, 2), 0x09 | c << 8);
	assert_int_equal(cfg_in(&w->rig, DEVFN + 1, c, 2), 0x05);
	assert_int_equal(c % 4, 0);
	/* Function 1 makes function 0 one of several. */
	assert_int_equal(cfg_in(&w->rig, DEVFN, PCI_HEADER_TYPE, 1), 0x80);
}

static void ecam(void **state)
{
	struct world *w = *state;
	struct board_rig *r = &w->rig;
	uint64_t base = BOARD_ECAM_BASE, card = base + (DEVFN << 12);

	assert_int_equal(mmio_in(r, card, 4), 0xffffffff);
	assert_int_equal(pci_set_ecam(&w->bus, base), 0);
	assert_int_equal(mmio_in(r, card, 4), 0x56781234);
	assert_int_equal(mmio_in(r, card, 8), 0x56781234);
	assert_int_equal(mmio_in(r, card + 2, 2), 0x5678);
	assert_int_equal(mmio_in(r, card + 3, 2), 0xffff);
	assert_int_equal(mmio_in(r, card + 4, 8), ~0ull);
	assert_int_equal(mmio_in(r, card + 0xffc, 4), 0);
	assert_int_equal(mmio_in(r, card + 0xffd, 8), ~0ull);
	assert_int_equal(mmio_in(r, base + 0xffffc, 4), 0xffffffff);
	assert_int_equal(mmio_in(r, base + 0x100000, 4), 0xffffffff);
	/* A qword is two dwords to the function. */
	mmio_out(r, card + BAR0, 8, (uint64_t)BAR_B << 32 | BAR_A);
	assert_int_equal(w->card.writes, 2);
	assert_int_equal(w->card.off, BAR1);
	assert_int_equal(cfg_in(&w->rig, DEVFN, BAR0, 4), BAR_A);
	assert_int_equal(cfg_in(&w->rig, DEVFN, BAR1, 4), BAR_B);
	assert_int_equal(pci_set_ecam(&w->bus, 0), 0);
	assert_int_equal(mmio_in(r, card, 4), 0xffffffff);
}

static void resets(void **state)
{
	struct world *w = *state;

	cfg_out(&w->rig, DEVFN, BAR0, 4, BAR_A);
	cfg_out(&w->rig, DEVFN, PCI_COMMAND, 2, 0xffff);
	assert_true(w->card.mapped);
	pci_reset(&w->bus);
	assert_false(w->card.mapped);
	assert_int_equal(w->card.resets, 1);
	assert_int_equal(w->rig.mmio.n, 0);
	assert_int_equal(in(&w->rig, BOARD_PORT_PCI_ADDR, 4), 0);
	assert_int_equal(cfg_in(&w->rig, DEVFN, BAR0, 4), 0);
	assert_int_equal(cfg_in(&w->rig, DEVFN, PCI_COMMAND, 2), 0);
}

static void hostile(void **state)
{
	struct world *w = *state;

	assert_int_equal(pci_set_ecam(&w->bus, BOARD_ECAM_BASE), 0);
	for (unsigned off = 0; off < 0x100; off += 4) {
		(void)cfg_in(&w->rig, DEVFN, off, 4);
		hammer(&w->rig, BOARD_PORT_PCI_DATA, 4);
	}
	for (uint64_t off = 0; off < 2 * PCI_CFG_SIZE; off++)
		for (size_t len = 1; len <= 8; len *= 2) {
			uint64_t at = BOARD_ECAM_BASE + (DEVFN << 12) + off;

			(void)mmio_in(&w->rig, at, len);
			mmio_out(&w->rig, at, len, ~0ull);
		}
	hammer(&w->rig, BOARD_PORT_PCI_ADDR, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_functions, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_there, setup, teardown),
		cmocka_unit_test_setup_teardown(read_only, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_places, setup, teardown),
		cmocka_unit_test_setup_teardown(sizing, setup, teardown),
		cmocka_unit_test_setup_teardown(placing, setup, teardown),
		cmocka_unit_test_setup_teardown(capabilities, setup, teardown),
		cmocka_unit_test_setup_teardown(ecam, setup, teardown),
		cmocka_unit_test_setup_teardown(resets, setup, teardown),
		cmocka_unit_test_setup_teardown(hostile, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
