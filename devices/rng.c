/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rng: see the header. The bytes are the guest's alone: they go through no
 * buffer of ours that could outlive the request.
 */
#include "devices/rng.h"

#include <errno.h>
#include <sys/random.h>

#include "vmm/log.h"

static int fill(const struct iovec *v, size_t len)
{
	uint8_t *to = v->iov_base;

	while (len) {
		ssize_t n = getrandom(to, len, 0);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			to += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int rng_request(struct vdev *d, struct chain *c, uint32_t *written)
{
	struct iovec iov[VIRTQ_SPANS];
	size_t left = RNG_BYTES;
	int n, rc;

	/* 5.4.6.1: nothing to read, something to write. */
	if (c->n_out || !c->n_in)
		return -EBADMSG;
	rc = chain_iov(c, d->mem, true, iov, &n);
	for (int i = 0; !rc && i < n && left; i++) {
		size_t step = (size_t)min_u64(left, iov[i].iov_len);

		rc = fill(&iov[i], step);
		left -= step;
	}
	*written = (uint32_t)(RNG_BYTES - left);
	return rc;
}

static const struct vdev_ops rng_ops = {
	.name = "virtio-rng",
	.type = VIRTIO_TYPE_ENTROPY,
	.class = 0x00ff00, /* nothing that PCI has a class for */
	.request = rng_request,
};

int rng_attach(struct rng *r, const struct rng_config *cfg, struct pci_bus *pci,
	       uint8_t devfn, const struct gmem *mem, struct irq *irq,
	       const struct worker_hooks *hooks)
{
	int rc;

	*r = (struct rng){ 0 };
	rc = vdev_open(&r->vdev, &rng_ops, "rng", mem, 0, cfg->platform, 1,
		       hooks);
	if (rc)
		goto fail;
	rc = virtio_pci_attach(&r->pci, &r->vdev, pci, devfn, irq);
	if (!rc)
		return 0;
	vdev_close(&r->vdev);
fail:
	log_error("entropy device: %s", strerror(-rc));
	return rc;
}

void rng_close(struct rng *r)
{
	vdev_close(&r->vdev);
	virtio_pci_close(&r->pci);
}

void rng_pause(struct rng *r)
{
	vdev_pause(&r->vdev);
}

void rng_resume(struct rng *r)
{
	vdev_resume(&r->vdev);
}

void rng_reset(struct rng *r)
{
	vdev_reset(&r->vdev);
}
