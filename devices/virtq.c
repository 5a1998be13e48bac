/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtq: split virtqueues. Offsets inside the rings follow virtio 1.2, 2.7.6
 * and 2.7.8: flags, index, then the entries, then one event index that belongs
 * to the other side's ring.
 */
#include "devices/virtq.h"

#include <errno.h>
#include <stdatomic.h>

#define RING_FLAGS 0
#define RING_IDX 2
#define RING_ENTRIES 4

static gpa_t gpa_plus(gpa_t a, uint64_t bytes)
{
	return (gpa_t){ a.v + bytes };
}

static gpa_t avail_entry(const struct virtq *q, uint16_t idx)
{
	return gpa_plus(q->at.avail, RING_ENTRIES + 2ull * (idx % q->at.size));
}

static gpa_t used_entry(const struct virtq *q, uint16_t idx)
{
	return gpa_plus(q->at.used, RING_ENTRIES + 8ull * (idx % q->at.size));
}

/* Where the driver says which used index it wants to hear of. */
static gpa_t used_event(const struct virtq *q)
{
	return gpa_plus(q->at.avail, RING_ENTRIES + 2ull * q->at.size);
}

/* Where we say which available index we want to hear of. */
static gpa_t avail_event(const struct virtq *q)
{
	return gpa_plus(q->at.used, RING_ENTRIES + 8ull * q->at.size);
}

int virtq_open(struct virtq *q, const struct gmem *mem,
	       const struct virtq_setup *at, uint64_t features)
{
	uint64_t n = at->size;
	struct iovec v;
	int rc;

	if (!n || n > VIRTQ_SIZE_MAX || n & (n - 1))
		return -EINVAL;
	/* 2.7, the table of alignments. */
	if (at->desc.v % 16 || at->avail.v % 2 || at->used.v % 4)
		return -EINVAL;
	rc = gmem_iov(mem, at->desc, 16 * n, false, &v);
	if (!rc)
		rc = gmem_iov(mem, at->avail, 6 + 2 * n, false, &v);
	if (!rc)
		rc = gmem_iov(mem, at->used, 6 + 8 * n, true, &v);
	if (rc)
		return rc;
	q->mem = mem;
	q->at = *at;
	q->event_idx = features & VIRTIO_F_EVENT_IDX;
	q->indirect = features & VIRTIO_F_INDIRECT_DESC;
	q->taken = q->filled = q->published = q->told = 0;
	q->out_len = 0;
	return 0;
}

static int chain_add(struct chain *c, const struct vring_desc *d)
{
	/* A buffer of nothing has no address to check: no driver makes one. */
	if (!d->len)
		return -EBADMSG;
	if (c->n_out + c->n_in == VIRTQ_SPANS)
		return -ELOOP;
	if (d->flags & VRING_DESC_WRITE)
		c->n_in++;
	else if (c->n_in)
		return -EBADMSG; /* 2.7.4.2: readable ones come first */
	else
		c->n_out++;
	c->s[c->n_out + c->n_in - 1] = (struct span){ { d->addr }, d->len };
	return 0;
}

/*
 * Walks a table of n descriptors from index i. An honest chain visits each at
 * most once, so n steps are all the fuel it gets. When the walk comes to an
 * indirect descriptor, and may, it ends there and leaves it in *indirect.
 */
static int chain_walk(const struct virtq *q, gpa_t table, uint32_t n,
		      uint32_t i, struct chain *c, struct vring_desc *indirect)
{
	struct vring_desc d;
	uint32_t fuel;
	int rc;

	for (fuel = n; fuel; fuel--, i = d.next) {
		if (i >= n)
			return -EBADMSG;
		rc = gmem_read(q->mem, gpa_plus(table, 16ull * i), &d,
			       sizeof(d));
		if (rc)
			return rc;
		if (d.flags & VRING_DESC_INDIRECT) {
			/* 2.7.5.3.1: not in a table, not together with NEXT */
			if (!indirect || d.flags & VRING_DESC_NEXT)
				return -EBADMSG;
			*indirect = d;
			return 0;
		}
		rc = chain_add(c, &d);
		if (rc || !(d.flags & VRING_DESC_NEXT))
			return rc;
	}
	return -ELOOP;
}

