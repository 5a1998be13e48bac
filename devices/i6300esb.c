/* SPDX-License-Identifier: Apache-2.0 */
/*
 * i6300esb: see the header. Feeding moves the deadline and nothing else; the
 * timer, which is the main thread's (a vCPU must not touch one), finds out when
 * it fires too early and is set again.
 */
#include "devices/i6300esb.h"

#include <assert.h>
#include <errno.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "vmm/board_map.h"
#include "vmm/clock.h"
#include "vmm/log.h"

#define CLASS_SYSTEM_OTHER 0x088000u
#define BAR_BYTES 4096u /* the chip has 16 */
#define PRELOAD_MASK 0xfffffu
#define UNLOCK_1 0x80u
#define UNLOCK_2 0x86u
#define UNLOCKED 2u

/* Ticks are 2^15 or 2^5 cycles of a bus of 33 MHz. */
#define CYCLE_NS 30u
#define SLOW_SHIFT 15
#define FAST_SHIFT 5

static struct i6300esb *of_pci(struct pci_dev *d)
{
	static_assert(offsetof(struct i6300esb, pci) == 0, "cast");

	return (struct i6300esb *)d;
}

static uint64_t stage_ns(const struct i6300esb *w)
{
	bool fast = w->pci.cfg[I6300ESB_CONFIG] & I6300ESB_CONFIG_FAST;
	uint64_t ns = (uint64_t)w->preload[w->stage] * CYCLE_NS
		      << (fast ? FAST_SHIFT : SLOW_SHIFT);

	return max_u64(ns, I6300ESB_SHORTEST_NS);
}

