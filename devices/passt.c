/* SPDX-License-Identifier: Apache-2.0 */
/*
 * passt: see the header. A frame of which the socket took only a part is
 * finished from our memory before the next begins: the stream has no other way
 * back to a frame's start.
 *
 * read and write, not recv and send: a thread that a guest has taken over could
 * name another peer to those, or pass it descriptors of ours.
 */
#include "devices/passt.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/dial.h"
#include "vmm/log.h"

#define FRAME_ROOM (PASST_LENGTH_BYTES + NET_FRAME_MAX)
#define IN_BYTES (4u * FRAME_ROOM)
#define OUT_BYTES (2u * FRAME_ROOM)

/* Up to here copying a frame costs less than a system call for it alone. */
#define SMALL_BYTES 4096u

/* Bytes [from, to) of buf are to be used. */
struct passt {
	struct net_end end; /* first: the operations cast back */
	size_t in_from, in_to;
	size_t out_from, out_to;
	uint8_t in[IN_BYTES];
	uint8_t out[OUT_BYTES];
};

static struct passt *of_end(struct net_end *e)
{
	static_assert(offsetof(struct passt, end) == 0, "cast");

	return (struct passt *)e;
}

static uint32_t get_be32(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
	       (uint32_t)b[2] << 8 | b[3];
}

static void put_be32(uint8_t *b, uint32_t v)
{
	b[0] = (uint8_t)(v >> 24);
	b[1] = (uint8_t)(v >> 16);
	b[2] = (uint8_t)(v >> 8);
	b[3] = (uint8_t)v;
}

int passt_frame(const uint8_t *bytes, size_t n, size_t *len)
{
	uint32_t v;

	if (n < PASST_LENGTH_BYTES)
		return 0;
	v = get_be32(bytes);
	if (v < NET_ETHER_BYTES || v > NET_FRAME_MAX)
		return -EPROTO;
	*len = v;
	return n - PASST_LENGTH_BYTES >= v;
}

/* What a socket's error means to an end: try again, or it is lost. */
static int error_of(int err)
{
	return err == EAGAIN || err == EINTR ? -EAGAIN : -ENOTCONN;
}

/* More of the stream; a frame begins at in_from and may be there in part. */
static int fill(struct passt *p)
{
	ssize_t n;

	bytes_move(p->in, sizeof(p->in), p->in + p->in_from,
		   p->in_to - p->in_from);
	p->in_to -= p->in_from;
	p->in_from = 0;
	n = read(p->end.fd, p->in + p->in_to, sizeof(p->in) - p->in_to);
	if (n <= 0)
		return n ? error_of(errno) : -ENOTCONN;
	p->in_to += (size_t)n;
	return 0;
}

static int receive(struct net_end *e, struct net_frame *f)
{
	struct passt *p = of_end(e);
	int rc;

	while (!(rc = passt_frame(p->in + p->in_from, p->in_to - p->in_from,
				  &f->len))) {
		rc = fill(p);
		if (rc)
			break;
	}
	if (rc < 0) {
		f->len = 0;
		return rc;
	}
	f->hdr = (struct net_hdr){ 0 };
	f->bytes = p->in + p->in_from + PASST_LENGTH_BYTES;
	p->in_from += PASST_LENGTH_BYTES + f->len;
	return 0;
}

static int flush(struct net_end *e)
{
	struct passt *p = of_end(e);

	int rc = 0;

	while (!rc && p->out_from < p->out_to) {
		ssize_t n = write(e->fd, p->out + p->out_from,
				  p->out_to - p->out_from);

		if (n < 0)
			rc = error_of(errno);
		else
			p->out_from += (size_t)n;
	}
	/* Sent, or never to be: nobody is to ask for it again. */
	if (rc != -EAGAIN)
		p->out_from = p->out_to = 0;
	return rc;
}

/* The rest of c, behind what is kept already. There is room for a frame. */
static int keep(struct passt *p, struct chain *c, const struct gmem *mem,
		size_t len)
{
	int rc = chain_read(c, mem, p->out + p->out_to, len);

	if (!rc)
		p->out_to += len;
	return rc;
}

static int keep_frame(struct passt *p, struct chain *c, const struct gmem *mem)
{
	size_t len = (size_t)chain_out_len(c);
	int rc;

	put_be32(p->out + p->out_to, (uint32_t)len);
	p->out_to += PASST_LENGTH_BYTES;
	rc = keep(p, c, mem, len);
	if (rc)
		p->out_to -= PASST_LENGTH_BYTES;
	return rc;
}

/* Of a frame in one system call; what the socket left is kept. */
static int send_straight(struct passt *p, struct chain *c,
			 const struct gmem *mem)
{
	struct iovec iov[1 + VIRTQ_SPANS];
	size_t len = (size_t)chain_out_len(c), sent;
	uint8_t length[PASST_LENGTH_BYTES];
	ssize_t rc;
	int n;

	rc = chain_iov(c, mem, false, iov + 1, &n);
	if (rc)
		return (int)rc;
	put_be32(length, (uint32_t)len);
	iov[0] = (struct iovec){ length, sizeof(length) };
	rc = writev(p->end.fd, iov, n + 1);
	if (rc < 0)
		return error_of(errno);
	sent = (size_t)rc;
	if (sent < sizeof(length)) {
		bytes_copy(p->out, sizeof(p->out), length + sent,
			   sizeof(length) - sent);
		p->out_to = sizeof(length) - sent;
		return keep(p, c, mem, len);
	}
	sent -= sizeof(length);
	rc = chain_skip(c, sent);
	return rc ? (int)rc : keep(p, c, mem, len - sent);
}

static int send_frame(struct net_end *e, const struct net_hdr *h,
		      struct chain *c, const struct gmem *mem)
{
	struct passt *p = of_end(e);
	uint64_t len = chain_out_len(c);
	int rc = 0;

	(void)h; /* no offload was offered, so it says nothing */
	if (len > SMALL_BYTES || sizeof(p->out) - p->out_to < FRAME_ROOM)
		rc = flush(e);
	if (rc)
		return rc;
	return len > SMALL_BYTES ? send_straight(p, c, mem)
				 : keep_frame(p, c, mem);
}

static void passt_close(struct net_end *e)
{
	close(e->fd);
	free(of_end(e));
}

static const struct net_end_ops passt_ops = {
	.receive = receive,
	.send = send_frame,
	.flush = flush,
	.close = passt_close,
};

int passt_adopt(struct net_end **end, int fd)
{
	struct passt *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->end = (struct net_end){ &passt_ops, fd };
	*end = &p->end;
	return 0;
}

void passt_cut(struct net_end *e)
{
	(void)shutdown(e->fd, SHUT_RDWR);
}

void passt_again(struct net_end *e, int fd)
{
	struct passt *p = of_end(e);

	close(e->fd);
	e->fd = fd;
	p->in_from = p->in_to = p->out_from = p->out_to = 0;
}

int passt_open(struct net_end **end, const char *path)
{
	int fd = dial_path(path);
	int rc = fd < 0 ? fd : passt_adopt(end, fd);

	if (!rc)
		return 0;
	log_error("passt '%s': %s%s", path, strerror(-rc),
		  rc == -ENOENT || rc == -ECONNREFUSED
			  ? "; start it first, with --socket"
			  : "");
	if (fd >= 0)
		close(fd);
	return rc;
}
