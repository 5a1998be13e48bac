/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vsock_rig: a vsock device with its dialer on the board of virtio_rig, a
 * driver that sends and gets single packets, and clients and servers on the
 * host's side.
 */
#ifndef CARREL_TESTS_UNIT_VSOCK_RIG_H
#define CARREL_TESTS_UNIT_VSOCK_RIG_H

#include "tests/unit/virtio_rig.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "devices/vsock.h"
#include "devices/dial.h"

#define FEATURES (VIRTIO_F_VERSION_1)
#define CID 7
#define GUEST_PORT 52u
#define RX_BYTES 4096u
#define TX_AT RIG_DATA
#define RX_AT (RIG_DATA + 0x100000)
#define EVENT_AT (RIG_DATA + 0x200000)
#define GUEST_ROOM (64 * KIB)

struct world {
	struct rig rig;
	struct vsock vsock;
	char dir[32], path[64];
};

struct packet {
	struct vsock_header h;
	uint8_t data[RX_BYTES];
};

static inline int free_to_go(void *ctx)
{
	(void)ctx;
	return 0;
}

static inline int setup(void **state)
{
	static struct world w;
	const struct worker_hooks hooks = { rig_enter, NULL, JAIL_VSOCK };
	struct vsock_config cfg = { .cid = CID, .path = w.path };

	w = (struct world){ .dir = "/tmp/vsock_test.XXXXXX" };
	assert_non_null(mkdtemp(w.dir));
	(void)snprintf(w.path, sizeof(w.path), "%s/v", w.dir);
	assert_int_equal(dial_fork(&cfg.dial_fd, w.path, DIAL_NUMBERED,
				   free_to_go, NULL),
			 0);
	rig_open(&w.rig);
	assert_int_equal(vsock_attach(&w.vsock, &cfg, &w.rig.pci, RIG_DEVFN,
				      &w.rig.mem, &w.rig.irq, &hooks),
			 0);
	rig_place(&w.rig);
	rig_msix(&w.rig, &w.vsock.pci.msix);
	rig_start(&w.rig, FEATURES, VSOCK_QUEUES);
	*state = &w;
	return 0;
}

static inline int teardown(void **state)
{
	struct world *w = *state;

	vsock_close(&w->vsock);
	rig_close(&w->rig);
	assert_int_equal(rmdir(w->dir), 0); /* nothing is left in it */
	return 0;
}

/* Bytes that depend on their place: what is lost or doubled shows. */
static inline uint8_t byte_at(uint64_t n)
{
	return (uint8_t)(n * 7 + (n >> 8) * 3 + (n >> 16));
}

/* The host. */

static inline int connect_to(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* A server at PATH_port; its file goes at once, its first client is waited for
   in accept. */
static inline int serve_at(const struct world *w, unsigned port)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s_%u", w->path, port);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static inline void unserve(const struct world *w, unsigned port)
{
	char path[96];

	(void)snprintf(path, sizeof(path), "%s_%u", w->path, port);
	assert_int_equal(unlink(path), 0);
}

static inline void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL),
			 strlen(text));
}

/* Something to read, or the end, within 5 s? */
static inline bool readable(int fd, int ms)
{
	struct pollfd p = { fd, POLLIN, 0 };

	return poll(&p, 1, ms) == 1;
}

/* Exactly this comes next. */
static inline void hears(int fd, const void *want, size_t len)
{
	uint8_t got[65536];

	while (len) {
		ssize_t n;

		assert_true(readable(fd, 5000));
		n = recv(fd, got, min_u64(len, sizeof(got)), 0);
		assert_true(n > 0);
		assert_memory_equal(got, want, (size_t)n);
		want = (const uint8_t *)want + n;
		len -= (size_t)n;
	}
}

/* The other side has ended, by FIN or by reset. */
static inline void hears_end(int fd)
{
	uint8_t b;

	assert_true(readable(fd, 5000));
	assert_true(recv(fd, &b, 1, 0) <= 0);
}

/* The guest. */

static inline struct vsock_header header(unsigned op, uint32_t host_port,
					 uint32_t guest_port, uint32_t len)
{
	return (struct vsock_header){
		.src_cid = CID,
		.dst_cid = VSOCK_HOST_CID,
		.src_port = guest_port,
		.dst_port = host_port,
		.len = len,
		.type = VSOCK_TYPE_STREAM,
		.op = (uint16_t)op,
		.buf_alloc = GUEST_ROOM,
	};
}

