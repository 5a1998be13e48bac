/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net: see the header. A tap's offloads and queues are settled by the first
 * worker that a driver's start wakes: threads that run the guest have no
 * business with the tap.
 */
#include "devices/net.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "devices/net_kernel.h"
#include "devices/passt.h"
#include "devices/tap.h"
#include "vmm/clock.h"
#include "vmm/log.h"

#define MTU_USUAL 1500u

static_assert(sizeof(struct net_space) <= VDEV_CONFIG, "room for it");

enum queue_role { ROLE_NONE, ROLE_RX, ROLE_TX, ROLE_CTRL };

/* Without MQ there is one, whatever the tap has. */
unsigned net_pairs(const struct net *n)
{
	return n->vdev.accepted & NET_F_MQ ? n->n_pairs : 1;
}

static enum queue_role role_of(const struct net *n, unsigned i)
{
	unsigned pairs = net_pairs(n);

	if (i < 2 * pairs)
		return i % 2 ? ROLE_TX : ROLE_RX;
	return i == 2 * pairs && n->vdev.accepted & NET_F_CTRL_VQ ? ROLE_CTRL
								  : ROLE_NONE;
}

int net_use_pairs(struct net *n, unsigned pairs)
{
	int rc = 0;

	if (!pairs || pairs > n->n_pairs)
		return -EINVAL;
	for (unsigned i = 0; !rc && i < n->n_pairs; i++) {
		struct net_pair *p = n->pair[i];

		if (n->kernel && i >= pairs)
			rc = net_kernel_rest(n, i);
		/* The host locks all its interfaces for it: not for nothing */
		if (!rc && n->n_pairs > 1 && atomic_load(&p->on) != (i < pairs))
			rc = p->end->ops->enable(p->end, i < pairs);
		atomic_store(&p->on, !rc && i < pairs);
		if (i < pairs)
			worker_kick(vdev_worker(&n->vdev, 2 * i));
	}
	return rc;
}

int net_use_offloads(struct net *n, uint64_t offloads)
{
	struct net_end *e = n->pair[0]->end;

	if (offloads & ~(n->vdev.accepted & NET_GUEST_OFFLOADS) ||
	    !net_features_ok(offloads))
		return -EINVAL;
	return e->ops->offload ? e->ops->offload(e, offloads) : 0;
}

int net_settle(struct net *n)
{
	int rc = 0;

	if (atomic_load(&n->settled))
		return 0;
	pthread_mutex_lock(&n->lock);
	if (!atomic_load(&n->settled)) {
		rc = net_use_offloads(n, n->vdev.accepted & NET_GUEST_OFFLOADS);
		if (!rc)
			rc = net_use_pairs(n, 1);
		atomic_store(&n->settled, !rc);
	}
	pthread_mutex_unlock(&n->lock);
	return rc;
}

static int serve(struct vdev *d, struct vqueue *q)
{
	struct net *n = (struct net *)d;
	unsigned i = (unsigned)(q - d->queue);
	struct net_pair *p = n->pair[i / 2 % n->n_pairs];
	int rc = 0;

	static_assert(offsetof(struct net, vdev) == 0, "cast");

	if (!atomic_load(&n->link.lost))
		rc = net_settle(n);
	if (rc == -EBADFD) /* the tap was deleted before the driver came */
		rc = -ENOTCONN;
	if (!rc) {
		switch (role_of(n, i)) {
		case ROLE_RX:
			if (atomic_load(&p->on) && !atomic_load(&n->link.lost))
				rc = net_rx_serve(&p->rx, q);
			break;
		case ROLE_TX: rc = net_tx_serve(&p->tx, q); break;
		case ROLE_CTRL: return vdev_serve(q);
		case ROLE_NONE: break;
		}
	}
	if (rc != -ENOTCONN && rc != -EPROTO && rc != -EBADFD)
		return rc;
	/* A queue that was taken out of use just now says EBADFD, too. */
	if (rc != -EBADFD || atomic_load(&p->on))
		net_link_lose(n, rc);
	return 0;
}

