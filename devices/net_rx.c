/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_rx: see the header. Reading into several buffers at once is what spares
 * the copy: how long a frame is, one knows only after it was read.
 */
#include "devices/net_rx.h"

#include <errno.h>

#define HDR sizeof(struct net_hdr)
#define WHOLE (HDR + NET_FRAME_MAX)

/* What came for an earlier driver; a tap keeps 1000 frames unless told. */
#define STALE_MAX 4096

void net_rx_opened(struct net_rx *r, uint64_t accepted, unsigned mtu)
{
	r->mergeable = accepted & NET_F_MRG_RXBUF;
	r->sums = accepted & NET_F_GUEST_CSUM;
	r->longest = accepted & NET_F_MTU
			     ? mtu + NET_ETHER_BYTES + NET_VLAN_BYTES
			     : NET_FRAME_MAX;
	r->fresh = true;
	r->first = r->n = r->first_span = r->n_spans = 0;
	r->room = 0;
	r->frame.len = 0;
}

/* Moves what is left to the front, when the arrays are at their end. */
static void compact(struct net_rx *r)
{
	if (r->first_span + r->n_spans + VIRTQ_SPANS <= NET_RX_SPANS)
		return;
	bytes_move(r->span, sizeof(r->span), r->span + r->first_span,
		   r->n_spans * sizeof(r->span[0]));
	bytes_move(r->iov, sizeof(r->iov), r->iov + r->first_span,
		   r->n_spans * sizeof(r->iov[0]));
	bytes_move(r->buffer, sizeof(r->buffer), r->buffer + r->first,
		   r->n * sizeof(r->buffer[0]));
	r->first = r->first_span = 0;
}

/* Adds a chain that was just taken. */
static int add(struct net_rx *r, const struct gmem *mem, const struct chain *c)
{
	unsigned at = r->first_span + r->n_spans;
	struct net_rx_buffer b = { c->head, c->n_in, chain_in_len(c) };
	int n, rc;

	/* 5.1.6.3.1: to be written, and with room for the header at least. */
	if (c->n_out || b.bytes < HDR)
		return -EBADMSG;
	rc = chain_iov(c, mem, true, r->iov + at, &n);
	if (rc)
		return rc;
	for (int i = 0; i < n; i++)
		r->span[at + (unsigned)i] = c->s[c->first + (unsigned)i];
	r->buffer[r->first + r->n++] = b;
	r->n_spans += b.spans;
	r->room += b.bytes;
	return 0;
}

static bool enough(const struct net_rx *r)
{
	return r->mergeable ? r->room >= WHOLE : r->n;
}

static bool full(const struct net_rx *r)
{
	return r->n_spans + VIRTQ_SPANS > NET_RX_SPANS;
}

/* Takes buffers for the largest frame, as far as there are some. */
static int collect(struct net_rx *r, struct vqueue *q)
{
	while (!enough(r) && !full(r)) {
		int rc = virtq_take(&q->ring, &q->chain);

		if (rc <= 0)
			return rc;
		compact(r);
		rc = add(r, q->dev->mem, &q->chain);
		if (rc)
			return rc;
	}
	return 0;
}

/* Room for one frame: several buffers, if the driver can put them together. */
static uint64_t room(const struct net_rx *r)
{
	if (r->mergeable)
		return r->room;
	return r->n ? r->buffer[r->first].bytes : 0;
}

/* Writes at byte off of the buffers, which have the room. */
static int put(const struct net_rx *r, const struct gmem *mem, uint64_t off,
	       const void *src, size_t len)
{
	const struct span *s = r->span + r->first_span;
	const uint8_t *from = src;
	int rc = 0;

	for (; off >= s->len; s++)
		off -= s->len;
	for (; !rc && len; s++, off = 0) {
		size_t step = (size_t)min_u64(len, s->len - off);

		rc = gmem_write(mem, (gpa_t){ s->at.v + off }, from, step);
		from += step;
		len -= step;
	}
	return rc;
}

/* The first len bytes of the buffers are a header's room and a frame. */
static int finish(struct net_rx *r, struct vqueue *q, struct net_hdr *h,
		  uint64_t len)
{
	uint64_t left = len;
	unsigned used = 0;
	int rc = 0;

	for (; !rc && left; used++) {
		const struct net_rx_buffer *b = &r->buffer[r->first + used];
		uint32_t step = (uint32_t)min_u64(left, b->bytes);

		rc = virtq_fill(&q->ring, b->head, step);
		left -= step;
	}
	h->num_buffers = (uint16_t)used;
	/* 5.1.6.4.1: a tap says of some frames that their sum was looked at. */
	if (!r->sums)
		h->flags = 0;
	if (!rc)
		rc = put(r, q->dev->mem, 0, h, HDR);
	for (unsigned i = 0; i < used; i++) {
		const struct net_rx_buffer *b = &r->buffer[r->first++];

		r->n--;
		r->first_span += b->spans;
		r->n_spans -= b->spans;
		r->room -= b->bytes;
	}
	if (rc)
		return rc;
	net_tally_passed(&r->tally, len - HDR);
	/* 5.1.6.3.2: all buffers of a frame are shown at once. */
	rc = virtq_publish(&q->ring);
	return rc ? rc : vdev_announce_late(q);
}

