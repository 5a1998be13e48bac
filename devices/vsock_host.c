/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vsock_host: see the header. Sockets of connections are watched edge-triggered
 * and once for all: what epoll says is kept as readable and writable until a
 * call says EAGAIN, so a transfer costs no system call beside its own.
 */
#include "devices/vsock_host.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/dial.h"
#include "devices/vsock_guest.h"
#include "devices/vsock_line.h"
#include "vmm/clock.h"
#include "vmm/log.h"

#define BACKLOG 128
#define BATCH 64 /* events, clients, answers at a time */
#define RETRY_NS 200000000u /* until accept is tried again */

/* Epoll's user data of what is no connection: no slot has such a number. */
#define TAG_KICK (UINT32_MAX - 0ull)
#define TAG_LISTEN (UINT32_MAX - 1ull)
#define TAG_DIALER (UINT32_MAX - 2ull)

/* Neither a guest nor a client may fill the log. */
#define FAILURES_LOGGED 8

static const char *last(const struct vsock *v)
{
	return v->failures == FAILURES_LOGGED ? " (last such line)" : "";
}

static bool may_log(struct vsock *v)
{
	return v->failures <= FAILURES_LOGGED &&
	       ++v->failures <= FAILURES_LOGGED;
}

static int watch(struct vsock *v, int op, int fd, uint32_t events, uint64_t tag)
{
	struct epoll_event ev = { .events = events, .data.u64 = tag };

	return epoll_ctl(v->epoll_fd, op, fd, &ev) ? -errno : 0;
}

/*
 * A listening socket is level-triggered: while its clients cannot be taken, it
 * is not watched, or it would keep us spinning.
 */
static void listen_if_able(struct vsock *v)
{
	bool able = v->lines < VSOCK_LINES && !v->starved_ns;

	if (able == v->listening)
		return;
	if (!watch(v, EPOLL_CTL_MOD, v->listen_fd, able ? EPOLLIN : 0,
		   TAG_LISTEN))
		v->listening = able;
}

/* A connection's socket, which is non-blocking, from now on. */
static int watch_conn(struct vsock *v, const struct conn *c)
{
	return watch(v, EPOLL_CTL_ADD, c->fd,
		     EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		     table_tag(&v->conns, c));
}

void host_free(struct vsock *v, struct conn *c)
{
	v->lines -= c->state == CONN_LINE;
	table_free(&v->conns, c);
	listen_if_able(v);
}

void host_reset(struct vsock *v, struct conn *c)
{
	conn_hang_up(c);
	table_arrived(&v->conns, c);
	c->state = CONN_RESET;
	counter_add(&v->counts[VSOCK_RESETS], 1);
	table_pend(&v->conns, c);
}

void host_drain(struct vsock *v, struct conn *c)
{
	table_unname(&v->conns, c);
	table_arrived(&v->conns, c);
	c->state = CONN_DRAIN;
}

void host_dial(struct vsock *v, const struct vsock_header *h)
{
	struct conn *c = table_new(&v->conns, CONN_DIALED, -1);
	int rc;

	if (!c) {
		if (may_log(v))
			log_warn("vsock: the guest's connection to port %u is "
				 "refused: there are %u already%s",
				 h->dst_port, VSOCK_CONNS, last(v));
		guest_refuse(v, h);
		return;
	}
	table_name(&v->conns, c, h->dst_port, h->src_port);
	conn_hear(c, h);
	rc = v->dial_fd < 0 ? -EPIPE
			    : dial_ask(v->dial_fd, table_tag(&v->conns, c),
				       h->dst_port);
	if (rc)
		host_reset(v, c);
}

static void dial_failed(struct vsock *v, struct conn *c, int err)
{
	if (may_log(v))
		log_warn("vsock: the guest's connection to port %u is refused: "
			 "%s_%u: %s%s",
			 c->host_port, v->path, c->host_port, strerror(-err),
			 last(v));
	host_reset(v, c);
}

static void answered(struct vsock *v, struct conn *c, int sock, int err)
{
	if (!err) {
		c->fd = sock;
		err = watch_conn(v, c);
	}
	if (err) {
		dial_failed(v, c, err);
		return;
	}
	c->state = CONN_OPEN;
	counter_add(&v->counts[VSOCK_OPENED], 1);
	c->answer = true;
	table_pend(&v->conns, c);
}

/* Without it the guest's connections are refused, and all else goes on. */
static void dialer_lost(struct vsock *v)
{
	log_error("vsock: the process that connects for the guest has ended: "
		  "its connections to the host are refused from here on");
	close(v->dial_fd);
	v->dial_fd = -1;
	for (size_t i = 0; i < VSOCK_CONNS; i++)
		if (v->conns.slot[i].state == CONN_DIALED)
			host_reset(v, &v->conns.slot[i]);
}

static void on_dialer(struct vsock *v)
{
	for (int i = 0; i < BATCH; i++) {
		struct conn *c;
		uint64_t tag;
		int sock, err, rc = dial_answer(v->dial_fd, &tag, &sock, &err);

		if (rc < 0)
			dialer_lost(v);
		if (rc != 1)
			return;
		c = table_tagged(&v->conns, tag);
		if (c && c->state == CONN_DIALED)
			answered(v, c, sock, err);
		else if (sock >= 0) /* the guest has thought better of it */
			close(sock);
	}
}

static void refuse_client(struct vsock *v, int fd, const char *why)
{
	if (may_log(v))
		log_warn("vsock: a client is turned away: %s%s", why, last(v));
	close(fd);
}

