/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chardev_terminal: what is special about an end that is a terminal: keys that
 * are meant for us, and a shell that stops us and lets us go on.
 */
#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "devices/chardev_open.h"

/* An end is asked for, not made: it would wait for whoever waits for us. */
void chardev_take_keys(struct chardev *c, uint8_t *keys, size_t *len)
{
	unsigned asked = escape_filter(&c->escape, keys, len);

	if (asked & ESCAPE_HELP)
		(void)chardev_write(c, escape_help, strlen(escape_help));
	if (asked & ESCAPE_BREAK)
		c->break_due = true;
	if (asked & ESCAPE_LEAVE && c->power)
		power_ask(c->power, POWER_LEAVE, "Ctrl-A x");
}

static void continued(void *ctx, int fd, uint32_t events)
{
	const struct chardev *c = ctx;
	struct signalfd_siginfo si;

	(void)events;
	if (read(fd, &si, sizeof(si)) == sizeof(si))
		terminal_again(&c->terminal);
}

int chardev_watch_terminal(struct chardev *c)
{
	sigset_t set;

	if (!c->terminal.raw)
		return 0;
	sigemptyset(&set);
	sigaddset(&set, SIGCONT);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	c->cont_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (c->cont_fd < 0)
		return -errno;
	return event_add(c->event, c->cont_fd, EPOLLIN, continued, c);
}
