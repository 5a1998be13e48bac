/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_tx: see the header.
 */
#include "devices/net_tx.h"

#include <errno.h>

/*
 * A frame of len bytes. -EIO: dropped, and counted; others as net_end's send,
 * or as net_tally_ask.
 */
static int pass(struct net_tx *t, struct vqueue *q, const struct net_hdr *h,
		uint64_t len)
{
	int rc;

	if (!atomic_load_explicit(t->up, memory_order_relaxed)) {
		counter_add(&t->tally.drops, 1);
		return -EIO;
	}
	rc = len < NET_ETHER_BYTES ? -EIO : net_tally_ask(&t->tally, q);
	if (!rc)
		rc = t->end->ops->send(t->end, h, &q->chain, q->dev->mem);
	if (rc == -EIO)
		counter_add(&t->tally.errors, 1);
	return rc;
}

/* One frame. -EAGAIN, -EBUSY: it stays in the ring. */
static int send_one(struct net_tx *t, struct vqueue *q)
{
	struct chain *c = &q->chain;
	struct net_hdr h;
	uint64_t len;
	int rc;

	/* 5.1.6.2.1: read only, a header, a frame of a length that exists. */
	if (c->n_in)
		return -EBADMSG;
	rc = chain_read(c, q->dev->mem, &h, sizeof(h));
	if (!rc)
		rc = net_hdr_check(&h, q->dev->accepted);
	len = chain_out_len(c);
	if (!rc && len > NET_FRAME_MAX)
		rc = -EBADMSG;
	if (rc)
		return rc;
	rc = pass(t, q, &h, len);
	if (rc == -EIO)
		return 0;
	if (!rc)
		net_tally_passed(&t->tally, len);
	return rc;
}

static int take_and_send(struct net_tx *t, struct vqueue *q)
{
	uint16_t head;
	int rc = virtq_take(&q->ring, &q->chain);

	if (rc != 1)
		return rc ? rc : -ENODATA;
	head = q->chain.head;
	rc = send_one(t, q);
	if (rc == -EAGAIN || rc == -EBUSY || rc == -ENOTCONN)
		virtq_untake(&q->ring);
	if (!rc)
		rc = virtq_give(&q->ring, head, 0);
	return rc ? rc : vdev_announce_late(q);
}

static int flush(struct net_tx *t)
{
	return t->end->ops->flush ? t->end->ops->flush(t->end) : 0;
}

int net_tx_serve(struct net_tx *t, struct vqueue *q)
{
	bool more, unused;
	int rc;

	rc = virtq_notify_me(&q->ring, false, &unused);
	while (!rc && !vdev_wanted_back(q)) {
		rc = take_and_send(t, q);
		if (rc != -ENODATA)
			continue;
		rc = vdev_announce(q);
		if (!rc)
			rc = flush(t);
		if (rc)
			break;
		rc = virtq_notify_me(&q->ring, true, &more);
		if (!rc && !more)
			return 0;
	}
	if (rc == -EBUSY) /* of what has passed, nothing is to wait as well */
		rc = flush(t);
	if (rc && rc != -EAGAIN)
		return rc;
	/* Held: the release looks again. */
	if (rc == -EAGAIN)
		worker_watch(&q->worker, t->end->fd, POLLOUT);
	return vdev_announce(q);
}
