/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vdev: see the header. A worker is held for three independent reasons, that
 * the driver has not said DRIVER_OK (from open and from each reset on), that
 * the device is no bus master, and that the VM is paused; the holds are
 * counted, so none knows of the others.
 */
#include "devices/vdev.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "vmm/clock.h"
#include "vmm/log.h"

#define DRIVER_BITS                                                            \
	(VIRTIO_S_ACKNOWLEDGE | VIRTIO_S_DRIVER | VIRTIO_S_DRIVER_OK |         \
	 VIRTIO_S_FEATURES_OK | VIRTIO_S_FAILED)

/* A guest that breaks its device in a loop must not fill the log. */
#define BREAKS_LOGGED 8

/*
 * A finished request is in the ring at once, but while others wait to be
 * served its interrupt may tell of them too: quick requests (from the host's
 * page cache) get one for many. One that may be slow has those before it
 * announced first (vdev_will_wait). Measured: three times as many cached reads
 * a second at depth 32.
 */
#define ANNOUNCE_NS 50000u

static void hold_all(struct vdev *d)
{
	for (unsigned i = 0; i < d->n_workers; i++)
		worker_hold(&d->queue[i].worker);
}

static void release_all(struct vdev *d)
{
	for (unsigned i = 0; i < d->n_workers; i++)
		worker_release(&d->queue[i].worker);
}

struct worker *vdev_worker(struct vdev *d, unsigned i)
{
	return &d->queue[d->ops->serve_all ? 0 : i].worker;
}

int vdev_doorbell(struct vdev *d, unsigned i)
{
	int fd = d->queue[i].kick_fd;

	return fd >= 0 ? fd : vdev_worker(d, i)->kick_fd;
}

/*
 * Another process may have the eventfd, and with it the file's flags: it can
 * make it one that blocks, and fill it. What has been rung is not rung again,
 * so nothing that is full is written to. The host's kernel, on the other hand,
 * is woken by the write and never empties it.
 */