static void on_client(struct vsock *v, int fd)
{
	struct conn *c = table_new(&v->conns, CONN_LINE, fd);

	if (!c) {
		refuse_client(v, fd, "there are too many connections");
		return;
	}
	v->lines++;
	if (watch_conn(v, c))
		host_free(v, c);
	else
		table_expect(&v->conns, c, clock_ns());
}

static void on_listen(struct vsock *v)
{
	for (int i = 0; i < BATCH && v->lines < VSOCK_LINES; i++) {
		int fd = accept4(v->listen_fd, NULL, NULL,
				 SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			on_client(v, fd);
			continue;
		}
		if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
			break;
		if (may_log(v))
			log_warn("vsock: no client can be let in: %s%s",
				 strerror(errno), last(v));
		v->starved_ns = clock_ns();
		break;
	}
	listen_if_able(v);
}

/*
 * The line is looked at where it is, so that what follows it stays in the
 * socket, for the guest.
 */
static void on_line(struct vsock *v, struct conn *c, bool ended)
{
	char text[VSOCK_LINE_BYTES];
	ssize_t n = recv(c->fd, text, sizeof(text), MSG_PEEK);
	uint32_t port;
	size_t len;
	int rc;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	rc = n <= 0 ? -EPIPE : vsock_line_parse(text, (size_t)n, &port, &len);
	if (rc == -EAGAIN && !ended)
		return;
	if (rc == -EINVAL && may_log(v))
		log_warn("vsock: a client is turned away: its first line is "
			 "not CONNECT and a port%s",
			 last(v));
	if (rc || read(c->fd, text, len) != (ssize_t)len) {
		host_free(v, c);
		return;
	}
	v->lines--;
	listen_if_able(v);
	c->state = CONN_ASKED;
	c->ask = true;
	table_name(&v->conns, c, table_host_port(&v->conns, port), port);
	table_expect(&v->conns, c, clock_ns());
	table_pend(&v->conns, c);
}

static void on_conn(struct vsock *v, struct conn *c, uint32_t events)
{
	const uint32_t ends = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

	if (events & (EPOLLIN | ends))
		c->readable = true;
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		c->writable = true;
	if (events & (EPOLLHUP | EPOLLERR))
		conn_lose_reader(c);
	switch (c->state) {
	case CONN_LINE: on_line(v, c, events & ends); return;
	case CONN_OPEN:
	case CONN_DRAIN:
		conn_flush(c);
		conn_pass_shut(c);
		break;
	default: break;
	}
	if (c->state == CONN_DRAIN && !c->len)
		host_free(v, c);
	else
		table_pend(&v->conns, c);
}

void host_poll(struct vsock *v, int timeout_ms)
{
	struct epoll_event ev[BATCH];
	int n = epoll_wait(v->epoll_fd, ev, BATCH, timeout_ms);

	for (int i = 0; i < n; i++) {
		struct conn *c;

		switch (ev[i].data.u64) {
		case TAG_KICK:
			worker_take_kick(vdev_worker(&v->vdev, 0));
			break;
		case TAG_LISTEN: on_listen(v); break;
		case TAG_DIALER: on_dialer(v); break;
		default:
			c = table_tagged(&v->conns, ev[i].data.u64);
			if (c)
				on_conn(v, c, ev[i].events);
			break;
		}
	}
}

int host_patience(const struct vsock *v)
{
	int ms = table_patience(&v->conns, clock_ns());
	const int retry = RETRY_NS / CLOCK_NS_PER_MS;

	return v->starved_ns && (ms < 0 || ms > retry) ? retry : ms;
}

void host_expire(struct vsock *v)
{
	uint64_t now = clock_ns();
	struct conn *c;

	if (v->starved_ns && now - v->starved_ns >= RETRY_NS) {
		v->starved_ns = 0;
		listen_if_able(v);
	}
	while ((c = table_overdue(&v->conns, now)) != NULL) {
		if (c->state == CONN_LINE)
			host_free(v, c);
		else
			host_reset(v, c);
	}
}

void host_cut(struct vsock *v)
{
	for (size_t i = 0; i < VSOCK_CONNS; i++) {
		struct conn *c = &v->conns.slot[i];

		if (c->state == CONN_OPEN ||
		    (c->state == CONN_ASKED && !c->ask))
			v->event_due = true; /* it was told of that one */
		if (c->state != CONN_FREE && c->state != CONN_LINE &&
		    c->state != CONN_DRAIN)
			host_free(v, c);
	}
	v->orphans = 0;
}

int host_open(struct vsock *v)
{
	int rc = table_open(&v->conns);

	if (rc)
		return rc;
	v->listen_fd = socket_listen(&v->file, "vsock", v->path, BACKLOG);
	if (v->listen_fd < 0)
		return v->listen_fd;
	v->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (v->epoll_fd < 0)
		return -errno;
	rc = watch(v, EPOLL_CTL_ADD, v->listen_fd, EPOLLIN, TAG_LISTEN);
	v->listening = !rc;
	if (!rc)
		rc = watch(v, EPOLL_CTL_ADD, v->dial_fd, EPOLLIN, TAG_DIALER);
	if (!rc)
		rc = watch(v, EPOLL_CTL_ADD, vdev_worker(&v->vdev, 0)->kick_fd,
			   EPOLLIN, TAG_KICK);
	return rc;
}

void host_close(struct vsock *v)
{
	table_close(&v->conns);
	if (v->listen_fd >= 0) {
		socket_remove(&v->file);
		close(v->listen_fd);
	}
	if (v->epoll_fd >= 0)
		close(v->epoll_fd);
	if (v->dial_fd >= 0)
		close(v->dial_fd);
}
