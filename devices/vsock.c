/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vsock: see the header. The worker sleeps in epoll_wait, on the guest's
 * doorbell, the listening socket, the dialer and every connection; then it
 * moves packets and bytes both ways until neither direction has any.
 */
#include "devices/vsock.h"

#include <errno.h>
#include <sys/resource.h>

#include "devices/vsock_guest.h"
#include "devices/vsock_host.h"
#include "vmm/clock.h"
#include "vmm/log.h"

/* Descriptors that the rest of a VM has use for, by a wide margin. */
#define OTHER_FDS 512

static struct vsock *of_vdev(struct vdev *d)
{
	static_assert(offsetof(struct vsock, vdev) == 0, "cast");

	return (struct vsock *)d;
}

static void cut_if_due(struct vsock *v)
{
	if (atomic_exchange(&v->cut_due, false))
		host_cut(v);
}

/*
 * Held, nobody can answer the guest or a client: their time stands still. A
 * device that is broken has lost its connections until it is reset.
 */
static void vsock_wait(void *ctx, bool held)
{
	struct vsock *v = of_vdev(((struct vqueue *)ctx)->dev);
	bool broken = vdev_status(&v->vdev) & VIRTIO_S_NEEDS_RESET;

	if (broken)
		host_cut(v);
	cut_if_due(v);
	if (!held && !broken) {
		host_poll(v, host_patience(v));
		return;
	}
	if (!v->held_ns)
		v->held_ns = clock_ns();
	worker_take_kick(vdev_worker(&v->vdev, 0));
}

static int move(struct vsock *v, bool *did)
{
	int rc;

	*did = false;
	host_expire(v);
	rc = guest_tell(v);
	if (!rc)
		rc = guest_receive(v, did);
	if (!rc)
		rc = guest_send(v, did);
	return rc;
}

/* Notifications are wanted of what we wait for, and of nothing else. */
static int ask_for_kicks(struct vsock *v, bool on, bool *more)
{
	const bool wanted[VSOCK_QUEUES] = {
		[VSOCK_RX] = on && guest_starves(v) && !v->event_due,
		[VSOCK_TX] = on && v->orphans < VSOCK_ORPHANS,
		[VSOCK_EVENT] = on && v->event_due,
	};
	int rc = 0;

	*more = false;
	for (unsigned i = 0; !rc && i < VSOCK_QUEUES; i++) {
		struct vqueue *q = &v->vdev.queue[i];
		bool slipped_in = false;

		if (q->enabled)
			rc = virtq_notify_me(&q->ring, wanted[i], &slipped_in);
		*more |= slipped_in;
	}
	return rc;
}

static int vsock_serve(struct vdev *d)
{
	struct vsock *v = of_vdev(d);
	bool did, more = true;
	int rc;

	cut_if_due(v);
	if (v->held_ns)
		table_postpone(&v->conns, clock_ns() - v->held_ns);
	v->held_ns = 0;
	rc = ask_for_kicks(v, false, &more);
	for (more = true; !rc && more;) {
		if (vdev_wanted_back(&d->queue[0]))
			break;
		rc = move(v, &did);
		if (!rc && did)
			host_poll(v, 0);
		else if (!rc)
			rc = ask_for_kicks(v, true, &more);
	}
	return rc;
}

/* The connections are the worker's: it cuts them, held or not. */
static void vsock_reset(struct vdev *d)
{
	struct vsock *v = of_vdev(d);

	atomic_store(&v->cut_due, true);
	worker_kick(vdev_worker(d, 0));
}

static const struct vdev_ops vsock_ops = {
	.name = "virtio-vsock",
	.type = VIRTIO_TYPE_SOCKET,
	.class = 0x078000, /* communication, of no other kind */
	.serve_all = vsock_serve,
	.reset = vsock_reset,
};

/* Each connection is a descriptor; where the limit is lower, accept says so. */
static void raise_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) ||
	    l.rlim_cur >= VSOCK_CONNS + OTHER_FDS)
		return;
	l.rlim_cur = (rlim_t)min_u64(l.rlim_max, VSOCK_CONNS + OTHER_FDS);
	(void)setrlimit(RLIMIT_NOFILE, &l);
}

int vsock_attach(struct vsock *v, const struct vsock_config *cfg,
		 struct pci_bus *pci, uint8_t devfn, const struct gmem *mem,
		 struct irq *irq, const struct worker_hooks *hooks)
{
	int rc;

	*v = (struct vsock){ .cid = cfg->cid,
			     .path = cfg->path,
			     .epoll_fd = -1,
			     .listen_fd = -1,
			     .dial_fd = cfg->dial_fd };
	raise_limit();
	put_le64(v->vdev.config, cfg->cid); /* 5.10.4 */
	v->vdev.config_len = sizeof(uint64_t);
	rc = vdev_open(&v->vdev, &vsock_ops, "vsock", mem, 0, cfg->platform,
		       VSOCK_QUEUES, hooks);
	if (rc)
		goto fail_host;
	rc = host_open(v);
	if (rc)
		goto fail_vdev;
	rc = virtio_pci_attach(&v->pci, &v->vdev, pci, devfn, irq);
	if (rc)
		goto fail_vdev;
	worker_set_wait(vdev_worker(&v->vdev, 0), vsock_wait);
	return 0;
fail_vdev:
	vdev_close(&v->vdev);
fail_host:
	host_close(v);
	log_error("vsock '%s': %s", cfg->path, strerror(-rc));
	return rc;
}

void vsock_close(struct vsock *v)
{
	vdev_close(&v->vdev);
	virtio_pci_close(&v->pci);
	host_close(v);
}

void vsock_pause(struct vsock *v)
{
	vdev_pause(&v->vdev);
}

void vsock_resume(struct vsock *v)
{
	vdev_resume(&v->vdev);
}

void vsock_count(const struct vsock *v, struct vsock_counts *out)
{
	for (unsigned i = 0; i < VSOCK_COUNTERS; i++)
		out->n[i] = counter_get(&v->counts[i]);
}
