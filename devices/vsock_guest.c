/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vsock_guest: see the header. Which packet may come in which state of a
 * connection is a table; what is not in it is answered by RST.
 */
#include "devices/vsock_guest.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "devices/vsock_host.h"
#include "vmm/clock.h"

#define BATCH 64 /* packets, before the other direction has its turn */

typedef int handler(struct vsock *v, struct conn *c,
		    const struct vsock_header *h, struct chain *chain);

/* The guest accepts a client's connection. */
static int on_response(struct vsock *v, struct conn *c,
		       const struct vsock_header *h, struct chain *chain)
{
	char line[24];
	int n = snprintf(line, sizeof(line), "OK %u\n", c->host_port);

	(void)h;
	(void)chain;
	table_arrived(&v->conns, c);
	c->state = CONN_OPEN;
	counter_add(&v->counts[VSOCK_OPENED], 1);
	/* It fits, unless the client is gone, which its socket will tell. */
	(void)!write(c->fd, line, (size_t)n);
	return 0;
}

static int on_rst(struct vsock *v, struct conn *c, const struct vsock_header *h,
		  struct chain *chain)
{
	(void)h;
	(void)chain;
	host_free(v, c);
	return 0;
}

/*
 * 5.10.6.5: both flags and an RST as the answer are a clean end. It is given at
 * once, though the host may be slow to take the last bytes: they stay with us,
 * and the ports are free again.
 */
static int on_shutdown(struct vsock *v, struct conn *c,
		       const struct vsock_header *h, struct chain *chain)
{
	(void)chain;
	c->guest_shut |= h->flags & VSOCK_SHUT_BOTH;
	if (c->guest_shut & VSOCK_SHUT_RCV)
		c->eof = true; /* whatever the host still sends */
	conn_pass_shut(c);
	if (c->guest_shut != VSOCK_SHUT_BOTH)
		return 0;
	guest_refuse(v, h);
	if (c->len)
		host_drain(v, c);
	else
		host_free(v, c);
	return 0;
}

static int on_rw(struct vsock *v, struct conn *c, const struct vsock_header *h,
		 struct chain *chain)
{
	int rc;

	/* It said that it would send no more. */
	if (c->guest_shut & VSOCK_SHUT_SEND)
		rc = -EPROTO;
	else
		rc = conn_take(c, chain, v->vdev.mem, h->len);
	if (!rc)
		counter_add(&v->counts[VSOCK_TX_BYTES], h->len);
	if (rc != -EPROTO && rc != -ENOMEM)
		return rc;
	host_reset(v, c);
	return 0;
}

static int on_credit_request(struct vsock *v, struct conn *c,
			     const struct vsock_header *h, struct chain *chain)
{
	(void)v;
	(void)h;
	(void)chain;
	c->credit_due = true;
	return 0;
}

/* What every packet carries, its credit, has been looked at already. */
static int on_nothing(struct vsock *v, struct conn *c,
		      const struct vsock_header *h, struct chain *chain)
{
	(void)v;
	(void)c;
	(void)h;
	(void)chain;
	return 0;
}

static handler *const handlers[VSOCK_OPS][CONN_STATES] = {
	[VSOCK_OP_RESPONSE] = { [CONN_ASKED] = on_response,
				[CONN_RESET] = on_nothing },
	[VSOCK_OP_RST] = { [CONN_ASKED] = on_rst,
			   [CONN_DIALED] = on_rst,
			   [CONN_OPEN] = on_rst,
			   [CONN_RESET] = on_rst },
	[VSOCK_OP_SHUTDOWN] = { [CONN_OPEN] = on_shutdown,
				[CONN_RESET] = on_nothing },
	[VSOCK_OP_RW] = { [CONN_OPEN] = on_rw, [CONN_RESET] = on_nothing },
	[VSOCK_OP_CREDIT_UPDATE] = { [CONN_OPEN] = on_nothing,
				     [CONN_RESET] = on_nothing },
	[VSOCK_OP_CREDIT_REQUEST] = { [CONN_OPEN] = on_credit_request,
				      [CONN_RESET] = on_nothing },
};

