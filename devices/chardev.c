/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chardev: buffers and the event loop's side; opening the ends is in
 * chardev_open.c.
 */
#include "devices/chardev.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "devices/chardev_open.h"
#include "vmm/clock.h"
#include "vmm/log.h"

#define BATCH 512 /* bytes that do not wait for the end of their line */
#define DELAY_NS 10000000 /* how long others wait: nobody sees it */
#define DRAIN_NS 1000000000u /* how long the end waits for a slow peer */

static void ring_put(struct chardev_ring *r, const uint8_t *src, size_t len)
{
	while (len) {
		size_t end = (r->at + r->len) % CHARDEV_BUF;
		size_t n = min_u64(len, CHARDEV_BUF - end);

		bytes_copy(r->byte + end, CHARDEV_BUF - end, src, n);
		r->len += n;
		src += n;
		len -= n;
	}
}

static void ring_drop(struct chardev_ring *r, size_t len)
{
	r->at = (r->at + len) % CHARDEV_BUF;
	r->len -= len;
}

/* The oldest bytes that lie in one piece. */
static size_t ring_piece(const struct chardev_ring *r)
{
	return min_u64(r->len, CHARDEV_BUF - r->at);
}

static void kick(struct chardev *c)
{
	uint64_t one = 1;

	if (c->event && write(c->kick_fd, &one, sizeof one) < 0)
		return; /* the counter is full: a kick is pending anyway */
}

static bool has_peer(const struct chardev *c)
{
	return c->out_fd >= 0 && !c->out_broken;
}

/* How much of the oldest output a file still has room for, or a peer. */
static size_t piece_allowed(const struct chardev *c)
{
	size_t n = ring_piece(&c->out);

	return c->log.max ? min_u64(n, c->log.max - c->log.len) : n;
}

/* Any thread: writes until the peer takes no more. */
static void flush(struct chardev *c)
{
	c->out_stalled = false;
	while (c->out.len && has_peer(c) && !c->out_stalled) {
		size_t want = piece_allowed(c);
		ssize_t n = 0;

		c->out_full = !want;
		if (c->out_full)
			return;
		n = write(c->out_fd, c->out.byte + c->out.at, want);
		if (n > 0) {
			ring_drop(&c->out, (size_t)n);
			c->log.len += (uint64_t)n;
		} else if (n == 0 || errno == EAGAIN) {
			c->out_stalled = true;
		} else if (errno != EINTR) {
			c->out_broken = true;
		}
	}
}

size_t chardev_room(const struct chardev *c)
{
	return has_peer(c) && !c->patience.over ? CHARDEV_BUF - c->out.len
						: CHARDEV_BUF;
}

/* A whole line, or much of one; and before there is a loop, anything. */
static bool worth_a_call(const struct chardev *c)
{
	size_t last = (c->out.at + c->out.len - 1) % CHARDEV_BUF;

	return !c->event || c->out.len >= BATCH || c->out.byte[last] == '\n';
}

void chardev_flush(struct chardev *c)
{
	if (c->out_stalled || c->out_full || !has_peer(c) || !c->out.len)
		return;
	flush(c);
	if (c->out_stalled || c->out_full || c->out_broken)
		kick(c);
}

size_t chardev_write(struct chardev *c, const void *src, size_t len)
{
	size_t room = CHARDEV_BUF - c->out.len;

	if (c->end == END_NONE)
		return len;
	if (c->patience.over) {
		c->patience.lost += len;
		return len;
	}
	len = min_u64(len, chardev_room(c));
	if (len > room)
		ring_drop(&c->out, len - room);
	ring_put(&c->out, src, len);
	if (chardev_tries_patience(c))
		kick(c);
	if (c->out_stalled || c->out_full || !has_peer(c) || !len)
		return len;
	if (worth_a_call(c)) {
		chardev_flush(c);
	} else if (!c->flush_due) {
		c->flush_due = true;
		kick(c);
	}
	return len;
}

