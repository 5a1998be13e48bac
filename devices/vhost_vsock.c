/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhost_vsock: see the header.
 */
#include "devices/vhost_vsock.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "devices/vhost_ring.h"
#include "devices/vsock_packet.h"
#include "vmm/log.h"

#define DEVICE "/dev/vhost-vsock"

static_assert(VSOCK_RX == 0 && VSOCK_TX == 1, "the kernel's rings come first");

static struct vhost_vsock *of_vdev(struct vdev *d)
{
	static_assert(offsetof(struct vhost_vsock, vdev) == 0, "cast");

	return (struct vhost_vsock *)d;
}

static int start(struct vhost_vsock *v)
{
	struct vdev *d = &v->vdev;
	int rc = vhost_kernel_accept(&v->kernel,
				     d->accepted & VHOST_RING_FEATURES);

	for (unsigned i = 0; !rc && i < VHOST_VSOCK_RINGS; i++) {
		struct vhost_place at = { .base = v->base[i] };

		rc = vhost_ring_place(d, i, &at);
		if (!rc)
			rc = vhost_kernel_place(&v->kernel, i, &at);
	}
	if (!rc)
		rc = vhost_kernel_run(&v->kernel, true);
	if (rc)
		return rc;
	v->runs = true;
	/* What the guest offered in the meantime rang for nobody. */
	for (unsigned i = 0; i < VHOST_VSOCK_RINGS; i++)
		vdev_ring(d, i);
	return 0;
}

static int stop(struct vhost_vsock *v)
{
	int rc;

	if (!v->runs)
		return 0;
	v->runs = false;
	rc = vhost_kernel_run(&v->kernel, false);
	for (unsigned i = 0; !rc && i < VHOST_VSOCK_RINGS; i++)
		rc = vhost_kernel_base(&v->kernel, i, &v->base[i]);
	return rc;
}

static void watch(struct vhost_vsock *v)
{
	struct worker *w = vdev_worker(&v->vdev, 0);
	struct pollfd p[] = {
		{ .fd = w->kick_fd, .events = POLLIN },
		{ .fd = v->err_fd, .events = POLLIN },
	};

	if (poll(p, ARRAY_LEN(p), -1) <= 0)
		return;
	if (p[0].revents)
		worker_take_kick(w);
	if (!p[1].revents)
		return;
	vhost_bell_empty(v->err_fd);
	vdev_break(&v->vdev, VHOST_CONFUSED);
}

/* As long as this runs the kernel serves the guest. */
static int serve(struct vdev *d)
{
	struct vhost_vsock *v = of_vdev(d);
	int rc = 0, stopped;

	/* Without one of the two there is nothing to serve; it comes later. */
	if (d->queue[VSOCK_RX].enabled && d->queue[VSOCK_TX].enabled)
		rc = start(v);
	while (!rc && !vdev_wanted_back(&d->queue[0]))
		watch(v);
	stopped = stop(v);
	rc = rc ? rc : stopped;
	if (rc && rc != -EFAULT)
		vdev_break(d, VHOST_REFUSED);
	return rc;
}

static void opened(struct vdev *d, unsigned i)
{
	struct vhost_vsock *v = of_vdev(d);

	vhost_bell_empty(v->err_fd);
	if (i >= VHOST_VSOCK_RINGS)
		return;
	CHECK(!v->runs);
	v->base[i] = 0;
	vhost_bell_empty(d->queue[i].call_fd);
}

static const struct vdev_ops vsock_ops = {
	.name = "virtio-vsock",
	.type = VIRTIO_TYPE_SOCKET,
	.class = 0x078000, /* communication, of no other kind */
	.serve_all = serve,
	.opened = opened,
};

static void close_all(struct vhost_vsock *v)
{
	vhost_bells_close(&v->vdev);
	vhost_kernel_close(&v->kernel);
	if (v->err_fd >= 0)
		close(v->err_fd);
}

static int open_kernel(struct vhost_vsock *v,
		       const struct vhost_vsock_config *cfg,
		       const struct gmem *mem)
{
	const char *why;
	int rc = vhost_kernel_open(&v->kernel, DEVICE, mem, &why);

	if (rc) {
		vhost_kernel_refused("vsock", DEVICE, why, "vhost_vsock", rc);
		return rc;
	}
	rc = vhost_kernel_cid(&v->kernel, cfg->cid);
	if (rc)
		log_error("vsock: cid=%u: %s%s", cfg->cid, strerror(-rc),
			  rc == -EADDRINUSE ? "; another VM of this host has "
					      "it: with vhost=on each needs "
					      "one of its own"
					    : "");
	return rc;
}

static int open_vdev(struct vhost_vsock *v,
		     const struct vhost_vsock_config *cfg,
		     const struct gmem *mem, const struct worker_hooks *hooks)
{
	int rc;

	put_le64(v->vdev.config, cfg->cid); /* 5.10.4 */
	v->vdev.config_len = sizeof(uint64_t);
	rc = vdev_open(&v->vdev, &vsock_ops, "vsock", mem, 0, cfg->platform,
		       VSOCK_QUEUES, hooks);
	if (rc)
		return rc;
	v->vdev.offered &= ~VHOST_RING_FEATURES | v->kernel.features;
	rc = vhost_bells_open(&v->vdev, VHOST_VSOCK_RINGS);
	for (unsigned i = 0; !rc && i < VHOST_VSOCK_RINGS; i++)
		rc = vhost_kernel_wire(&v->kernel, i, v->vdev.queue[i].kick_fd,
				       v->vdev.queue[i].call_fd, v->err_fd);
	if (rc)
		vdev_close(&v->vdev);
	return rc;
}

int vhost_vsock_attach(struct vhost_vsock *v,
		       const struct vhost_vsock_config *cfg,
		       struct pci_bus *pci, uint8_t devfn,
		       const struct gmem *mem, struct irq *irq,
		       const struct worker_hooks *hooks)
{
	int rc;

	*v = (struct vhost_vsock){
		.kernel.fd = -1,
		.err_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	rc = open_kernel(v, cfg, mem);
	if (rc) { /* it said so itself */
		close_all(v);
		return rc;
	}
	rc = v->err_fd < 0 ? -EMFILE : open_vdev(v, cfg, mem, hooks);
	if (rc)
		goto fail;
	rc = virtio_pci_attach(&v->pci, &v->vdev, pci, devfn, irq);
	if (rc) {
		vdev_close(&v->vdev);
		goto fail;
	}
	worker_set_wait(vdev_worker(&v->vdev, 0), vhost_ring_wait);
	return 0;
fail:
	close_all(v);
	log_error("vsock: %s", strerror(-rc));
	return rc;
}

void vhost_vsock_close(struct vhost_vsock *v)
{
	vdev_close(&v->vdev);
	virtio_pci_close(&v->pci);
	close_all(v);
}

void vhost_vsock_pause(struct vhost_vsock *v)
{
	vdev_pause(&v->vdev);
}

void vhost_vsock_resume(struct vhost_vsock *v)
{
	vdev_resume(&v->vdev);
}
