/* SPDX-License-Identifier: Apache-2.0 */
/*
 * balloon: see the header. One worker serves all queues in turn. What a queue
 * is for depends on the features: the text numbers them once and for all, Linux
 * leaves out those that were not negotiated; both are understood here.
 */
#include "devices/balloon.h"

#include <assert.h>
#include <errno.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "vmm/clock.h"
#include "vmm/log.h"

#define TURN 8u /* requests of a queue before the others have theirs */
#define PFN_BYTES 4u
#define CHUNK 1024u /* PFNs that are looked at together */
#define STATS_MAX 64u /* more than there are tags: the rest is not read */
#define STATS_FRESH_NS (500ull * CLOCK_NS_PER_MS)

/* 5.5.6.3, packed. */
struct stat_wire {
	uint8_t tag[2], value[8];
};
static_assert(sizeof(struct stat_wire) == 10, "virtio 1.2, 5.5.6.3");

enum role { INFLATE, DEFLATE, STATS, REPORT, NOTHING };

static struct balloon *of_vdev(struct vdev *d)
{
	static_assert(offsetof(struct balloon, vdev) == 0, "cast");

	return (struct balloon *)d;
}

static enum role role_of(const struct vdev *d, unsigned i)
{
	const unsigned stats = d->accepted & BALLOON_F_STATS_VQ ? 1 : 0;
	const bool report = d->accepted & BALLOON_F_REPORTING;

	if (i < 2)
		return i == 0 ? INFLATE : DEFLATE;
	if (i == 2 && stats)
		return STATS;
	return report && (i == 4 || i == 2 + stats) ? REPORT : NOTHING;
}

/* Neighbours, in either direction, are given back at once. */
static int inflate_pfns(struct balloon *b, const uint8_t *bytes, size_t n)
{
	uint64_t first = 0, count = 0;
	int rc = 0;

	for (size_t i = 0; !rc && i <= n; i++) {
		uint64_t pfn = i < n ? get_le32(&bytes[i * PFN_BYTES]) : 0;

		if (i < n && count && pfn == first + count) {
			count++;
		} else if (i < n && count && pfn + 1 == first) {
			first--;
			count++;
		} else {
			rc = gmem_discard(b->vdev.mem,
					  (gpa_t){ first * BALLOON_PAGE },
					  count * BALLOON_PAGE);
			counter_add(&b->inflated_bytes,
				    rc ? 0 : count * BALLOON_PAGE);
			first = pfn;
			count = 1;
		}
	}
	return rc;
}

static int inflate(struct balloon *b, struct chain *c)
{
	const uint64_t len = chain_out_len(c);
	uint8_t bytes[CHUNK * PFN_BYTES];
	int rc = 0;

	if (c->n_in || len % PFN_BYTES || len > BALLOON_PFNS_MAX * PFN_BYTES)
		return -EBADMSG;
	/* Or a large page would come back for what is left of it. */
	if (!b->small_pages)
		gmem_small_pages(b->vdev.mem);
	b->small_pages = true;
	for (uint64_t done = 0; !rc && done < len;) {
		size_t n = (size_t)min_u64(len - done, sizeof(bytes));

		rc = chain_read(c, b->vdev.mem, bytes, n);
		if (!rc)
			rc = inflate_pfns(b, bytes, n / PFN_BYTES);
		done += n;
	}
	return rc;
}

/*
 * 5.5.6.6: where the driver expects something else than zeroes in its free
 * pages they stay as they are.
 */
static int report(struct balloon *b, const struct chain *c)
{
	const bool keep = b->vdev.accepted & BALLOON_F_PAGE_POISON &&
			  atomic_load(&b->poison);
	int rc = 0;

	if (c->n_out)
		return -EBADMSG;
	for (unsigned i = 0; !rc && !keep && i < c->n_in; i++) {
		const struct span *s = &c->s[c->first + i];

		rc = gmem_discard(b->vdev.mem, s->at, s->len);
		if (rc == -EINVAL)
			rc = -EBADMSG;
		counter_add(&b->reported_bytes, rc ? 0 : s->len);
	}
	return rc;
}

/* Tags that we do not know are passed over (5.5.6.4.1). */
static int read_stats(struct balloon *b, struct chain *c)
{
	struct stat_wire w;
	uint32_t seen = 0;
	int rc = 0;

	if (c->n_in)
		return -EBADMSG;
	for (unsigned i = 0; !rc && i < STATS_MAX; i++) {
		uint16_t tag;

		if (chain_out_len(c) < sizeof(w))
			break;
		rc = chain_read(c, b->vdev.mem, &w, sizeof(w));
		tag = rc ? BALLOON_STATS : get_le16(w.tag);
		if (tag >= BALLOON_STATS || get_le64(w.value) > INT64_MAX)
			continue;
		atomic_store(&b->stat[tag], get_le64(w.value));
		seen |= 1u << tag;
	}
	if (!rc)
		atomic_store(&b->stats_ns, clock_ns());
	if (!rc)
		atomic_store(&b->stats, seen);
	return rc;
}

