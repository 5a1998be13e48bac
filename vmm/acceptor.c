/* SPDX-License-Identifier: Apache-2.0 */
/*
 * acceptor: see the header. A listening socket whose clients cannot be
 * accepted stays readable, so a loop that went on watching it would spin.
 */
#include "vmm/acceptor.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "vmm/clock.h"
#include "vmm/log.h"

#define RETRY_NS 200000000
#define QUIET_NS 60000000000u /* between two lines about clients */

/* Listens no more until the timer fires. */
static void starve(struct acceptor *a, int err)
{
	struct itimerspec when = { .it_value = { 0, RETRY_NS } };

	if (!a->starved)
		log_warn("%s: no client can be let in: %s; trying again until "
			 "it works",
			 a->name, strerror(err));
	a->starved = true;
	if (timerfd_settime(a->timer_fd, 0, &when, NULL) == 0)
		(void)!event_change(a->event, a->listen_fd, 0);
}

static void ready(void *ctx, int listen_fd, uint32_t events)
{
	struct acceptor *a = ctx;
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd >= 0) {
		a->starved = false;
		a->client(a->ctx, fd);
	} else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
		starve(a, errno);
	}
}

static void again(void *ctx, int timer_fd, uint32_t events)
{
	struct acceptor *a = ctx;

	(void)events;
	if (event_take(timer_fd))
		(void)!event_change(a->event, a->listen_fd, EPOLLIN);
}

int acceptor_open(struct acceptor *a, struct event *e, const char *name,
		  int listen_fd, void (*client)(void *ctx, int fd), void *ctx)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	int rc = fd < 0 ? -errno : 0;

	*a = (struct acceptor){
		.name = name,
		.listen_fd = listen_fd,
		.timer_fd = fd,
		.client = client,
		.ctx = ctx,
	};
	if (rc)
		return rc;
	rc = event_add(e, fd, EPOLLIN, again, a);
	if (rc)
		goto fail_timer;
	rc = event_add(e, listen_fd, EPOLLIN, ready, a);
	if (rc)
		goto fail_event;
	a->event = e;
	return 0;
fail_event:
	event_remove(e, fd);
fail_timer:
	close(fd);
	return rc;
}

void acceptor_close(struct acceptor *a)
{
	if (!a->event)
		return;
	event_remove(a->event, a->listen_fd);
	event_remove(a->event, a->timer_fd);
	close(a->timer_fd);
	a->event = NULL;
}

void acceptor_refuse(struct acceptor *a, int fd, const char *why)
{
	uint64_t now = clock_ns();

	close(fd);
	if (a->said_ns && now - a->said_ns < QUIET_NS) {
		a->unsaid++;
		return;
	}
	if (a->unsaid)
		log_warn("%s: a client is turned away: %s; %u more since the "
			 "last such line",
			 a->name, why, a->unsaid);
	else
		log_warn("%s: a client is turned away: %s", a->name, why);
	a->unsaid = 0;
	a->said_ns = now;
}