static int chain_collect(const struct virtq *q, uint16_t head, struct chain *c)
{
	struct vring_desc table = { 0 };
	int rc;

	c->head = head;
	c->first = c->n_out = c->n_in = 0;
	rc = chain_walk(q, q->at.desc, q->at.size, head, c, &table);
	if (rc || !(table.flags & VRING_DESC_INDIRECT))
		return rc;
	if (!q->indirect || !table.len || table.len % 16)
		return -EBADMSG;
	if (table.len / 16 > VIRTQ_SPANS)
		return -ELOOP;
	/* Its place anywhere in memory is checked by each gmem_read. */
	if (table.addr > UINT64_MAX - table.len)
		return -EFAULT;
	return chain_walk(q, (gpa_t){ table.addr }, table.len / 16, 0, c, NULL);
}

/* How many chains wait for us; more than the ring holds is a lie. */
static int virtq_waiting(const struct virtq *q, uint16_t *n)
{
	uint16_t idx;
	int rc;

	/*
	 * Acquire pairs with the driver's release of the index: without it we
	 * could read a ring entry older than the index that announced it.
	 */
	rc = gmem_load16(q->mem, gpa_plus(q->at.avail, RING_IDX), &idx);
	if (rc)
		return rc;
	*n = (uint16_t)(idx - q->taken);
	return *n > q->at.size ? -EBADMSG : 0;
}

int virtq_take(struct virtq *q, struct chain *c)
{
	uint16_t n, head;
	int rc;

	rc = virtq_waiting(q, &n);
	if (rc || !n)
		return rc;
	rc = gmem_load16(q->mem, avail_entry(q, q->taken), &head);
	if (rc)
		return rc;
	q->taken++;
	rc = chain_collect(q, head, c);
	if (rc)
		return rc;
	q->out_len = chain_out_len(c);
	return 1;
}

void virtq_untake(struct virtq *q)
{
	q->taken--;
	q->out_len = 0;
}

void virtq_seek(struct virtq *q, uint16_t at)
{
	q->taken = q->filled = q->published = q->told = at;
}

int virtq_fill(struct virtq *q, uint16_t head, uint32_t written)
{
	struct vring_used_elem e = { .id = head, .len = written };
	int rc = gmem_write(q->mem, used_entry(q, q->filled), &e, sizeof(e));

	if (rc)
		return rc;
	q->filled++;
	counter_add(&q->moved, q->out_len + written);
	q->out_len = 0;
	return 0;
}

int virtq_publish(struct virtq *q)
{
	q->published = q->filled;
	/* Release: whoever sees the index sees the entry and the payload. */
	return gmem_store16(q->mem, gpa_plus(q->at.used, RING_IDX),
			    q->published);
}

int virtq_give(struct virtq *q, uint16_t head, uint32_t written)
{
	int rc = virtq_fill(q, head, written);

	return rc ? rc : virtq_publish(q);
}

/* 2.7.10: did this step from old to now pass the index the driver named? */
static bool event_passed(uint16_t event, uint16_t now, uint16_t old)
{
	return (uint16_t)(now - event - 1) < (uint16_t)(now - old);
}

int virtq_interrupt(struct virtq *q, bool *yes)
{
	uint16_t v;
	int rc;

	*yes = false;
	if (q->told == q->published)
		return 0;
	/*
	 * The used index must be visible before we look at what the driver
	 * wants, as it looks at the index after it has said what it wants:
	 * store then load, which only a full fence keeps in order.
	 */
	atomic_thread_fence(memory_order_seq_cst);
	if (q->event_idx)
		rc = gmem_load16(q->mem, used_event(q), &v);
	else
		rc = gmem_load16(q->mem, gpa_plus(q->at.avail, RING_FLAGS), &v);
	if (rc)
		return rc;
	if (q->event_idx)
		*yes = event_passed(v, q->published, q->told);
	else
		*yes = !(v & VRING_AVAIL_NO_INTERRUPT);
	q->told = q->published;
	return 0;
}