/* One request. *keep: its chain is not to be given back yet. */
static int request(struct balloon *b, unsigned i, struct chain *c, bool *keep)
{
	*keep = false;
	switch (role_of(&b->vdev, i)) {
	case INFLATE: return inflate(b, c);
	case DEFLATE: return c->n_in ? -EBADMSG : 0; /* nothing to be done */
	case REPORT: return report(b, c);
	case STATS:
		*keep = true;
		b->stats_held = true;
		b->stats_head = c->head;
		return read_stats(b, c);
	default: return -EBADMSG;
	}
}

static bool is_full(const struct balloon *b, unsigned i)
{
	return b->stats_held && role_of(&b->vdev, i) == STATS;
}

static int serve_queue(struct balloon *b, unsigned i, bool *did)
{
	struct vqueue *q = &b->vdev.queue[i];
	bool gave = false, keep;
	int rc = 0;

	for (unsigned n = 0; !rc && n < TURN && !is_full(b, i); n++) {
		if (vdev_wanted_back(&b->vdev.queue[0]))
			break;
		rc = virtq_take(&q->ring, &q->chain);
		if (rc <= 0)
			break;
		*did = true;
		rc = request(b, i, &q->chain, &keep);
		if (!rc && !keep)
			rc = virtq_give(&q->ring, q->chain.head, 0);
		gave |= !keep;
	}
	return !rc && gave ? vdev_announce(q) : rc;
}

/* Giving the buffer back is how new statistics are asked for (5.5.6.3). */
static int ask_for_stats(struct balloon *b, unsigned i)
{
	struct virtq *ring = &b->vdev.queue[i].ring;
	int rc;

	if (!is_full(b, i) || !atomic_exchange(&b->stats_wanted, false))
		return 0;
	b->stats_held = false;
	rc = virtq_give(ring, b->stats_head, 0);
	return rc ? rc : vdev_announce(&b->vdev.queue[i]);
}

static int ask_for_kicks(struct balloon *b, bool on, bool *more)
{
	int rc = 0;

	*more = false;
	for (unsigned i = 0; !rc && i < BALLOON_QUEUES; i++) {
		struct vqueue *q = &b->vdev.queue[i];
		bool slipped_in = false;

		if (q->enabled)
			rc = virtq_notify_me(&q->ring, on && !is_full(b, i),
					     &slipped_in);
		*more |= slipped_in;
	}
	return rc;
}

static int balloon_serve(struct vdev *d)
{
	struct balloon *b = of_vdev(d);
	bool did, more = true;
	int rc = ask_for_kicks(b, false, &more);

	for (more = true; !rc && more;) {
		did = false;
		for (unsigned i = 0; !rc && i < BALLOON_QUEUES; i++) {
			if (!d->queue[i].enabled)
				continue;
			rc = ask_for_stats(b, i);
			if (!rc)
				rc = serve_queue(b, i, &did);
		}
		if (vdev_wanted_back(&d->queue[0]))
			break;
		if (!rc && !did)
			rc = ask_for_kicks(b, true, &more);
	}
	return rc;
}

