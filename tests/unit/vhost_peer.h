/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhost_peer: the back end of a vhost-user device, a thread that serves rings
 * in order and answers every request with nothing. It lies where a test tells
 * it to.
 */
#ifndef CARREL_TESTS_UNIT_VHOST_PEER_H
#define CARREL_TESTS_UNIT_VHOST_PEER_H

#include "tests/unit/virtio_rig.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "devices/vhost_msg.h"

#define RINGS (VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX)
#define V1 VIRTIO_F_VERSION_1
#define PEER_RINGS 4
#define PEER_FEATURES (V1 | RINGS | VHOST_F_PROTOCOL | 1ull << 9 | 1ull << 11)
#define PEER_PROTOCOL                                                          \
	(VHOST_P_MQ | VHOST_P_REPLY_ACK | VHOST_P_BACKEND_REQ | VHOST_P_CONFIG)

enum lie {
	LIE_NONE,
	LIE_REQUEST, /* it answers another */
	LIE_FLAGS, /* not as a reply */
	LIE_VERSION,
	LIE_SHORT, /* a byte less, and says so */
	LIE_LONG, /* as much as a length can say */
	LIE_EMPTY,
	LIE_FD, /* with a descriptor that nobody asked for */
	LIE_FDS, /* with many */
	LIE_CLOSE, /* it is gone */
	LIE_HALF, /* the answer stops in the middle */
	LIE_SILENT, /* none comes */
	LIE_NUMBER, /* the payload's first number is another */
	LIE_SECOND, /* its second */
};

struct peer_ring {
	int kick, call;
	uint32_t num;
	uint16_t base;
	struct vhost_addr at;
	bool on;
};

struct peer {
	int listener, conn, back, inflight;
	pthread_t thread;
	_Atomic(bool) quit, hangs_up, rests; /* rests: it serves nothing */
	/* How it is. */
	uint64_t features, protocol;
	unsigned queues;
	uint8_t config[VHOST_CONFIG_BYTES];
	_Atomic(enum lie) lie;
	_Atomic(uint32_t) lies_at; /* the request that it does so at */
	/* What it was told. */
	struct peer_ring ring[PEER_RINGS];
	uint8_t *mem;
	uint64_t told_features;
	_Atomic(unsigned) served, connections, inflights;
	ino_t inflight_ino; /* of what it was given back */
};

/* The peer. */

static inline void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static inline void peer_hang_up(struct peer *p)
{
	close_fd(&p->conn);
	close_fd(&p->back);
	close_fd(&p->inflight);
	if (p->mem)
		munmap(p->mem, RIG_RAM);
	p->mem = NULL;
	for (unsigned i = 0; i < PEER_RINGS; i++) {
		close_fd(&p->ring[i].kick);
		close_fd(&p->ring[i].call);
		p->ring[i].on = false;
	}
}