size_t chardev_read(struct chardev *c, void *dst, size_t cap)
{
	uint8_t *to = dst;
	size_t n, got = 0;

	while (got < cap && c->in.len) {
		n = min_u64(cap - got, ring_piece(&c->in));
		bytes_copy(to + got, cap - got, c->in.byte + c->in.at, n);
		ring_drop(&c->in, n);
		got += n;
	}
	if (got && c->in_fd >= 0 && !c->in_watched)
		kick(c);
	return got;
}

size_t chardev_waiting(const struct chardev *c)
{
	return c->in.len;
}

bool chardev_take_break(struct chardev *c)
{
	bool due = c->break_due;

	c->break_due = false;
	return due;
}

static void in_ready(void *ctx, int fd, uint32_t events);
static void out_ready(void *ctx, int fd, uint32_t events);

static void unwatch(struct chardev *c, int fd, bool *watched)
{
	if (*watched)
		event_remove(c->event, fd);
	*watched = false;
}

static void in_close(struct chardev *c)
{
	if (c->in_fd < 0)
		return;
	unwatch(c, c->in_fd, &c->in_watched);
	close(c->in_fd);
	c->in_fd = -1;
}

static void out_close(struct chardev *c)
{
	if (c->out_fd < 0)
		return;
	unwatch(c, c->out_fd, &c->out_watched);
	close(c->out_fd);
	c->out_fd = -1;
	c->out_broken = false;
	c->out_stalled = false;
	c->out_full = false;
}

/* A socket's client is gone with either direction; stdio has two lives. */
static void peer_lost(struct chardev *c, bool out)
{
	if (c->end == END_SOCKET) {
		in_close(c);
		out_close(c);
	} else if (out) {
		log_warn("%s: output is lost from here on: the other end is "
			 "closed or full",
			 c->name);
		out_close(c);
		c->out.len = 0;
	} else {
		in_close(c);
	}
}

/* Main thread: the loop watches what there is to wait for, and no more. */
static void sync_watches(struct chardev *c)
{
	bool in, out;

	if (c->out_broken)
		peer_lost(c, true);
	chardev_patience_look(c);
	in = c->in_fd >= 0 && c->in.len < CHARDEV_BUF;
	out = c->out_fd >= 0 && c->out_stalled;
	if (!in)
		unwatch(c, c->in_fd, &c->in_watched);
	if (!out)
		unwatch(c, c->out_fd, &c->out_watched);
	if (in && !c->in_watched) {
		/* A regular file or /dev/null cannot be waited for. */
		if (event_add(c->event, c->in_fd, EPOLLIN, in_ready, c))
			in_close(c);
		else
			c->in_watched = true;
	}
	if (out && !c->out_watched) {
		if (event_add(c->event, c->out_fd, EPOLLOUT, out_ready, c))
			peer_lost(c, true);
		else
			c->out_watched = true;
	}
}

/* Main thread: flush, and where a file is full, into its successor. */
static void flush_all(struct chardev *c)
{
	flush(c);
	while (c->out_full) {
		chardev_file_rotate(c);
		flush(c);
	}
}

static void changed(struct chardev *c)
{
	if (c->changed)
		c->changed(c->ctx);
	sync_watches(c);
}

static void in_ready(void *ctx, int fd, uint32_t events)
{
	struct chardev *c = ctx;
	uint8_t buf[4096];
	ssize_t n;
	size_t len;

	(void)events;
	pthread_mutex_lock(c->lock);
	n = read(fd, buf, min_u64(sizeof buf, CHARDEV_BUF - c->in.len));
	if (n > 0) {
		len = (size_t)n;
		if (c->terminal.raw)
			chardev_take_keys(c, buf, &len);
		ring_put(&c->in, buf, len);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		peer_lost(c, false);
	}
	changed(c);
	pthread_mutex_unlock(c->lock);
}

static void out_ready(void *ctx, int fd, uint32_t events)
{
	struct chardev *c = ctx;

	(void)fd;
	(void)events;
	pthread_mutex_lock(c->lock);
	flush(c);
	changed(c);
	pthread_mutex_unlock(c->lock);
}

