/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limit: see the header. QEMU's and Linux' throttles are of the same kind: one
 * that asked for a bucket with room for the whole request would let a stream of
 * small ones starve a large one.
 */
#include "devices/limit.h"

#include "vmm/clock.h"

#define UNIT ((unsigned __int128)CLOCK_NS_PER_S) /* in a bucket's level */
#define BURST_SHARE 10 /* of a second's */

static void bucket_set(struct limit_bucket *b, uint64_t rate, uint64_t burst,
		       uint64_t now_ns)
{
	if (!burst)
		burst = max_u64(rate / BURST_SHARE, 1);
	*b = (struct limit_bucket){ rate, burst, 0, now_ns };
}

/* Lets it leak. A moment before the last one looked at is that one. */
static void bucket_leak(struct limit_bucket *b, uint64_t now_ns)
{
	unsigned __int128 out;

	if (now_ns <= b->at_ns)
		return;
	out = (unsigned __int128)(now_ns - b->at_ns) * b->rate;
	b->level = out < b->level ? b->level - out : 0;
	b->at_ns = now_ns;
}

/* How long until there is room for a unit. */
static uint64_t bucket_wait(struct limit_bucket *b, uint64_t now_ns)
{
	unsigned __int128 rim;

	if (!b->rate)
		return 0;
	bucket_leak(b, now_ns);
	rim = (unsigned __int128)(b->burst - 1) * UNIT;
	if (b->level <= rim)
		return 0;
	return (uint64_t)((b->level - rim + b->rate - 1) / b->rate);
}

static void bucket_add(struct limit_bucket *b, uint64_t units, uint64_t now_ns)
{
	if (!b->rate)
		return;
	bucket_leak(b, now_ns);
	b->level += units * UNIT;
}

void limit_open(struct limit *l)
{
	*l = (struct limit){ .on = false };
	pthread_mutex_init(&l->lock, NULL);
}

void limit_close(struct limit *l)
{
	pthread_mutex_destroy(&l->lock);
}

void limit_set(struct limit *l, const struct rates *r, uint64_t now_ns)
{
	pthread_mutex_lock(&l->lock);
	l->rates = *r;
	bucket_set(&l->bytes, r->bytes, r->bytes_burst, now_ns);
	bucket_set(&l->ops, r->ops, r->ops_burst, now_ns);
	atomic_store(&l->on, rates_any(r));
	pthread_mutex_unlock(&l->lock);
}

void limit_get(struct limit *l, struct rates *out)
{
	pthread_mutex_lock(&l->lock);
	*out = l->rates;
	pthread_mutex_unlock(&l->lock);
}

static bool is_on(const struct limit *l)
{
	return atomic_load_explicit(&l->on, memory_order_relaxed);
}

static uint64_t wait_of(struct limit *l, uint64_t now_ns)
{
	return max_u64(bucket_wait(&l->bytes, now_ns),
		       bucket_wait(&l->ops, now_ns));
}

static void add(struct limit *l, uint64_t now_ns, uint64_t bytes)
{
	bucket_add(&l->bytes, bytes, now_ns);
	bucket_add(&l->ops, 1, now_ns);
}

/* A wait is over, or goes on until wait_ns from now. */
static void meter(struct limit_meter *m, uint64_t now_ns, uint64_t wait_ns)
{
	if (m->from_ns)
		counter_add(&m->ns, min_u64(now_ns, m->until_ns) - m->from_ns);
	else if (wait_ns)
		counter_add(&m->waits, 1);
	m->from_ns = wait_ns ? now_ns : 0;
	m->until_ns = now_ns + wait_ns;
}

/* bytes NULL: it only asks. */
static uint64_t pass(struct limit *l, struct limit_meter *m, uint64_t now_ns,
		     const uint64_t *bytes)
{
	uint64_t wait = 0;

	if (!limit_matters(l, m))
		return 0;
	if (is_on(l)) {
		pthread_mutex_lock(&l->lock);
		wait = wait_of(l, now_ns);
		if (!wait && bytes)
			add(l, now_ns, *bytes);
		pthread_mutex_unlock(&l->lock);
	}
	meter(m, now_ns, wait);
	return wait;
}

uint64_t limit_take(struct limit *l, struct limit_meter *m, uint64_t now_ns,
		    uint64_t bytes)
{
	return pass(l, m, now_ns, &bytes);
}

uint64_t limit_ask(struct limit *l, struct limit_meter *m, uint64_t now_ns)
{
	return pass(l, m, now_ns, NULL);
}

void limit_passed(struct limit *l, uint64_t now_ns, uint64_t bytes)
{
	if (!is_on(l))
		return;
	pthread_mutex_lock(&l->lock);
	add(l, now_ns, bytes);
	pthread_mutex_unlock(&l->lock);
}