static bool balloon_config_write(struct vdev *d, uint64_t off,
				 const uint8_t *buf, size_t len)
{
	struct balloon *b = of_vdev(d);

	if (len != sizeof(uint32_t) ||
	    (off != BALLOON_ACTUAL && off != BALLOON_POISON))
		return false;
	if (off == BALLOON_POISON)
		atomic_store(&b->poison, get_le32(buf));
	else if (get_le32(buf) != get_le32(&d->config[off]))
		(void)!write(b->changed_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
	put_le32(&d->config[off], get_le32(buf));
	return true;
}

/* What a driver had taken is the next one's again. The target stands. */
static void balloon_reset(struct vdev *d)
{
	struct balloon *b = of_vdev(d);

	put_le32(&d->config[BALLOON_ACTUAL], 0);
	put_le32(&d->config[BALLOON_POISON], 0);
	atomic_store(&b->poison, 0);
	atomic_store(&b->stats, 0);
	b->stats_held = false;
}

static const struct vdev_ops balloon_ops = {
	.name = "virtio-balloon",
	.type = VIRTIO_TYPE_BALLOON,
	.class = 0x00ff00, /* nothing that PCI has a class for */
	.serve_all = balloon_serve,
	.config_write = balloon_config_write,
	.reset = balloon_reset,
};

static uint64_t outside(const struct balloon *b, size_t field)
{
	uint64_t pages = get_le32(&b->vdev.config[field]);

	return b->ram_bytes - min_u64(pages * BALLOON_PAGE, b->ram_bytes);
}

/* Now, or when a second has passed since the last news. */
static void tell(struct balloon *b)
{
	const struct itimerspec second = { .it_value.tv_sec = 1 };
	uint64_t actual;
	bool set;

	b->untold = b->told;
	if (b->told)
		return;
	bus_lock(b->pci.pci.bus->pio);
	actual = outside(b, BALLOON_ACTUAL);
	bus_unlock(b->pci.pci.bus->pio);
	if (b->changed)
		b->changed(b->changed_ctx, actual);
	b->told = true;
	set = timerfd_settime(b->timer_fd, 0, &second, NULL) == 0;
	CHECK(set);
}

static void on_changed(void *ctx, int fd, uint32_t events)
{
	(void)events;
	if (event_take(fd))
		tell(ctx);
}

static void on_second(void *ctx, int fd, uint32_t events)
{
	struct balloon *b = ctx;

	(void)events;
	if (!event_take(fd))
		return;
	b->told = false;
	if (b->untold)
		tell(b);
}

static int open_news(struct balloon *b)
{
	int rc;

	b->changed_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	b->timer_fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (b->changed_fd < 0 || b->timer_fd < 0)
		return -errno;
	rc = event_add(b->event, b->changed_fd, EPOLLIN, on_changed, b);
	return rc ? rc
		  : event_add(b->event, b->timer_fd, EPOLLIN, on_second, b);
}

static void close_news(struct balloon *b)
{
	const int fds[] = { b->changed_fd, b->timer_fd };

	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		if (fds[i] < 0)
			continue;
		event_remove(b->event, fds[i]);
		close(fds[i]);
	}
}

int balloon_attach(struct balloon *b, struct pci_bus *pci, uint8_t devfn,
		   const struct gmem *mem, struct irq *irq, struct event *event,
		   const struct worker_hooks *hooks)
{
	int rc;

	*b = (struct balloon){ .event = event,
			       .ram_bytes = gmem_bytes(mem),
			       .changed_fd = -1,
			       .timer_fd = -1 };
	b->vdev.config_len = BALLOON_CONFIG_BYTES;
	rc = open_news(b);
	if (rc)
		goto fail;
	rc = vdev_open(&b->vdev, &balloon_ops, "balloon", mem,
		       BALLOON_F_STATS_VQ | BALLOON_F_DEFLATE_ON_OOM |
			       BALLOON_F_PAGE_POISON | BALLOON_F_REPORTING,
		       false, BALLOON_QUEUES, hooks);
	if (rc)
		goto fail;
	rc = virtio_pci_attach(&b->pci, &b->vdev, pci, devfn, irq);
	if (!rc)
		return 0;
	vdev_close(&b->vdev);
fail:
	close_news(b);
	log_error("memory balloon: %s", strerror(-rc));
	return rc;
}

void balloon_close(struct balloon *b)
{
	vdev_close(&b->vdev);
	virtio_pci_close(&b->pci);
	close_news(b);
}

void balloon_pause(struct balloon *b)
{
	vdev_pause(&b->vdev);
}

void balloon_resume(struct balloon *b)
{
	vdev_resume(&b->vdev);
}

void balloon_set(struct balloon *b, uint64_t bytes)
{
	uint64_t taken = b->ram_bytes - min_u64(bytes, b->ram_bytes);
	uint64_t pages = min_u64(taken / BALLOON_PAGE, UINT32_MAX);

	bus_lock(b->pci.pci.bus->pio);
	put_le32(&b->vdev.config[BALLOON_NUM_PAGES], (uint32_t)pages);
	vdev_config_changed(&b->vdev);
	bus_unlock(b->pci.pci.bus->pio);
}

void balloon_count(struct balloon *b, struct balloon_counts *out)
{
	const uint64_t now = clock_ns(), then = atomic_load(&b->stats_ns);

	*out = (struct balloon_counts){
		.on = true,
		.inflated_bytes = counter_get(&b->inflated_bytes),
		.reported_bytes = counter_get(&b->reported_bytes),
		.stats = atomic_load(&b->stats),
		.stat_age_ns = now - min_u64(then, now),
	};
	for (unsigned i = 0; i < BALLOON_STATS; i++)
		out->stat[i] = atomic_load(&b->stat[i]);
	bus_lock(b->pci.pci.bus->pio);
	out->target_bytes = outside(b, BALLOON_NUM_PAGES);
	out->actual_bytes = outside(b, BALLOON_ACTUAL);
	bus_unlock(b->pci.pci.bus->pio);
	if (!out->stats || out->stat_age_ns < STATS_FRESH_NS)
		return;
	atomic_store(&b->stats_wanted, true);
	worker_kick(vdev_worker(&b->vdev, 0));
}