static void opened(struct vdev *d, unsigned i)
{
	struct net *n = (struct net *)d;
	const uint8_t *mtu = d->config + offsetof(struct net_space, mtu);

	atomic_store(&n->settled, false);
	if (role_of(n, i) == ROLE_RX)
		net_rx_opened(&n->pair[i / 2]->rx, d->accepted, get_le16(mtu));
	if (n->kernel)
		net_kernel_opened(n, i);
}

#define NET_OPS                                                                \
	.name = "virtio-net", .type = VIRTIO_TYPE_NET,                         \
	.class = 0x020000 /* Ethernet */, .request = net_ctrl_request,         \
	.opened = opened, .features_ok = net_features_ok

static const struct vdev_ops net_ops = { NET_OPS, .serve = serve };
static const struct vdev_ops kernel_ops = { NET_OPS,
					    .serve_all = net_kernel_serve };

/* An address of our own making: local, and of one station (IEEE 802, 8.4). */
static int random_mac(uint8_t *mac)
{
	if (getrandom(mac, NET_MAC_BYTES, 0) != NET_MAC_BYTES)
		return -EIO;
	mac[0] = (uint8_t)((mac[0] & 0xfc) | 2);
	return 0;
}

static int config_fill(struct net *n, const struct net_config *cfg,
		       unsigned mtu)
{
	static const uint8_t none[NET_MAC_BYTES];
	struct net_space s = {
		.status = NET_LINK_UP,
		.max_pairs = (uint16_t)n->n_pairs,
		.mtu = (uint16_t)mtu,
	};
	int rc = 0;

	bytes_copy(s.mac, sizeof(s.mac), cfg->mac, NET_MAC_BYTES);
	if (!memcmp(s.mac, none, sizeof(none)))
		rc = random_mac(s.mac);
	bytes_copy(n->vdev.config, sizeof(n->vdev.config), &s, sizeof(s));
	n->vdev.config_len = sizeof(s);
	return rc;
}

static unsigned mtu_of(const struct net_config *cfg)
{
	unsigned mtu = cfg->mtu;

	if (!mtu && cfg->tap)
		mtu = tap_mtu(cfg->tap);
	/* A driver takes it as the most it may ever set: see networking.md. */
	return mtu == MTU_USUAL && !cfg->mtu ? 0 : mtu;
}

static void close_ends(struct net *n)
{
	for (unsigned i = 0; i < NET_PAIRS; i++) {
		struct net_pair *p = n->pair[i];

		if (p && p->end)
			p->end->ops->close(p->end);
		free(p);
	}
	net_kernel_close(n);
	net_link_close(n);
	pthread_mutex_destroy(&n->lock);
	limit_close(&n->rx_limit);
	limit_close(&n->tx_limit);
}

static int open_ends(struct net *n, const struct net_config *cfg)
{
	struct net_end *end[NET_PAIRS] = { NULL };
	int rc;

	if (cfg->tap)
		rc = tap_open(end, n->n_pairs, cfg->tap);
	else
		rc = passt_open(&end[0], cfg->passt);
	for (unsigned i = 0; !rc && i < n->n_pairs; i++) {
		struct net_pair *p = calloc(1, sizeof(*p));

		if (!p) {
			while (i < n->n_pairs)
				end[i]->ops->close(end[i]), i++;
			return -ENOMEM;
		}
		n->pair[i] = p;
		p->end = p->rx.end = p->tx.end = end[i];
		p->rx.up = p->tx.up = &n->link.up;
		p->rx.tally.limit = &n->rx_limit;
		p->tx.tally.limit = &n->tx_limit;
	}
	return rc || !cfg->tap ? rc : net_kernel_open(n, cfg);
}

static uint64_t features_of(const struct net *n, const struct net_config *cfg,
			    unsigned mtu)
{
	uint64_t f = NET_F_MAC | NET_F_STATUS | NET_F_MRG_RXBUF;

	if (mtu)
		f |= NET_F_MTU;
	/* passt computes every sum itself and takes whole packets only. */
	if (cfg->tap)
		f |= NET_GUEST_OFFLOADS | NET_F_CTRL_VQ |
		     NET_F_CTRL_GUEST_OFFLOADS | NET_F_CSUM | NET_F_HOST_TSO4 |
		     NET_F_HOST_TSO6 | NET_F_HOST_ECN;
	if (n->n_pairs > 1)
		f |= NET_F_MQ;
	return f;
}