int virtq_notify_me(struct virtq *q, bool on, bool *more)
{
	uint16_t n;
	int rc;

	*more = false;
	/*
	 * With event indices peace needs no store: the driver notifies only
	 * for the index we named, and that one has passed.
	 */
	if (q->event_idx)
		rc = on ? gmem_store16(q->mem, avail_event(q), q->taken) : 0;
	else
		rc = gmem_store16(q->mem, gpa_plus(q->at.used, RING_FLAGS),
				  (uint16_t)(on ? 0 : VRING_USED_NO_NOTIFY));
	if (rc || !on)
		return rc;
	/* Our wish first, then the index: the driver does it the other way. */
	atomic_thread_fence(memory_order_seq_cst);
	rc = virtq_waiting(q, &n);
	*more = !rc && n;
	return rc;
}

static uint64_t spans_len(const struct span *s, unsigned n)
{
	uint64_t sum = 0;

	while (n--)
		sum += s[n].len; /* 256 times 32 bits cannot wrap */
	return sum;
}

uint64_t chain_out_len(const struct chain *c)
{
	return spans_len(c->s + c->first, c->n_out);
}

uint64_t chain_in_len(const struct chain *c)
{
	return spans_len(c->s + c->first + c->n_out, c->n_in);
}

/* Eats len bytes of the first readable span, which has as many. */
static void eat(struct chain *c, uint32_t len)
{
	struct span *s = &c->s[c->first];

	s->at = gpa_plus(s->at, len);
	s->len -= len;
	if (s->len)
		return;
	c->first++;
	c->n_out--;
}

int chain_read(struct chain *c, const struct gmem *mem, void *dst, size_t len)
{
	uint8_t *to = dst;
	int rc;

	/* 2.7.4.1: a driver may cut a header into pieces as it likes. */
	while (len) {
		const struct span *s = &c->s[c->first];
		uint32_t step;

		if (!c->n_out)
			return -EBADMSG;
		step = (uint32_t)min_u64(len, s->len);
		rc = gmem_read(mem, s->at, to, step);
		if (rc)
			return rc;
		to += step;
		len -= step;
		eat(c, step);
	}
	return 0;
}

int chain_skip(struct chain *c, uint64_t len)
{
	while (len) {
		uint32_t step;

		if (!c->n_out)
			return -EBADMSG;
		step = (uint32_t)min_u64(len, c->s[c->first].len);
		len -= step;
		eat(c, step);
	}
	return 0;
}

int chain_write(const struct chain *c, const struct gmem *mem, const void *src,
		size_t len)
{
	const struct span *s = &c->s[c->first + c->n_out];
	const uint8_t *from = src;
	int rc = 0;

	if (len > chain_in_len(c))
		return -EBADMSG;
	while (!rc && len) {
		size_t step = (size_t)min_u64(len, s->len);

		rc = gmem_write(mem, s->at, from, step);
		from += step;
		len -= step;
		s++;
	}
	return rc;
}

int chain_cut_status(struct chain *c, gpa_t *status)
{
	struct span *last;

	if (!c->n_in)
		return -EBADMSG;
	last = &c->s[c->first + c->n_out + c->n_in - 1];
	if (!add_u64(last->at.v, last->len - 1, &status->v))
		return -EFAULT;
	last->len--;
	if (!last->len)
		c->n_in--;
	return 0;
}

int chain_iov(const struct chain *c, const struct gmem *mem, bool to_guest,
	      struct iovec *iov, int *n)
{
	const struct span *s = c->s + c->first + (to_guest ? c->n_out : 0);
	int i, rc;

	*n = to_guest ? c->n_in : c->n_out;
	for (i = 0; i < *n; i++) {
		rc = gmem_iov(mem, s[i].at, s[i].len, to_guest, &iov[i]);
		if (rc)
			return rc;
	}
	return 0;
}
