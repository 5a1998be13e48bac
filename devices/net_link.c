/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_link: see the header. A peer that comes and goes at once (a passt that
 * has another client already closes ours) is asked for less and less often, and
 * soon in silence.
 */
#include "devices/net_link.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "devices/dial.h"
#include "devices/net.h"
#include "devices/passt.h"
#include "vmm/clock.h"
#include "vmm/log.h"

#define WAIT_FIRST_MS 200u
#define WAIT_MOST_MS 3200u
#define LASTING_NS (10 * CLOCK_NS_PER_S) /* a peer that is there to stay */
#define TOLD_MOST 6

void net_link_lose(struct net *n, int why)
{
	int not_yet = 0;

	if (!atomic_compare_exchange_strong(&n->link.lost, &not_yet, why))
		return;
	atomic_store(&n->link.up, false);
	(void)!write(n->link.lost_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
	/* What waits to be sent is dropped now. */
	for (unsigned i = 0; i < n->n_pairs; i++)
		worker_kick(vdev_worker(&n->vdev, 2 * i + 1));
}

/* What the guest sees of the link, and whether frames pass. */
static void update(struct net *n)
{
	uint8_t *status = n->vdev.config + offsetof(struct net_space, status);
	bool up = n->link.wanted && !atomic_load(&n->link.lost);
	bool was;

	bus_lock(n->board->bus);
	was = get_le16(status) & NET_LINK_UP;
	put_le16(status, (uint16_t)(up ? NET_LINK_UP : 0));
	atomic_store(&n->link.up, up);
	if (up != was)
		vdev_config_changed(&n->vdev);
	bus_unlock(n->board->bus);
	/* What a limit keeps back is dropped now, and the kernel rests. */
	if (up != was)
		vdev_kick(&n->vdev);
}

void net_set_link(struct net *n, bool up)
{
	n->link.wanted = up;
	update(n);
}

static const char *loss_of(int rc)
{
	switch (rc) {
	case -EPROTO: return "said what is no frame";
	case -EBADFD: return "was deleted";
	default: return "is gone";
	}
}

/* A line of which there may be many; what: static text. */
static void tell(struct net *n, const char *event, const char *what)
{
	if (n->link.told == TOLD_MOST)
		return;
	n->link.told++;
	log_warn("%s: %s %s: %s%s", n->vdev.label, n->peer, event, what,
		 n->link.told == TOLD_MOST ? " (last such line until it stays)"
					   : "");
}

static void ask_later(struct net_link *l)
{
	const struct itimerspec when = {
		.it_value = { .tv_sec = l->wait_ms / 1000,
			      .tv_nsec = l->wait_ms % 1000 * 1000000l }
	};

	l->wait_ms = (unsigned)min_u64(2 * l->wait_ms, WAIT_MOST_MS);
	(void)timerfd_settime(l->again_fd, 0, &when, NULL);
}

static void on_lost(void *ctx, int fd, uint32_t events)
{
	struct net *n = ctx;
	struct net_link *l = &n->link;

	(void)events;
	if (!event_take(fd))
		return;
	if (clock_ns() - l->since_ns >= LASTING_NS) {
		l->wait_ms = WAIT_FIRST_MS;
		l->told = 0;
	}
	tell(n, loss_of(atomic_load(&l->lost)),
	     l->dial_fd < 0 ? "the link is down until carrel is started again"
			    : "the link is down until it is back");
	update(n);
	if (l->dial_fd < 0)
		return;
	passt_cut(n->pair[0]->end);
	ask_later(l);
}

static void on_time(void *ctx, int fd, uint32_t events)
{
	const struct net *n = ctx;

	(void)events;
	/* If that fails the process is gone, of which dial_fd tells. */
	if (event_take(fd) && n->link.dial_fd >= 0)
		(void)!dial_ask(n->link.dial_fd, 0, 0);
}

/* No worker uses the end, or keeps a frame of the old stream. */
static void come_back(struct net *n, int sock)
{
	vdev_pause(&n->vdev);
	passt_again(n->pair[0]->end, sock);
	n->pair[0]->rx.frame.len = 0;
	n->link.since_ns = clock_ns();
	atomic_store(&n->link.lost, 0);
	update(n);
	vdev_resume(&n->vdev);
	tell(n, "is back",
	     n->link.wanted ? "the link is up"
			    : "the link is down, as set_link "
			      "has it");
}

static void dialer_lost(struct net *n)
{
	log_error("%s: the process that connects to %s has ended: when that is "
		  "gone, it stays so",
		  n->vdev.label, n->peer);
	event_remove(n->board->ev, n->link.dial_fd);
	close(n->link.dial_fd);
	n->link.dial_fd = -1;
}

static void on_dialer(void *ctx, int fd, uint32_t events)
{
	struct net *n = ctx;
	uint64_t tag;
	int sock, err, rc = dial_answer(fd, &tag, &sock, &err);

	(void)events;
	if (rc < 0)
		dialer_lost(n);
	else if (rc && err)
		ask_later(&n->link);
	else if (rc)
		come_back(n, sock);
}

int net_link_open(struct net *n, int dial_fd)
{
	n->link = (struct net_link){
		.wanted = true,
		.up = true,
		.lost_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
		.dial_fd = dial_fd,
		.again_fd = timerfd_create(CLOCK_MONOTONIC,
					   TFD_CLOEXEC | TFD_NONBLOCK),
		.wait_ms = WAIT_FIRST_MS,
		.since_ns = clock_ns(),
	};
	return n->link.lost_fd < 0 || n->link.again_fd < 0 ? -EMFILE : 0;
}

int net_link_attach(struct net *n)
{
	struct event *ev = n->board->ev;
	int rc = event_add(ev, n->link.lost_fd, EPOLLIN, on_lost, n);

	if (!rc)
		rc = event_add(ev, n->link.again_fd, EPOLLIN, on_time, n);
	if (!rc && n->link.dial_fd >= 0)
		rc = event_add(ev, n->link.dial_fd, EPOLLIN, on_dialer, n);
	return rc;
}

void net_link_close(struct net *n)
{
	const int fd[] = { n->link.lost_fd, n->link.again_fd, n->link.dial_fd };

	for (size_t i = 0; i < ARRAY_LEN(fd); i++) {
		if (fd[i] < 0)
			continue;
		event_remove(n->board->ev, fd[i]);
		close(fd[i]);
	}
}
