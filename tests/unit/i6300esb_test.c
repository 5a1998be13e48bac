/* SPDX-License-Identifier: Apache-2.0 */
/*
 * i6300esb_test: what the watchdog does not listen to, then time: fed, not fed,
 * paused, fast, off. A tick of 1 ms is 983 us here. On a busy machine anything
 * may come late, so what is looked at is that it does not come too early.
 */
#include "tests/unit/board_rig.h"

#include "devices/i6300esb.h"
#include "vmm/clock.h"

#define DEVFN 0xe0
#define BAR 0xc0000000u
#define STAGE 60u /* ticks */
#define BOTH_NS (2ull * STAGE * (30u << 15)) /* stages */

struct world {
	struct board_rig rig;
	struct pci_bus pci;
	struct i6300esb dog;
};

static void place(struct world *w)
{
	cfg_out(&w->rig, DEVFN, 0x10, 4, BAR);
	cfg_out(&w->rig, DEVFN, PCI_COMMAND, 2, PCI_CMD_MEM);
}

static int setup(void **state)
{
	static struct world w;

	rig_open(&w.rig);
	assert_int_equal(pci_open(&w.pci, &w.rig.pio, &w.rig.mmio), 0);
	assert_int_equal(i6300esb_attach(&w.dog, &w.pci, DEVFN, &w.rig.event,
					 &w.rig.power),
			 0);
	place(&w);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	i6300esb_close(&w->dog);
	rig_close(&w->rig);
	return 0;
}

static void set(struct world *w, unsigned reg, size_t len, uint32_t v)
{
	mmio_out(&w->rig, BAR + I6300ESB_RELOAD, 1, 0x80);
	mmio_out(&w->rig, BAR + I6300ESB_RELOAD, 2, 0x86);
	mmio_out(&w->rig, BAR + reg, len, v);
}

static void feed(struct world *w)
{
	set(w, I6300ESB_RELOAD, 2, I6300ESB_RELOAD_FEED);
}

static void stages(struct world *w, uint32_t first, uint32_t second)
{
	set(w, I6300ESB_TIMER1, 4, first);
	set(w, I6300ESB_TIMER2, 4, second);
}

static void lock(struct world *w, uint8_t v)
{
	cfg_out(&w->rig, DEVFN, I6300ESB_LOCK, 1, v);
}

/* Did it fire since last asked? */
static bool fired(struct world *w)
{
	return power_take_notes(&w->rig.power) == POWER_NOTE_WATCHDOG;
}

/* Runs the loop until it fires, or for so long; how long that was. */
static uint64_t until_fired(struct world *w, unsigned ms)
{
	uint64_t start = clock_ns(), now = start;
	bool yes = false;

	while (!yes && now - start < (uint64_t)ms * CLOCK_NS_PER_MS) {
		spin(&w->rig, 5);
		yes = fired(w);
		now = clock_ns();
	}
	return yes ? (now - start) / CLOCK_NS_PER_MS : 0;
}

static void is_found(void **state)
{
	struct world *w = *state;

	assert_int_equal(cfg_in(&w->rig, DEVFN, 0, 4), 0x25ab8086);
	assert_int_equal(cfg_in(&w->rig, DEVFN, 8, 4), 0x08800000);
	assert_int_equal(mmio_in(&w->rig, BAR + I6300ESB_RELOAD, 2), 0);
	assert_int_equal(mmio_in(&w->rig, BAR, 4), 0xfffff);
}

static void needs_the_sequence(void **state)
{
	static const struct {
		unsigned reg[2];
		uint32_t v[2];
	} t[] = {
		{ { 0, 0 }, { 5, 5 } },
		{ { I6300ESB_RELOAD, 0 }, { 0x80, 5 } },
		{ { I6300ESB_RELOAD, I6300ESB_RELOAD }, { 0x86, 0x80 } },
		{ { I6300ESB_RELOAD, 0x8 }, { 0x80, 0x86 } },
		{ { I6300ESB_RELOAD, I6300ESB_RELOAD }, { 0x80, 0x80 } },
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		for (unsigned k = 0; k < 2; k++)
			mmio_out(&w->rig, BAR + t[i].reg[k], 4, t[i].v[k]);
		mmio_out(&w->rig, BAR, 4, 5);
		assert_int_equal(mmio_in(&w->rig, BAR, 4), 0xfffff);
		mmio_out(&w->rig, BAR, 4, 0); /* ends a sequence */
	}
	set(w, I6300ESB_TIMER1, 2, 5);
	assert_int_equal(mmio_in(&w->rig, BAR, 4), 0xfffff);
	set(w, I6300ESB_TIMER1, 4, 0xfff00005);
	assert_int_equal(mmio_in(&w->rig, BAR, 4), 5);
	/* One write a sequence. */
	mmio_out(&w->rig, BAR + I6300ESB_TIMER2, 4, 5);
	assert_int_equal(mmio_in(&w->rig, BAR + I6300ESB_TIMER2, 4), 0xfffff);
}