static void drop(struct net_rx *r, struct counter *why)
{
	r->frame.len = 0;
	counter_add(why, 1);
}

/* 5.1.4.1: a packet beyond the MTU that the guest was told is not passed on. */
static bool too_long(const struct net_rx *r, const struct net_hdr *h,
		     size_t frame_len)
{
	return frame_len > r->longest &&
	       (h->gso_type & ~NET_GSO_ECN) == NET_GSO_NONE;
}

/* From the host's kernel into guest memory; room is there. */
static int read_straight(struct net_rx *r, struct vqueue *q)
{
	struct iovec iov[1 + NET_RX_SPANS];
	struct net_hdr h;
	unsigned spans = r->mergeable ? r->n_spans : r->buffer[r->first].spans;
	unsigned at = r->first_span, end = at + spans;
	size_t skip = HDR, len = 0;
	int n = 1, rc;

	iov[0] = (struct iovec){ &h, HDR };
	for (; skip >= r->iov[at].iov_len; at++)
		skip -= r->iov[at].iov_len;
	for (; at < end; at++, skip = 0)
		iov[n++] = (struct iovec){
			.iov_base = (uint8_t *)r->iov[at].iov_base + skip,
			.iov_len = r->iov[at].iov_len - skip,
		};
	rc = r->end->ops->receive_iov(r->end, iov, n, &len);
	if (rc)
		return rc;
	if (!too_long(r, &h, len - HDR))
		return finish(r, q, &h, len);
	drop(r, &r->tally.errors); /* the buffers are still ours */
	return 0;
}

/* The frame in our memory into the buffers, or it waits for some. */
static int place(struct net_rx *r, struct vqueue *q)
{
	uint64_t len = HDR + r->frame.len;
	int rc;

	if (room(r) < len) {
		/* Nothing that the guest can still add would make it fit. */
		if (r->n == q->ring.at.size || full(r) ||
		    (!r->mergeable && r->n)) {
			drop(r, &r->tally.errors);
			return 0;
		}
		return -ENOBUFS;
	}
	rc = put(r, q->dev->mem, HDR, r->frame.bytes, r->frame.len);
	r->frame.len = 0;
	return rc ? rc : finish(r, q, &r->frame.hdr, len);
}

/*
 * One frame. -EAGAIN: there is none; -ENOBUFS: there is nowhere to put it;
 * -EBUSY: the limit keeps it back.
 */
static int step(struct net_rx *r, struct vqueue *q)
{
	bool up = atomic_load_explicit(r->up, memory_order_relaxed);
	int rc = collect(r, q);

	if (rc)
		return rc;
	if (!r->frame.len) {
		if (up && !r->n)
			return -ENOBUFS;
		rc = up ? net_tally_ask(&r->tally, q) : 0;
		if (rc)
			return rc;
		if (up && r->end->ops->receive_iov && room(r) >= WHOLE)
			return read_straight(r, q);
		rc = r->end->ops->receive(r->end, &r->frame);
		if (rc)
			return rc;
	}
	if (!up || too_long(r, &r->frame.hdr, r->frame.len)) {
		drop(r, up ? &r->tally.errors : &r->tally.drops);
		return 0;
	}
	return place(r, q);
}

int net_rx_drain(struct net_rx *r)
{
	int rc = 0;

	for (unsigned i = 0; !rc && i < STALE_MAX; i++)
		rc = r->end->ops->receive(r->end, &r->frame);
	r->frame.len = 0;
	r->fresh = false;
	return rc == -EAGAIN ? 0 : rc;
}

int net_rx_serve(struct net_rx *r, struct vqueue *q)
{
	bool more, unused;
	int rc;

	rc = virtq_notify_me(&q->ring, false, &unused);
	if (!rc && r->fresh)
		rc = net_rx_drain(r);
	while (!rc && !vdev_wanted_back(q)) {
		rc = step(r, q);
		if (rc != -ENOBUFS)
			continue;
		rc = vdev_announce(q);
		if (!rc)
			rc = virtq_notify_me(&q->ring, true, &more);
		if (!rc && !more)
			return 0; /* the driver rings when it has some */
	}
	if (rc && rc != -EAGAIN && rc != -EBUSY)
		return rc;
	if (rc == -EAGAIN)
		worker_watch(&q->worker, r->end->fd, POLLIN);
	return vdev_announce(q);
}