/* False: the device broke. */
static inline bool sends_raw(struct world *w, const void *bytes, uint32_t len)
{
	struct rig *r = &w->rig;
	uint32_t got;

	assert_int_equal(gmem_write(&r->mem, at(TX_AT), bytes, len), 0);
	rig_desc(r, RIG_DESC(VSOCK_TX), 0, TX_AT, len, 0, 0);
	rig_offer(r, VSOCK_TX, 0);
	rig_kick(r, VSOCK_TX);
	return rig_wait(r, VSOCK_TX, &got);
}

static inline void sends(struct world *w, const struct vsock_header *h,
			 const void *data)
{
	uint8_t bytes[sizeof(*h) + VSOCK_BUF + 1];

	bytes_copy(bytes, sizeof(bytes), h, sizeof(*h));
	bytes_copy(bytes + sizeof(*h), sizeof(bytes) - sizeof(*h), data,
		   h->len);
	assert_true(sends_raw(w, bytes, (uint32_t)sizeof(*h) + h->len));
}

static inline void sends_op(struct world *w, unsigned op, uint32_t host_port)
{
	struct vsock_header h = header(op, host_port, GUEST_PORT, 0);

	sends(w, &h, NULL);
}

static inline void offers_rx(struct world *w)
{
	struct rig *r = &w->rig;
	uint16_t i = r->offered[VSOCK_RX] % RIG_QUEUE;

	rig_desc(r, RIG_DESC(VSOCK_RX), i, RX_AT + i * RX_BYTES, RX_BYTES,
		 VRING_DESC_WRITE, 0);
	rig_offer(r, VSOCK_RX, i);
	rig_kick(r, VSOCK_RX);
}

/* The next packet, into a buffer that is offered for it. */
static inline void gets(struct world *w, struct packet *p)
{
	struct rig *r = &w->rig;
	uint64_t place = RX_AT + r->used[VSOCK_RX] % RIG_QUEUE * RX_BYTES;
	uint32_t len = 0;

	if (r->offered[VSOCK_RX] == r->used[VSOCK_RX])
		offers_rx(w);
	assert_true(rig_wait(r, VSOCK_RX, &len));
	assert_true(len >= sizeof(p->h) && len <= RX_BYTES);
	assert_int_equal(gmem_read(&r->mem, at(place), &p->h, sizeof(p->h)), 0);
	assert_int_equal(len, sizeof(p->h) + p->h.len);
	assert_int_equal(
		gmem_read(&r->mem, at(place + sizeof(p->h)), p->data, p->h.len),
		0);
	assert_int_equal(p->h.dst_cid, CID);
}

static inline void gets_op(struct world *w, unsigned op, struct packet *p)
{
	gets(w, p);
	assert_int_equal(p->h.op, op);
	assert_int_equal(p->h.src_cid, VSOCK_HOST_CID);
	assert_int_equal(p->h.type, VSOCK_TYPE_STREAM);
}

/* Nothing for the guest, for as long as a packet would never take. */
static inline void gets_nothing(struct world *w)
{
	struct rig *r = &w->rig;
	uint16_t idx;

	if (r->offered[VSOCK_RX] == r->used[VSOCK_RX])
		offers_rx(w);
	for (int i = 0; i < 250; i++) {
		assert_int_equal(
			gmem_load16(&r->mem, at(RIG_USED(VSOCK_RX) + 2), &idx),
			0);
		assert_int_equal(idx, r->used[VSOCK_RX]);
		rig_nap();
	}
}

/* A client's connection to GUEST_PORT, up to OK; the host's port. */
static inline uint32_t open_from_host(struct world *w, int *fd)
{
	struct packet p;
	char ok[32];

	*fd = connect_to(w->path);
	say(*fd, "CONNECT 52\n");
	gets_op(w, VSOCK_OP_REQUEST, &p);
	assert_int_equal(p.h.dst_port, GUEST_PORT);
	sends_op(w, VSOCK_OP_RESPONSE, p.h.src_port);
	(void)snprintf(ok, sizeof(ok), "OK %u\n", p.h.src_port);
	hears(*fd, ok, strlen(ok));
	return p.h.src_port;
}

/* The guest's connection to the host's port; the server's end. */
static inline int open_from_guest(struct world *w, uint32_t port)
{
	int listener = serve_at(w, port), fd;
	struct packet p;

	sends_op(w, VSOCK_OP_REQUEST, port);
	gets_op(w, VSOCK_OP_RESPONSE, &p);
	assert_int_equal(p.h.src_port, port);
	assert_int_equal(p.h.dst_port, GUEST_PORT);
	assert_int_equal(p.h.buf_alloc, VSOCK_BUF);
	fd = accept(listener, NULL, NULL);
	assert_true(fd >= 0);
	close(listener);
	unserve(w, port);
	return fd;
}

#endif