void vdev_ring(struct vdev *d, unsigned i)
{
	struct pollfd p = { .fd = vdev_doorbell(d, i), .events = POLLIN };

	if (!d->foreign_bells || poll(&p, 1, 0) <= 0)
		(void)!write(p.fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

uint8_t vdev_status(const struct vdev *d)
{
	return atomic_load(&d->status);
}

static bool broken(const struct vdev *d)
{
	return vdev_status(d) & VIRTIO_S_NEEDS_RESET;
}

void vdev_break(struct vdev *d, const char *why)
{
	uint8_t old = atomic_fetch_or(&d->status, VIRTIO_S_NEEDS_RESET);
	unsigned n;

	if (old & VIRTIO_S_NEEDS_RESET)
		return;
	n = atomic_fetch_add(&d->breaks, 1) + 1;
	if (n <= BREAKS_LOGGED)
		log_warn("%s: %s: the device stops until the guest resets it%s",
			 d->label, why,
			 n == BREAKS_LOGGED ? " (last such line)" : "");
	/* 2.1.2: only a driver that said DRIVER_OK is told. */
	if (old & VIRTIO_S_DRIVER_OK)
		d->transport.config_interrupt(d->transport.ctx);
	/* One that waits for others is to know that it need not any more. */
	for (unsigned i = 0; i < d->n_workers; i++)
		worker_kick(&d->queue[i].worker);
}

static const char *ring_fault(int rc)
{
	switch (rc) {
	case -EBADMSG: return "malformed ring or request";
	case -ELOOP: return "descriptor chain too long or a loop";
	case -EFAULT: return "a buffer is not in guest memory";
	case -EACCES: return "a buffer is not writable memory";
	default: return "request failed inside the device";
	}
}

int vdev_announce(struct vqueue *q)
{
	bool yes;
	int rc = virtq_interrupt(&q->ring, &yes);

	if (!rc && yes)
		q->dev->transport.queue_interrupt(q->dev->transport.ctx, q);
	q->announced_ns = clock_ns();
	return rc;
}

/* A chain that request got is that of its queue. */
static const struct vqueue *queue_of(const struct chain *c)
{
	return (const struct vqueue *)((const char *)c -
				       offsetof(struct vqueue, chain));
}

int vdev_announce_late(struct vqueue *q)
{
	return clock_ns() - q->announced_ns >= ANNOUNCE_NS ? vdev_announce(q)
							   : 0;
}

int vdev_will_wait(struct chain *c)
{
	return vdev_announce((struct vqueue *)queue_of(c));
}

int vdev_wait_until(struct vdev *d, struct chain *c, uint64_t ns)
{
	worker_wake_at(vdev_worker(d, vdev_queue_of(d, c)), ns);
	return -EAGAIN;
}

unsigned vdev_queue_of(const struct vdev *d, const struct chain *c)
{
	return (unsigned)(queue_of(c) - d->queue);
}

bool vdev_wanted_back(const struct vqueue *q)
{
	const struct vdev *d = q->dev;

	return worker_held(d->ops->serve_all ? &d->queue[0].worker
					     : &q->worker) ||
	       broken(d);
}

static int serve_one(struct vqueue *q)
{
	uint16_t head = q->chain.head;
	uint32_t written = 0;
	int rc;

	rc = q->dev->ops->request(q->dev, &q->chain, &written);
	if (rc == -EAGAIN)
		virtq_untake(&q->ring);
	if (!rc)
		rc = virtq_give(&q->ring, head, written);
	return rc ? rc : vdev_announce_late(q);
}

/* Takes and serves until the ring is empty or the worker is wanted back. */
int vdev_serve(struct vqueue *q)
{
	bool more, unused;
	int rc;

	q->announced_ns = clock_ns();
	rc = virtq_notify_me(&q->ring, false, &unused);
	for (more = true; !rc && more;) {
		if (vdev_wanted_back(q))
			break;
		rc = virtq_take(&q->ring, &q->chain);
		if (rc == 1) {
			rc = serve_one(q);
			continue;
		}
		if (!rc)
			rc = vdev_announce(q);
		if (!rc)
			rc = virtq_notify_me(&q->ring, true, &more);
	}
	/* Nothing is to ring before its time: the worker wakes by itself. */
	return rc && rc != -EAGAIN ? rc : vdev_announce(q);
}

static void queue_run(void *ctx)
{
	struct vqueue *q = ctx;
	const struct vdev_ops *ops = q->dev->ops;
	int rc;

	if (broken(q->dev) || (!q->enabled && !ops->serve_all))
		return;
	if (ops->serve_all)
		rc = ops->serve_all(q->dev);
	else
		rc = ops->serve ? ops->serve(q->dev, q) : vdev_serve(q);
	if (rc)
		vdev_break(q->dev, ring_fault(rc));
}

static void queue_clear(struct vqueue *q)
{
	q->setup = (struct virtq_setup){ .size = VIRTQ_SIZE_MAX };
	q->enabled = false;
	atomic_store(&q->vector, VIRTIO_NO_VECTOR);
}

int vdev_open(struct vdev *d, const struct vdev_ops *ops, const char *label,
	      const struct gmem *mem, uint64_t features, bool platform,
	      unsigned queues, const struct worker_hooks *hooks)
{
	const unsigned workers = ops->serve_all ? 1 : queues;
	char name[32];
	int rc;

	CHECK(queues && queues <= VDEV_QUEUES);
	d->ops = ops;
	d->label = label;
	d->mem = mem;
	d->required = VIRTIO_F_VERSION_1;
	if (platform)
		d->required |= VIRTIO_F_ACCESS_PLATFORM;
	d->offered = features | d->required | VIRTIO_F_INDIRECT_DESC |
		     VIRTIO_F_EVENT_IDX;
	d->accepted = 0;
	d->live = false;
	d->master = false;
	atomic_store(&d->status, 0);
	for (d->n_queues = 0; d->n_queues < queues; d->n_queues++) {
		d->queue[d->n_queues].dev = d;
		d->queue[d->n_queues].kick_fd = -1;
		d->queue[d->n_queues].call_fd = -1;
		queue_clear(&d->queue[d->n_queues]);
	}
	for (d->n_workers = 0; d->n_workers < workers; d->n_workers++) {
		struct vqueue *q = &d->queue[d->n_workers];

		(void)snprintf(name, sizeof(name), "%.10s.q%u", label,
			       d->n_workers);
		rc = worker_open(&q->worker, name, queue_run, q, hooks);
		if (rc)
			goto fail;
		worker_hold(&q->worker); /* that for no DRIVER_OK is its own */
	}
	return 0;
fail:
	vdev_close(d);
	return rc;
}

void vdev_close(struct vdev *d)
{
	/* One that breaks the device kicks all others: not those gone. */
	hold_all(d);
	while (d->n_workers)
		worker_close(&d->queue[--d->n_workers].worker);
}

void vdev_kick(struct vdev *d)
{
	for (unsigned i = 0; i < d->n_workers; i++)
		worker_kick(&d->queue[i].worker);
}

uint64_t vdev_moved(const struct vdev *d)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < d->n_queues; i++)
		n += counter_get(&d->queue[i].ring.moved);
	return n;
}

