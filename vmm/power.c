/* SPDX-License-Identifier: Apache-2.0 */
/*
 * power: see the header. The request is an atomic, the eventfd only wakes the
 * main thread; a second request before the first was taken is dropped, except
 * that a panic, a crash or a quit outranks what waits.
 */
#include "vmm/power.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int power_open(struct power *p)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		return -errno;
	p->fd = fd;
	atomic_init(&p->request, POWER_NONE);
	atomic_init(&p->why, "");
	atomic_init(&p->notes, 0);
	atomic_init(&p->deciding, false);
	p->panic_passes = false;
	return 0;
}

void power_close(struct power *p)
{
	close(p->fd);
	p->fd = -1;
}

static bool outranks(int what, int waiting)
{
	return waiting == POWER_NONE || (what >= POWER_PANIC && what > waiting);
}

void power_ask(struct power *p, enum power_request what, const char *why)
{
	int waiting = atomic_load(&p->request);

	do {
		if (!outranks((int)what, waiting))
			return;
	} while (!atomic_compare_exchange_weak(&p->request, &waiting,
					       (int)what));
	atomic_store(&p->why, why);
	/* The counter cannot overflow: one write a request, drained below. */
	(void)!write(p->fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

void power_note(struct power *p, enum power_note what)
{
	/* One write until it is taken, however often the guest says it. */
	if (!(atomic_fetch_or(&p->notes, (unsigned)what) & what))
		(void)!write(p->fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

void power_panic(struct power *p)
{
	if (p->panic_passes)
		power_note(p, POWER_NOTE_PANIC);
	else
		power_ask(p, POWER_PANIC, "pvpanic");
}

unsigned power_take_notes(struct power *p)
{
	return atomic_exchange(&p->notes, 0);
}

bool power_waits(const struct power *p)
{
	/* In this order: a take sets deciding before it clears the request. */
	return atomic_load(&p->request) != POWER_NONE ||
	       atomic_load(&p->deciding);
}

void power_forget_reset(struct power *p)
{
	int reset = POWER_RESET;

	/* The eventfd stays readable: the next take then finds nothing. */
	(void)atomic_compare_exchange_strong(&p->request, &reset, POWER_NONE);
}

enum power_request power_take(struct power *p, const char **why)
{
	uint64_t drained;

	(void)!read(p->fd, &drained, sizeof(drained));
	*why = atomic_load(&p->why);
	atomic_store(&p->deciding, atomic_load(&p->request) != POWER_NONE);
	return (enum power_request)atomic_exchange(&p->request, POWER_NONE);
}

void power_settle(struct power *p)
{
	atomic_store(&p->deciding, false);
}