static inline void send_with(int conn, const void *bytes, size_t len,
			     const int *fds, unsigned n)
{
	char space[CMSG_SPACE(8 * sizeof(int))] = { 0 };
	struct iovec v = { (void *)bytes, len };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	if (n) {
		struct cmsghdr *c;

		m.msg_control = space;
		m.msg_controllen = CMSG_SPACE(n * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	(void)!sendmsg(conn, &m, MSG_NOSIGNAL);
}

static inline void peer_reply(struct peer *p, uint32_t request,
			      const void *payload, uint32_t size, int fd)
{
	enum lie lie = request == p->lies_at ? p->lie : LIE_NONE;
	struct vhost_header h = { request, VHOST_VERSION | VHOST_REPLY, size };
	int fds[8] = { fd, 0, 0, 0, 0, 0, 0, 0 };
	unsigned n = fd >= 0;
	uint8_t b[sizeof(h) + 512] = { 0 };
	size_t len;

	memcpy(b + sizeof(h), payload, size);
	switch (lie) {
	case LIE_REQUEST: h.request++; break;
	case LIE_FLAGS: h.flags = VHOST_VERSION; break;
	case LIE_VERSION: h.flags ^= 3; break;
	case LIE_SHORT: h.size--; break;
	case LIE_LONG: h.size = UINT32_MAX; break;
	case LIE_EMPTY: h.size = 0; break;
	case LIE_FD: fds[n++] = 0; break;
	case LIE_FDS:
		n = 8;
		fds[0] = 0;
		break;
	case LIE_NUMBER: b[sizeof(h)] ^= 0x55; break;
	case LIE_SECOND: b[sizeof(h) + 6] ^= 0x55; break;
	case LIE_CLOSE: peer_hang_up(p); return;
	case LIE_SILENT: return;
	default: break;
	}
	memcpy(b, &h, sizeof(h));
	len = lie == LIE_HALF ? 5 : sizeof(h) + (h.size < 512 ? h.size : 512);
	send_with(p->conn, b, len, fds, n);
}

static inline void peer_number(struct peer *p, uint32_t request, uint64_t v)
{
	peer_reply(p, request, &v, sizeof(v), -1);
}

static inline uint16_t *peer_u16(const struct peer *p, uint64_t at)
{
	assert_true(at < RIG_RAM - 1);
	return (uint16_t *)(void *)(p->mem + at);
}

/* In order, each answered with no byte. */
static inline void peer_serve(struct peer *p, unsigned i)
{
	struct peer_ring *r = &p->ring[i];
	uint16_t *avail, *used, idx;
	bool any = false;

	if (!r->on || !p->mem || p->rests)
		return;
	avail = peer_u16(p, r->at.avail);
	used = peer_u16(p, r->at.used);
	idx = __atomic_load_n(&avail[1], __ATOMIC_ACQUIRE);
	for (; r->base != idx; r->base++) {
		struct vring_used_elem e = { avail[2 + r->base % r->num], 0 };

		memcpy(p->mem + r->at.used + 4 + 8ull * (used[1] % r->num), &e,
		       sizeof(e));
		__atomic_store_n(&used[1], (uint16_t)(used[1] + 1),
				 __ATOMIC_RELEASE);
		p->served++;
		any = true;
	}
	if (any && r->call >= 0)
		(void)!write(r->call, &(uint64_t){ 1 }, 8);
}

static inline void peer_take_kick(const struct peer *p, unsigned i)
{
	struct pollfd f = { .fd = p->ring[i].kick, .events = POLLIN };
	uint64_t n;

	if (!p->rests && poll(&f, 1, 0) > 0)
		(void)!read(f.fd, &n, sizeof(n));
}

static inline void peer_memory(struct peer *p, const struct vhost_memory *t,
			       const int *fds, unsigned n)
{
	assert_int_equal(t->n, 1);
	assert_int_equal(n, 1);
	assert_int_equal(t->r[0].guest, 0);
	assert_int_equal(t->r[0].size, RIG_RAM);
	/* It is not to be cut short by whoever gets it. */
	assert_int_not_equal(ftruncate(fds[0], 4096), 0);
	if (p->mem)
		munmap(p->mem, RIG_RAM);
	p->mem = mmap(NULL, RIG_RAM, PROT_READ | PROT_WRITE, MAP_SHARED, fds[0],
		      0);
	assert_true(p->mem != MAP_FAILED);
	close(fds[0]);
}

static inline void peer_inflight(struct peer *p, struct vhost_msg *m)
{
	int fd = memfd_create("inflight", 0);

	assert_int_equal(ftruncate(fd, 4096), 0);
	m->p.inflight.size = 4096;
	p->inflights++;
	peer_reply(p, m->h.request, &m->p, sizeof(m->p.inflight), fd);
	close(fd);
}

static inline void peer_vring(struct peer *p, struct vhost_msg *m, int fd)
{
	struct peer_ring *r = &p->ring[m->p.state.index & 0xff];

	assert_true((m->p.state.index & 0xff) < PEER_RINGS);
	switch (m->h.request) {
	case VHOST_SET_VRING_NUM: r->num = m->p.state.num; break;
	case VHOST_SET_VRING_BASE: r->base = (uint16_t)m->p.state.num; break;
	case VHOST_SET_VRING_ADDR: r->at = m->p.addr; break;
	case VHOST_SET_VRING_KICK:
		close_fd(&r->kick);
		r->kick = fd;
		break;
	case VHOST_SET_VRING_CALL:
		close_fd(&r->call);
		r->call = fd;
		break;
	case VHOST_SET_VRING_ENABLE: r->on = m->p.state.num; break;
	default: break;
	}
}

/* What has an answer of its own; false: it is acknowledged. */
static inline bool peer_answers(struct peer *p, struct vhost_msg *m)
{
	switch (m->h.request) {
	case VHOST_GET_FEATURES: peer_number(p, 1, p->features); return true;
	case VHOST_GET_PROTOCOL_FEATURES:
		peer_number(p, m->h.request, p->protocol);
		return true;
	case VHOST_GET_QUEUE_NUM:
		peer_number(p, m->h.request, p->queues);
		return true;
	case VHOST_GET_CONFIG:
		memcpy(m->p.config.bytes, p->config, m->p.config.size);
		peer_reply(p, m->h.request, &m->p, m->h.size, -1);
		return true;
	case VHOST_GET_INFLIGHT_FD: peer_inflight(p, m); return true;
	case VHOST_GET_VRING_BASE:
		assert_true(m->p.state.index < PEER_RINGS);
		m->p.state.num = p->ring[m->p.state.index].base;
		p->ring[m->p.state.index].on = false;
		peer_reply(p, m->h.request, &m->p, 8, -1);
		return true;
	default: return false;
	}
}

static inline void peer_take(struct peer *p, struct vhost_msg *m,
			     const int *fds, unsigned n)
{
	struct stat st;

	switch (m->h.request) {
	case VHOST_SET_FEATURES: p->told_features = m->p.u64; break;
	case VHOST_SET_MEM_TABLE: peer_memory(p, &m->p.memory, fds, n); break;
	case VHOST_SET_BACKEND_REQ_FD:
		assert_int_equal(n, 1);
		close_fd(&p->back);
		p->back = fds[0];
		break;
	case VHOST_SET_INFLIGHT_FD:
		assert_int_equal(n, 1);
		assert_int_equal(fstat(fds[0], &st), 0);
		p->inflight_ino = st.st_ino;
		close(fds[0]);
		break;
	case VHOST_SET_OWNER:
	case VHOST_SET_PROTOCOL_FEATURES: break;
	default: peer_vring(p, m, n ? fds[0] : -1); break;
	}
	if (m->h.flags & VHOST_NEED_REPLY)
		peer_number(p, m->h.request, 0);
}

static inline void peer_message(struct peer *p)
{
	char space[CMSG_SPACE(8 * sizeof(int))];
	struct vhost_msg m = { 0 };
	struct iovec v = { &m.h, sizeof(m.h) };
	struct msghdr mh = { .msg_iov = &v,
			     .msg_iovlen = 1,
			     .msg_control = space,
			     .msg_controllen = sizeof(space) };
	struct cmsghdr *c;
	int fds[8];
	unsigned n = 0;

	if (recvmsg(p->conn, &mh, MSG_WAITALL) != sizeof(m.h)) {
		peer_hang_up(p);
		return;
	}
	c = CMSG_FIRSTHDR(&mh);
	if (c) {
		n = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fds, CMSG_DATA(c), n * sizeof(int));
	}
	assert_true(m.h.size <= sizeof(m.p));
	if (m.h.size &&
	    recv(p->conn, &m.p, m.h.size, MSG_WAITALL) != (ssize_t)m.h.size) {
		peer_hang_up(p);
		return;
	}
	if (!peer_answers(p, &m))
		peer_take(p, &m, fds, n);
}

static inline void *peer_main(void *arg)
{
	struct peer *p = arg;

	while (!p->quit) {
		struct pollfd f[2] = {
			{ .fd = p->conn < 0 ? p->listener : -1,
			  .events = POLLIN },
			{ .fd = p->conn, .events = POLLIN },
		};

		if (poll(f, 2, 1) > 0) {
			if (f[0].revents) {
				p->conn = accept(p->listener, NULL, NULL);
				p->connections++;
			}
			if (f[1].revents)
				peer_message(p);
		}
		for (unsigned i = 0; i < PEER_RINGS; i++) {
			peer_take_kick(p, i);
			peer_serve(p, i);
		}
		if (p->hangs_up) {
			peer_hang_up(p);
			p->hangs_up = false;
		}
	}
	peer_hang_up(p);
	return NULL;
}

static inline void peer_open(struct peer *p, const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	*p = (struct peer){
		.conn = -1,
		.back = -1,
		.inflight = -1,
		.features = PEER_FEATURES,
		.protocol = PEER_PROTOCOL,
		.queues = PEER_RINGS,
		.config = { 8 }, /* sectors */
	};
	for (unsigned i = 0; i < PEER_RINGS; i++)
		p->ring[i].kick = p->ring[i].call = -1;
	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	p->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(p->listener, (void *)&a, sizeof(a)), 0);
	assert_int_equal(listen(p->listener, 1), 0);
	assert_int_equal(pthread_create(&p->thread, NULL, peer_main, p), 0);
}

static inline void peer_close(struct peer *p)
{
	p->quit = true;
	pthread_join(p->thread, NULL);
	close(p->listener);
}

#endif