void vdev_pause(struct vdev *d)
{
	hold_all(d);
}

void vdev_resume(struct vdev *d)
{
	release_all(d);
}

void vdev_set_master(struct vdev *d, bool on)
{
	if (on && !d->master)
		release_all(d);
	else if (!on && d->master)
		hold_all(d);
	d->master = on;
}

void vdev_reset(struct vdev *d)
{
	/*
	 * The driver may reuse its memory as soon as it sees status 0, and some
	 * firmware does so without looking: wait here for what is in flight.
	 */
	if (d->live)
		hold_all(d);
	d->live = false;
	d->accepted = 0;
	for (unsigned i = 0; i < d->n_queues; i++)
		queue_clear(&d->queue[i]);
	/* Status last: a thread that still broke it did so before this. */
	if (d->ops->reset)
		d->ops->reset(d);
	atomic_store(&d->status, 0);
}

void vdev_accept(struct vdev *d, unsigned word, uint32_t bits)
{
	/* 2.2.1: settled by FEATURES_OK. */
	if (word > 1 || vdev_status(d) & VIRTIO_S_FEATURES_OK)
		return;
	d->accepted &= ~(0xffffffffull << 32 * word);
	d->accepted |= (uint64_t)bits << 32 * word;
}

static bool features_ok(const struct vdev *d)
{
	return !(d->accepted & ~d->offered) &&
	       (d->accepted & d->required) == d->required &&
	       (!d->ops->features_ok || d->ops->features_ok(d->accepted));
}

void vdev_set_status(struct vdev *d, uint8_t v)
{
	uint8_t old = vdev_status(d);

	if (!v) {
		vdev_reset(d);
		return;
	}
	/* 2.1.1: the driver never clears a bit, except by a reset. */
	v = (uint8_t)((v & DRIVER_BITS) & ~old);
	if (v & VIRTIO_S_FEATURES_OK && !features_ok(d))
		v = (uint8_t)(v & ~VIRTIO_S_FEATURES_OK);
	if (v & VIRTIO_S_DRIVER_OK && !((old | v) & VIRTIO_S_FEATURES_OK)) {
		vdev_break(d, "DRIVER_OK without FEATURES_OK");
		return;
	}
	atomic_fetch_or(&d->status, v);
	if (v & VIRTIO_S_DRIVER_OK && !d->live) {
		d->live = true;
		release_all(d);
	}
}

void vdev_config_changed(struct vdev *d)
{
	d->generation++;
	if (vdev_status(d) & VIRTIO_S_DRIVER_OK)
		d->transport.config_interrupt(d->transport.ctx);
}

bool vdev_config_read(const struct vdev *d, uint64_t off, uint8_t *buf,
		      size_t len)
{
	if (!range_ok(off, len, d->config_len))
		return false;
	bytes_copy(buf, len, d->config + off, len);
	return true;
}

bool vdev_config_write(struct vdev *d, uint64_t off, const uint8_t *buf,
		       size_t len)
{
	return d->ops->config_write && range_ok(off, len, d->config_len) &&
	       d->ops->config_write(d, off, buf, len);
}

void vdev_setup_queue(struct vdev *d, unsigned i, const struct virtq_setup *s)
{
	CHECK(i < d->n_queues);
	if (d->queue[i].enabled)
		vdev_break(d, "a live queue was moved");
	else
		d->queue[i].setup = *s;
}

void vdev_enable_queue(struct vdev *d, unsigned i)
{
	struct vqueue *q = &d->queue[i];
	int rc;

	CHECK(i < d->n_queues);
	if (q->enabled || broken(d))
		return;
	if (!(vdev_status(d) & VIRTIO_S_FEATURES_OK)) {
		vdev_break(d, "a queue enabled before FEATURES_OK");
		return;
	}
	/* The worker looks at enabled: change it only while it is held. */
	worker_hold(vdev_worker(d, i));
	rc = virtq_open(&q->ring, d->mem, &q->setup, d->accepted);
	if (!rc && d->ops->opened)
		d->ops->opened(d, i);
	q->enabled = !rc;
	worker_release(vdev_worker(d, i));
	if (rc == -EINVAL)
		vdev_break(d, "a queue of bad size or alignment");
	else if (rc)
		vdev_break(d, "a queue outside guest memory");
}
