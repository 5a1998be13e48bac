/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chardev_patience: a peer that does not read, at an end whose guest spins
 * while its output waits. Half of the buffer has to be free again for its time
 * to begin anew, so that a byte now and then buys none.
 */
#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "devices/chardev_open.h"
#include "vmm/clock.h"
#include "vmm/log.h"

#define LINES 8 /* that a peer can put into the log */

static void tell(struct chardev *c, bool over)
{
	const char *last;

	if (c->patience.told == LINES)
		return;
	last = ++c->patience.told == LINES ? " (last such line)" : "";
	if (over)
		log_warn("%s: its reader is too slow: output is dropped until "
			 "it has read what waits%s",
			 c->name, last);
	else
		log_info("%s: the reader is back; %llu bytes were dropped%s",
			 c->name, (unsigned long long)c->patience.lost, last);
}

static void set_over(struct chardev *c, bool over)
{
	if (over == c->patience.over)
		return;
	c->patience.over = over;
	tell(c, over);
	c->patience.lost = 0;
}

static void time_is_up(void *ctx, int fd, uint32_t events)
{
	struct chardev *c = ctx;

	(void)events;
	if (!event_take(fd))
		return;
	pthread_mutex_lock(c->lock);
	if (c->patience.runs) {
		c->patience.runs = false;
		set_over(c, true);
		if (c->changed)
			c->changed(c->ctx);
	}
	pthread_mutex_unlock(c->lock);
}

static void run_for(struct chardev *c, uint64_t ns)
{
	const struct itimerspec when = {
		.it_value = { (time_t)(ns / CLOCK_NS_PER_S),
			      (long)(ns % CLOCK_NS_PER_S) },
	};

	CHECK(timerfd_settime(c->patience.timer_fd, 0, &when, NULL) == 0);
	c->patience.runs = ns;
}

static bool is_slow(const struct chardev *c)
{
	return c->out_stalled && c->out.len > CHARDEV_BUF / 2;
}

bool chardev_tries_patience(const struct chardev *c)
{
	return c->patience.ns && !c->patience.runs && is_slow(c);
}

void chardev_patience_look(struct chardev *c)
{
	bool slow = is_slow(c);

	if (!c->patience.ns)
		return;
	if (slow && !c->patience.runs && !c->patience.over)
		run_for(c, c->patience.ns);
	else if (!slow && c->patience.runs)
		run_for(c, 0);
	if (!slow)
		set_over(c, false);
}

int chardev_be_impatient(struct chardev *c, uint64_t ns)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0)
		return -errno;
	c->patience.timer_fd = fd;
	c->patience.ns = ns;
	return event_add(c->event, fd, EPOLLIN, time_is_up, c);
}