void guest_refuse(struct vsock *v, const struct vsock_header *h)
{
	unsigned at = (v->orphan_at + v->orphans) % VSOCK_ORPHANS;

	/* 5.10.6.4.2: nobody answers an RST. */
	if (h->op == VSOCK_OP_RST)
		return;
	CHECK(v->orphans < VSOCK_ORPHANS); /* guest_receive sees to it */
	v->orphan[at] = (struct vsock_header){
		.src_cid = h->dst_cid,
		.dst_cid = h->src_cid,
		.src_port = h->dst_port,
		.dst_port = h->src_port,
		.type = h->type,
		.op = VSOCK_OP_RST,
	};
	v->orphans++;
	counter_add(&v->counts[VSOCK_RESETS], 1);
}

static int receive_one(struct vsock *v, struct chain *chain)
{
	struct vsock_header h;
	struct conn *c;
	handler *fn;
	int rc = chain_read(chain, v->vdev.mem, &h, sizeof(h));

	if (rc)
		return rc;
	if (chain->n_in || h.len > chain_out_len(chain))
		return -EBADMSG;
	if (h.src_cid != v->cid) /* 5.10.6.2.1: there is nobody to answer */
		return 0;
	c = table_find(&v->conns, h.dst_port, h.src_port);
	if (h.dst_cid != VSOCK_HOST_CID || h.type != VSOCK_TYPE_STREAM ||
	    h.op >= VSOCK_OPS || (!c && h.op != VSOCK_OP_REQUEST)) {
		guest_refuse(v, &h);
		return 0;
	}
	if (!c) {
		host_dial(v, &h);
		return 0;
	}
	conn_hear(c, &h);
	fn = handlers[h.op][c->state];
	if (fn)
		rc = fn(v, c, &h, chain);
	else
		host_reset(v, c);
	table_pend(&v->conns, c);
	return rc;
}

int guest_receive(struct vsock *v, bool *did)
{
	struct vqueue *q = &v->vdev.queue[VSOCK_TX];
	int rc = 0;

	if (!q->enabled)
		return 0;
	/*
	 * 5.10.6.1: replies must not depend on room in the other queue. They
	 * have memory of ours, so much and no more: without any left, the
	 * guest's packets wait until it has taken replies.
	 */
	for (int i = 0; i < BATCH && v->orphans < VSOCK_ORPHANS; i++) {
		uint16_t head;

		rc = virtq_take(&q->ring, &q->chain);
		if (rc != 1)
			break;
		*did = true;
		head = q->chain.head;
		rc = receive_one(v, &q->chain);
		if (!rc)
			rc = virtq_give(&q->ring, head, 0);
		if (rc)
			return rc;
		counter_add(&v->counts[VSOCK_TX_PACKETS], 1);
	}
	return rc < 0 ? rc : vdev_announce(q);
}

/* The part of a buffer behind the header, of max bytes at most. */
static int payload_room(const struct chain *chain, const struct gmem *mem,
			uint64_t max, struct iovec *iov, int *n)
{
	size_t skip = sizeof(struct vsock_header);
	int rc = chain_iov(chain, mem, true, iov, n), used = 0;

	for (int i = 0; !rc && i < *n && max; i++) {
		struct iovec v = iov[i];
		size_t cut = (size_t)min_u64(skip, v.iov_len);

		skip -= cut;
		v.iov_base = (char *)v.iov_base + cut;
		v.iov_len = (size_t)min_u64(v.iov_len - cut, max);
		max -= v.iov_len;
		if (v.iov_len)
			iov[used++] = v;
	}
	*n = used;
	return rc;
}