static int open_vdev(struct net *n, const struct net_config *cfg)
{
	unsigned mtu = mtu_of(cfg);
	uint64_t features = features_of(n, cfg, mtu);
	int rc = config_fill(n, cfg, mtu);

	if (!rc)
		rc = vdev_open(
			&n->vdev, n->kernel ? &kernel_ops : &net_ops, cfg->id,
			n->board->mem, features, cfg->platform,
			2 * n->n_pairs + (features & NET_F_CTRL_VQ ? 1 : 0),
			n->kernel ? n->board->kernel_hooks : n->board->hooks);
	if (rc || !n->kernel)
		return rc;
	n->vdev.offered &= ~NET_KERNEL_FEATURES | n->kernel->pair[0].features;
	rc = net_kernel_wire(n);
	if (rc)
		vdev_close(&n->vdev);
	return rc;
}

int net_attach(struct net *n, const struct net_config *cfg,
	       const struct net_board *board, uint8_t devfn)
{
	int rc;

	*n = (struct net){
		.board = board,
		.peer = cfg->tap ? cfg->tap : cfg->passt,
		.n_pairs = cfg->pairs,
	};
	CHECK(cfg->pairs && cfg->pairs <= NET_PAIRS);
	pthread_mutex_init(&n->lock, NULL);
	limit_open(&n->rx_limit);
	limit_open(&n->tx_limit);
	limit_set(&n->rx_limit, &cfg->rx, clock_ns());
	limit_set(&n->tx_limit, &cfg->tx, clock_ns());
	rc = net_link_open(n, cfg->dial_fd);
	if (rc)
		goto fail;
	rc = open_ends(n, cfg);
	if (rc) { /* it said so itself */
		close_ends(n);
		return rc;
	}
	rc = open_vdev(n, cfg);
	if (rc)
		goto fail;
	rc = virtio_pci_attach(&n->pci, &n->vdev, board->pci, devfn,
			       board->irq);
	if (rc)
		goto fail_vdev;
	if (n->kernel)
		worker_set_wait(vdev_worker(&n->vdev, 0), vhost_ring_wait);
	rc = net_link_attach(n);
	if (!rc)
		return 0;
	virtio_pci_close(&n->pci);
fail_vdev:
	vdev_close(&n->vdev);
fail:
	close_ends(n);
	log_error("network interface '%s': %s", cfg->id, strerror(-rc));
	return rc;
}

void net_close(struct net *n)
{
	vdev_close(&n->vdev);
	virtio_pci_close(&n->pci);
	close_ends(n);
}

void net_pause(struct net *n)
{
	vdev_pause(&n->vdev);
}

void net_resume(struct net *n)
{
	vdev_resume(&n->vdev);
}

void net_set_limits(struct net *n, const struct rates *rx,
		    const struct rates *tx)
{
	limit_set(&n->rx_limit, rx, clock_ns());
	limit_set(&n->tx_limit, tx, clock_ns());
	vdev_kick(&n->vdev);
}

/* first: NET_RX_FRAMES or NET_TX_FRAMES; what follows has the same order. */
static void add_tally(uint64_t *first, const struct net_tally *t)
{
	const struct counter *const all[] = {
		&t->frames, &t->bytes,	     &t->drops,
		&t->errors, &t->meter.waits, &t->meter.ns,
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		first[i] += counter_get(all[i]);
}

void net_count(const struct net *n, struct net_counts *out)
{
	*out = (struct net_counts){ .id = n->vdev.label };
	for (unsigned i = 0; i < n->n_pairs; i++) {
		add_tally(&out->n[NET_RX_FRAMES], &n->pair[i]->rx.tally);
		add_tally(&out->n[NET_TX_FRAMES], &n->pair[i]->tx.tally);
	}
}