static void fires_when_starved(void **state)
{
	struct world *w = *state;
	uint64_t fed;

	stages(w, STAGE, STAGE);
	assert_int_equal(until_fired(w, 200), 0); /* it is off */
	fed = clock_ns();
	lock(w, I6300ESB_LOCK_ENABLE);
	for (int i = 0; i < 10; i++) {
		if (until_fired(w, 30))
			assert_true(clock_ns() - fed >= BOTH_NS);
		fed = clock_ns();
		feed(w);
	}
	assert_in_range(until_fired(w, 20000), 1, 20000);
	assert_true(clock_ns() - fed >= BOTH_NS);
	assert_int_equal(mmio_in(&w->rig, BAR + I6300ESB_RELOAD, 2),
			 I6300ESB_RELOAD_TIMEOUT);
	/* Once; from the next feeding on again. */
	assert_int_equal(until_fired(w, 300), 0);
	fed = clock_ns();
	feed(w);
	assert_in_range(until_fired(w, 20000), 1, 20000);
	assert_true(clock_ns() - fed >= BOTH_NS);
	/* A reset turns it off and leaves the mark, which 1 clears. */
	pci_reset(&w->pci);
	place(w);
	assert_int_equal(mmio_in(&w->rig, BAR + I6300ESB_RELOAD, 2),
			 I6300ESB_RELOAD_TIMEOUT);
	feed(w);
	assert_int_equal(until_fired(w, 300), 0);
	set(w, I6300ESB_RELOAD, 2, I6300ESB_RELOAD_TIMEOUT);
	assert_int_equal(mmio_in(&w->rig, BAR + I6300ESB_RELOAD, 2), 0);
}

static void a_pause_does_not_count(void **state)
{
	struct world *w = *state;
	uint64_t ran;

	stages(w, STAGE, STAGE);
	ran = clock_ns();
	lock(w, I6300ESB_LOCK_ENABLE);
	i6300esb_pause(&w->dog);
	ran = clock_ns() - ran;
	assert_int_equal(until_fired(w, 500), 0);
	ran -= clock_ns();
	i6300esb_resume(&w->dog);
	assert_in_range(until_fired(w, 20000), 1, 20000);
	assert_true(clock_ns() + ran >= BOTH_NS);
	/* One that is off stays off. */
	lock(w, 0);
	i6300esb_pause(&w->dog);
	i6300esb_resume(&w->dog);
	assert_int_equal(until_fired(w, 300), 0);
}

static void can_be_locked(void **state)
{
	struct world *w = *state;

	stages(w, 20, 20);
	lock(w, I6300ESB_LOCK_ENABLE | I6300ESB_LOCK_LOCKED);
	lock(w, 0);
	assert_int_equal(cfg_in(&w->rig, DEVFN, I6300ESB_LOCK, 1), 3);
	assert_in_range(until_fired(w, 20000), 1, 20000);
	pci_reset(&w->pci);
	assert_int_equal(cfg_in(&w->rig, DEVFN, I6300ESB_LOCK, 1), 0);
	lock(w, I6300ESB_LOCK_ENABLE);
	assert_int_equal(cfg_in(&w->rig, DEVFN, I6300ESB_LOCK, 1), 2);
}

/* Without output nobody hears of it; stages of no length are a millisecond. */
static void fast_and_free_running(void **state)
{
	struct world *w = *state;
	unsigned n = 0;

	cfg_out(&w->rig, DEVFN, I6300ESB_CONFIG, 2,
		I6300ESB_CONFIG_FAST | I6300ESB_CONFIG_NO_OUTPUT);
	stages(w, 0, 0);
	lock(w, I6300ESB_LOCK_ENABLE | I6300ESB_LOCK_FREE_RUN);
	assert_int_equal(until_fired(w, 100), 0);
	cfg_out(&w->rig, DEVFN, I6300ESB_CONFIG, 2, I6300ESB_CONFIG_FAST);
	for (uint64_t end = clock_ns() + 300 * CLOCK_NS_PER_MS;
	     clock_ns() < end;) {
		spin(&w->rig, 1);
		n += fired(w);
	}
	assert_in_range(n, 2, 300);
}

static void any_access(void **state)
{
	struct world *w = *state;

	for (unsigned off = 0; off < 0x1010; off++)
		for (size_t len = 1; len <= 8; len *= 2) {
			mmio_out(&w->rig, BAR + I6300ESB_RELOAD, 1, 0x80);
			mmio_out(&w->rig, BAR + I6300ESB_RELOAD, 1, 0x86);
			mmio_out(&w->rig, BAR + off, len, ~0ull);
			(void)mmio_in(&w->rig, BAR + off, len);
		}
	for (unsigned off = 0x40; off < 0x100; off++)
		cfg_out(&w->rig, DEVFN, off, 1, 0xff);
	spin(&w->rig, 5);
}

int main(void)
{
#define WORLD(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		WORLD(is_found),	   WORLD(needs_the_sequence),
		WORLD(fires_when_starved), WORLD(a_pause_does_not_count),
		WORLD(can_be_locked),	   WORLD(fast_and_free_running),
		WORLD(any_access),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