/* A connection's next packet into a buffer; *written 0: it had none. */
static int send_one(struct vsock *v, struct conn *c, const struct chain *chain,
		    uint32_t *written)
{
	struct iovec iov[VIRTQ_SPANS];
	struct vsock_header h;
	enum vsock_op op;
	size_t len = 0;
	int n, rc = 0;

	op = conn_next(c);
	if (op == VSOCK_OP_RW) {
		rc = payload_room(chain, v->vdev.mem,
				  min_u64(conn_credit(c), VSOCK_PAYLOAD_MAX),
				  iov, &n);
		if (rc)
			return rc;
		len = conn_read(c, iov, n);
		if (!len) /* none now, or the end, which has its own packet */
			op = conn_next(c);
	}
	if (op == VSOCK_OP_INVALID || (op == VSOCK_OP_RW && !len))
		return 0;
	conn_said(c, op, (uint32_t)len, &h);
	h.dst_cid = v->cid;
	*written = (uint32_t)(sizeof(h) + len);
	counter_add(&v->counts[VSOCK_RX_BYTES], len);
	rc = chain_write(chain, v->vdev.mem, &h, sizeof(h));
	if (op == VSOCK_OP_RST)
		host_free(v, c);
	else if (op == VSOCK_OP_SHUTDOWN && c->told_shut == VSOCK_SHUT_BOTH)
		table_expect(&v->conns, c, clock_ns());
	return rc;
}

static int fill(struct vsock *v, const struct chain *chain, uint32_t *written)
{
	struct conn *c;
	int rc;

	*written = 0;
	if (v->orphans) {
		*written = sizeof(v->orphan[0]);
		rc = chain_write(chain, v->vdev.mem, &v->orphan[v->orphan_at],
				 sizeof(v->orphan[0]));
		v->orphan_at = (v->orphan_at + 1) % VSOCK_ORPHANS;
		v->orphans--;
		return rc;
	}
	c = table_next(&v->conns);
	rc = send_one(v, c, chain, written);
	table_pend(&v->conns, c);
	return rc;
}

bool guest_starves(const struct vsock *v)
{
	return v->orphans || !TAILQ_EMPTY(&v->conns.turns);
}

int guest_send(struct vsock *v, bool *did)
{
	struct vqueue *q = &v->vdev.queue[VSOCK_RX];
	int rc = 0;

	if (!q->enabled || v->event_due)
		return 0;
	for (int i = 0; i < BATCH && guest_starves(v); i++) {
		uint32_t written;

		rc = virtq_take(&q->ring, &q->chain);
		if (rc != 1)
			break;
		if (q->chain.n_out ||
		    chain_in_len(&q->chain) <= sizeof(struct vsock_header))
			return -EBADMSG;
		*did = true;
		rc = fill(v, &q->chain, &written);
		if (!rc && written)
			rc = virtq_give(&q->ring, q->chain.head, written);
		else if (!rc)
			virtq_untake(&q->ring);
		if (rc)
			return rc;
		counter_add(&v->counts[VSOCK_RX_PACKETS], written != 0);
	}
	return rc < 0 ? rc : vdev_announce(q);
}

int guest_tell(struct vsock *v)
{
	const struct vsock_event e = { VSOCK_EVENT_TRANSPORT_RESET };
	struct vqueue *q = &v->vdev.queue[VSOCK_EVENT];
	int rc;

	if (!v->event_due)
		return 0;
	/* A driver without the queue has no use for what is told there. */
	if (!q->enabled) {
		v->event_due = false;
		return 0;
	}
	rc = virtq_take(&q->ring, &q->chain);
	if (rc != 1)
		return rc;
	if (q->chain.n_out)
		return -EBADMSG;
	rc = chain_write(&q->chain, v->vdev.mem, &e, sizeof(e));
	if (!rc)
		rc = virtq_give(&q->ring, q->chain.head, sizeof(e));
	v->event_due = false;
	return rc ? rc : vdev_announce(q);
}
