/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bus: see the header. Slots are kept sorted by base, so an access is a binary
 * search; claims never overlap, so the candidate is the last slot that starts
 * at or below the address.
 */
#include "vmm/bus.h"

#include <errno.h>

void bus_open(struct bus *b, pthread_mutex_t *lock)
{
	*b = (struct bus){ .lock = lock };
}

/* How many slots start at or below at. */
static size_t slots_upto(const struct bus *b, uint64_t at)
{
	size_t lo = 0, hi = b->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (b->slot[mid].base <= at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static const struct bus_slot *bus_find(const struct bus *b, uint64_t at,
				       size_t len)
{
	size_t i = slots_upto(b, at);
	const struct bus_slot *s;

	if (i == 0)
		return NULL;
	s = &b->slot[i - 1];
	return range_ok(at - s->base, len, s->size) ? s : NULL;
}

int bus_claim(struct bus *b, uint64_t base, uint64_t size,
	      const struct bus_ops *ops, void *dev)
{
	size_t i = slots_upto(b, base);
	uint64_t last;

	if (size == 0 || !add_u64(base, size - 1, &last))
		return -ERANGE;
	if (b->n == BUS_SLOTS)
		return -ENOSPC;
	if (i > 0 && base - b->slot[i - 1].base < b->slot[i - 1].size)
		return -EEXIST;
	if (i < b->n && b->slot[i].base <= last)
		return -EEXIST;
	bytes_move(&b->slot[i + 1],
		   sizeof(b->slot) - (i + 1) * sizeof(*b->slot), &b->slot[i],
		   (b->n - i) * sizeof(*b->slot));
	b->slot[i] = (struct bus_slot){ base, size, ops, dev };
	b->n++;
	return 0;
}

void bus_release(struct bus *b, uint64_t base, const void *dev)
{
	size_t i = slots_upto(b, base);

	if (i == 0 || b->slot[i - 1].base != base || b->slot[i - 1].dev != dev)
		return;
	b->n--;
	bytes_move(&b->slot[i - 1],
		   sizeof(b->slot) - (i - 1) * sizeof(*b->slot), &b->slot[i],
		   (b->n - (i - 1)) * sizeof(*b->slot));
}

void bus_read(struct bus *b, uint64_t at, void *buf, size_t len)
{
	const struct bus_slot *s;

	bus_lock(b);
	s = bus_find(b, at, len);
	if (!s || !s->ops->read ||
	    !s->ops->read(s->dev, at - s->base, buf, len))
		memset(buf, 0xff, len); /* open bus */
	bus_unlock(b);
}

void bus_write(struct bus *b, uint64_t at, const void *buf, size_t len)
{
	const struct bus_slot *s;

	bus_lock(b);
	s = bus_find(b, at, len);
	if (s && s->ops->write)
		(void)s->ops->write(s->dev, at - s->base, buf, len);
	bus_unlock(b);
}

void bus_lock(struct bus *b)
{
	int rc = pthread_mutex_lock(b->lock);

	CHECK(rc == 0);
}

void bus_unlock(struct bus *b)
{
	int rc = pthread_mutex_unlock(b->lock);

	CHECK(rc == 0);
}