static void timer_start(struct chardev *c)
{
	struct itimerspec when = { .it_value = { 0, DELAY_NS } };

	c->timer_runs = timerfd_settime(c->timer_fd, 0, &when, NULL) == 0;
	CHECK(c->timer_runs);
}

static void timer_fired(void *ctx, int fd, uint32_t events)
{
	struct chardev *c = ctx;

	(void)events;
	if (!event_take(fd))
		return;
	pthread_mutex_lock(c->lock);
	c->timer_runs = false;
	c->flush_due = false;
	flush_all(c);
	changed(c); /* a device may have waited for the room */
	pthread_mutex_unlock(c->lock);
}

static void kicked(void *ctx, int fd, uint32_t events)
{
	struct chardev *c = ctx;

	(void)events;
	if (!event_take(fd))
		return;
	pthread_mutex_lock(c->lock);
	if (c->out_full) {
		flush_all(c);
		changed(c); /* there is room again */
	}
	sync_watches(c);
	if (c->flush_due && !c->timer_runs)
		timer_start(c);
	pthread_mutex_unlock(c->lock);
}

/* One client at a time: another finds its connection closed. */
static void client_open(void *ctx, int client)
{
	struct chardev *c = ctx;
	int second;

	pthread_mutex_lock(c->lock);
	if (c->in_fd >= 0) {
		acceptor_refuse(&c->acceptor, client, "one is connected");
		goto out;
	}
	second = dup(client);
	if (second < 0) {
		acceptor_refuse(&c->acceptor, client, strerror(errno));
		goto out;
	}
	out_close(c);
	c->out_fd = second;
	c->in_fd = client;
	flush(c);
	changed(c);
out:
	pthread_mutex_unlock(c->lock);
}

int chardev_attach(struct chardev *c, struct event *event,
		   pthread_mutex_t *lock, void (*fn)(void *ctx), void *ctx)
{
	int rc = 0;

	c->lock = lock;
	c->changed = fn;
	c->ctx = ctx;
	if (c->end == END_NONE)
		return 0;
	c->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	c->timer_fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (c->kick_fd < 0 || c->timer_fd < 0)
		return -errno;
	c->event = event;
	rc = event_add(event, c->kick_fd, EPOLLIN, kicked, c);
	if (!rc)
		rc = event_add(event, c->timer_fd, EPOLLIN, timer_fired, c);
	if (!rc && c->listen_fd >= 0)
		rc = acceptor_open(&c->acceptor, event, c->name, c->listen_fd,
				   client_open, c);
	if (!rc)
		rc = chardev_watch_terminal(c);
	flush_all(c); /* as much as came before */
	if (!rc)
		sync_watches(c);
	return rc;
}

/* Only while it is attached has c a loop that fd could be in. */
static void drop(struct chardev *c, int *fd)
{
	if (*fd < 0)
		return;
	if (c->event)
		event_remove(c->event, *fd);
	close(*fd);
	*fd = -1;
}

/* A guest's last words matter most: a slow peer has a moment for them. */
static void drain(struct chardev *c)
{
	uint64_t now = clock_ns(), end = now + DRAIN_NS;

	flush_all(c);
	for (; c->out.len && has_peer(c) && now < end; now = clock_ns()) {
		struct pollfd p = { c->out_fd, POLLOUT, 0 };

		(void)!poll(&p, 1, (int)((end - now) / CLOCK_NS_PER_MS) + 1);
		flush_all(c);
	}
	if (c->out.len && c->out_fd >= 0)
		log_warn("%s: the last %zu bytes of output are lost: the other "
			 "end is %s",
			 c->name, c->out.len,
			 c->out_broken ? "closed or full" : "too slow");
}

void chardev_detach(struct chardev *c)
{
	drain(c);
	in_close(c);
	out_close(c);
	acceptor_close(&c->acceptor);
	drop(c, &c->listen_fd);
	drop(c, &c->kick_fd);
	drop(c, &c->timer_fd);
	drop(c, &c->cont_fd);
	drop(c, &c->patience.timer_fd);
	c->event = NULL;
}