static void kick(const struct i6300esb *w)
{
	/* A full counter is a kick that is pending already. */
	(void)!write(w->kick_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

static void stage_begin(struct i6300esb *w, unsigned stage)
{
	w->stage = stage;
	w->counting = true;
	w->deadline_ns = clock_ns() + stage_ns(w);
	if (!w->armed_ns || w->deadline_ns < w->armed_ns)
		kick(w);
}

static void stage_end(struct i6300esb *w)
{
	if (w->stage == 0) {
		stage_begin(w, 1);
		return;
	}
	w->counting = false;
	if (!(w->pci.cfg[I6300ESB_CONFIG] & I6300ESB_CONFIG_NO_OUTPUT)) {
		w->timed_out = true;
		power_note(w->power, POWER_NOTE_WATCHDOG);
	}
	if (w->pci.cfg[I6300ESB_LOCK] & I6300ESB_LOCK_FREE_RUN)
		stage_begin(w, 0);
}

/* Main thread, bus lock held: the timer as the deadline wants it. */
static void timer_set(struct i6300esb *w)
{
	struct itimerspec when = { 0 };
	bool set;

	w->armed_ns = w->counting && !w->paused ? w->deadline_ns : 0;
	when.it_value.tv_sec = (time_t)(w->armed_ns / CLOCK_NS_PER_S);
	when.it_value.tv_nsec = (long)(w->armed_ns % CLOCK_NS_PER_S);
	set = timerfd_settime(w->timer_fd, TFD_TIMER_ABSTIME, &when, NULL) == 0;
	CHECK(set);
}

/* The timer or a kick. */
static void on_time(void *ctx, int fd, uint32_t events)
{
	struct i6300esb *w = ctx;

	(void)events;
	if (!event_take(fd))
		return;
	bus_lock(w->pci.bus->pio);
	if (w->counting && !w->paused && clock_ns() >= w->deadline_ns)
		stage_end(w);
	timer_set(w);
	bus_unlock(w->pci.bus->pio);
}

static bool bar_read(void *dev, uint64_t off, uint8_t *buf, size_t len)
{
	const struct i6300esb *w = dev;
	uint8_t reg[I6300ESB_REGISTERS] = { 0 };

	put_le32(&reg[I6300ESB_TIMER1], w->preload[0]);
	put_le32(&reg[I6300ESB_TIMER2], w->preload[1]);
	if (w->timed_out)
		put_le16(&reg[I6300ESB_RELOAD], I6300ESB_RELOAD_TIMEOUT);
	if (!range_ok(off, len, sizeof(reg)))
		return false;
	bytes_copy(buf, len, &reg[off], len);
	return true;
}

static void reload_written(struct i6300esb *w, uint32_t v)
{
	if (v & I6300ESB_RELOAD_TIMEOUT)
		w->timed_out = false;
	if (v & I6300ESB_RELOAD_FEED &&
	    w->pci.cfg[I6300ESB_LOCK] & I6300ESB_LOCK_ENABLE)
		stage_begin(w, 0);
}

/* Each write but those of the sequence itself needs the sequence before it. */
static bool bar_write(void *dev, uint64_t off, const uint8_t *buf, size_t len)
{
	struct i6300esb *w = dev;
	const uint32_t v = (uint32_t)get_le(buf, len);
	const unsigned had = w->unlock;

	w->unlock = 0;
	if (off == I6300ESB_RELOAD && v == UNLOCK_1)
		w->unlock = 1;
	else if (off == I6300ESB_RELOAD && v == UNLOCK_2 && had == 1)
		w->unlock = UNLOCKED;
	else if (had != UNLOCKED)
		return true;
	else if (off == I6300ESB_RELOAD)
		reload_written(w, v);
	else if (off == I6300ESB_TIMER1 && len == sizeof(v))
		w->preload[0] = v & PRELOAD_MASK;
	else if (off == I6300ESB_TIMER2 && len == sizeof(v))
		w->preload[1] = v & PRELOAD_MASK;
	return true;
}

static const struct bus_ops bar_ops = {
	.name = "i6300esb",
	.read = bar_read,
	.write = bar_write,
};

/* LOCK makes the whole register read-only, itself included, until a reset. */
static void lock_written(struct i6300esb *w)
{
	const uint8_t v = w->pci.cfg[I6300ESB_LOCK];

	if (v & I6300ESB_LOCK_LOCKED)
		w->pci.wmask[I6300ESB_LOCK] = 0;
	if (!(v & I6300ESB_LOCK_ENABLE))
		w->counting = false;
	else if (!w->counting)
		stage_begin(w, 0);
}

static void cfg_written(struct pci_dev *d, unsigned off, size_t len)
{
	if (off <= I6300ESB_LOCK && off + len > I6300ESB_LOCK &&
	    d->wmask[I6300ESB_LOCK])
		lock_written(of_pci(d));
}

static void reset(struct pci_dev *d)
{
	struct i6300esb *w = of_pci(d);

	d->wmask[I6300ESB_LOCK] = I6300ESB_LOCK_LOCKED | I6300ESB_LOCK_ENABLE |
				  I6300ESB_LOCK_FREE_RUN;
	w->preload[0] = w->preload[1] = PRELOAD_MASK;
	w->unlock = 0;
	w->counting = false;
}

static const struct pci_ops pci_ops = {
	.name = "watchdog",
	.cfg_written = cfg_written,
	.reset = reset,
};

static int timer_open(struct i6300esb *w)
{
	int rc;

	w->timer_fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	w->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->timer_fd < 0 || w->kick_fd < 0)
		return -errno;
	rc = event_add(w->event, w->timer_fd, EPOLLIN, on_time, w);
	return rc ? rc : event_add(w->event, w->kick_fd, EPOLLIN, on_time, w);
}

int i6300esb_attach(struct i6300esb *w, struct pci_bus *pci, uint8_t devfn,
		    struct event *event, struct power *power)
{
	int rc;

	*w = (struct i6300esb){
		.event = event, .power = power, .timer_fd = -1, .kick_fd = -1
	};
	pci_init(&w->pci, &pci_ops, BOARD_PCI_INTEL, I6300ESB_DEVICE,
		 CLASS_SYSTEM_OTHER, 0);
	put_le16(&w->pci.wmask[I6300ESB_CONFIG], 0x27);
	rc = pci_add_bar(&w->pci, 0, BAR_BYTES, &bar_ops, w);
	if (!rc)
		rc = timer_open(w);
	if (!rc)
		rc = pci_attach(pci, &w->pci, devfn);
	if (rc) {
		i6300esb_close(w);
		log_error("watchdog: %s", strerror(-rc));
		return rc;
	}
	reset(&w->pci);
	return 0;
}

void i6300esb_close(struct i6300esb *w)
{
	const int fds[] = { w->timer_fd, w->kick_fd };

	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		if (fds[i] < 0)
			continue;
		event_remove(w->event, fds[i]);
		close(fds[i]);
	}
}

void i6300esb_pause(struct i6300esb *w)
{
	uint64_t now = clock_ns();

	bus_lock(w->pci.bus->pio);
	w->paused = true;
	w->left_ns = w->deadline_ns - min_u64(now, w->deadline_ns);
	timer_set(w);
	bus_unlock(w->pci.bus->pio);
}

void i6300esb_resume(struct i6300esb *w)
{
	bus_lock(w->pci.bus->pio);
	w->paused = false;
	w->deadline_ns = clock_ns() + w->left_ns;
	timer_set(w);
	bus_unlock(w->pci.bus->pio);
}
