/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vsock_conn: see the header. All counts are free-running 32-bit numbers
 * (virtio 1.2, 5.10.6.3); differences of them are lengths.
 */
#include "devices/vsock_conn.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* The guest hears of room again when so much of it is news. */
#define NEWS (VSOCK_BUF / 4)

uint32_t conn_credit(const struct conn *c)
{
	uint32_t in_flight = c->sent - c->peer_taken;

	/* A guest that takes its room back, or took what it never got: none. */
	return in_flight < c->peer_room ? c->peer_room - in_flight : 0;
}

void conn_hear(struct conn *c, const struct vsock_header *h)
{
	c->peer_room = h->buf_alloc;
	c->peer_taken = h->fwd_cnt;
	if (conn_credit(c))
		c->credit_asked = false;
}

static void given(struct conn *c, uint32_t len)
{
	c->given += len;
	if (c->given - c->told >= NEWS)
		c->credit_due = true;
}

void conn_lose_reader(struct conn *c)
{
	c->gone = true;
	free(c->buf);
	c->buf = NULL;
	c->len = 0;
	given(c, c->received - c->given);
}

/* How many bytes the host took of iov. */
static size_t put(struct conn *c, const struct iovec *iov, int n)
{
	ssize_t done = writev(c->fd, iov, n);

	if (done >= 0)
		return (size_t)done;
	if (errno == EAGAIN)
		c->writable = false;
	else if (errno != EINTR)
		conn_lose_reader(c);
	return 0;
}

void conn_flush(struct conn *c)
{
	while (c->len && c->writable && !c->gone) {
		size_t piece = (size_t)min_u64(c->len, VSOCK_BUF - c->at);
		struct iovec v = { c->buf + c->at, piece };
		size_t n = put(c, &v, 1);

		if (c->gone)
			return;
		c->at = (c->at + n) % VSOCK_BUF;
		c->len -= n;
		given(c, (uint32_t)n);
	}
	if (c->len)
		return;
	free(c->buf);
	c->buf = NULL;
}

/* The next len bytes of the chain, behind what the buffer holds. */
static int store(struct conn *c, struct chain *chain, const struct gmem *mem,
		 uint32_t len)
{
	int rc = 0;

	if (!c->buf) {
		c->buf = malloc(VSOCK_BUF);
		c->at = 0;
	}
	if (!c->buf)
		return -ENOMEM;
	while (!rc && len) {
		size_t end = (c->at + c->len) % VSOCK_BUF;
		size_t n = (size_t)min_u64(len, VSOCK_BUF - end);

		rc = chain_read(chain, mem, c->buf + end, n);
		c->len += n;
		len -= (uint32_t)n;
	}
	return rc;
}

/* Straight from guest memory; *done: how much of len the host took. */
static int pass_on(struct conn *c, struct chain *chain, const struct gmem *mem,
		   uint32_t len, size_t *done)
{
	struct iovec iov[VIRTQ_SPANS];
	size_t left = len;
	int n, i, rc;

	*done = 0;
	rc = chain_iov(chain, mem, false, iov, &n);
	if (rc)
		return rc;
	for (i = 0; i < n && left; i++) {
		iov[i].iov_len = (size_t)min_u64(iov[i].iov_len, left);
		left -= iov[i].iov_len;
	}
	*done = put(c, iov, i);
	return chain_skip(chain, *done);
}

int conn_take(struct conn *c, struct chain *chain, const struct gmem *mem,
	      uint32_t len)
{
	size_t done = 0;
	int rc = 0;

	if (len > VSOCK_BUF - (c->received - c->given))
		return -EPROTO;
	c->received += len;
	if (c->gone) {
		conn_lose_reader(c);
		return 0;
	}
	if (!c->len && c->writable && len)
		rc = pass_on(c, chain, mem, len, &done);
	if (rc || c->gone)
		return rc;
	given(c, (uint32_t)done);
	if (done < len)
		rc = store(c, chain, mem, len - (uint32_t)done);
	if (!rc)
		conn_flush(c);
	return rc;
}

void conn_pass_shut(struct conn *c)
{
	if (c->fd < 0)
		return;
	if (c->guest_shut & VSOCK_SHUT_SEND && !c->len)
		(void)shutdown(c->fd, SHUT_WR);
	if (c->guest_shut & VSOCK_SHUT_RCV)
		(void)shutdown(c->fd, SHUT_RD);
}

size_t conn_read(struct conn *c, const struct iovec *iov, int n)
{
	ssize_t got = readv(c->fd, iov, n);

	if (got > 0)
		return (size_t)got;
	if (got < 0 && errno == EINTR)
		return 0;
	c->readable = false;
	if (got < 0 && errno == EAGAIN)
		return 0;
	c->eof = true;
	if (got < 0)
		conn_lose_reader(c);
	return 0;
}

uint32_t conn_host_shut(const struct conn *c)
{
	return (c->gone ? VSOCK_SHUT_RCV : 0) | (c->eof ? VSOCK_SHUT_SEND : 0);
}

enum vsock_op conn_next(const struct conn *c)
{
	if (c->state == CONN_RESET)
		return VSOCK_OP_RST;
	if (c->ask)
		return VSOCK_OP_REQUEST;
	if (c->state != CONN_OPEN)
		return VSOCK_OP_INVALID;
	if (c->answer)
		return VSOCK_OP_RESPONSE;
	if (conn_host_shut(c) & ~c->told_shut)
		return VSOCK_OP_SHUTDOWN;
	if (c->readable && !c->eof && conn_credit(c))
		return VSOCK_OP_RW;
	if (c->readable && !c->eof && !c->credit_asked)
		return VSOCK_OP_CREDIT_REQUEST;
	return c->credit_due ? VSOCK_OP_CREDIT_UPDATE : VSOCK_OP_INVALID;
}

void conn_said(struct conn *c, enum vsock_op op, uint32_t len,
	       struct vsock_header *h)
{
	*h = (struct vsock_header){
		.src_cid = VSOCK_HOST_CID,
		.src_port = c->host_port,
		.dst_port = c->guest_port,
		.len = len,
		.type = VSOCK_TYPE_STREAM,
		.op = (uint16_t)op,
		.buf_alloc = VSOCK_BUF,
		.fwd_cnt = c->given,
	};
	c->told = c->given; /* every packet carries it */
	c->credit_due = false;
	c->sent += len;
	switch (op) {
	case VSOCK_OP_REQUEST: c->ask = false; break;
	case VSOCK_OP_RESPONSE: c->answer = false; break;
	case VSOCK_OP_CREDIT_REQUEST: c->credit_asked = true; break;
	case VSOCK_OP_SHUTDOWN:
		h->flags = conn_host_shut(c);
		c->told_shut |= h->flags;
		break;
	default: break;
	}
}

void conn_hang_up(struct conn *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	free(c->buf);
	c->buf = NULL;
	c->len = 0;
}
