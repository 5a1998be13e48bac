/* SPDX-License-Identifier: Apache-2.0 */
/*
 * board_ask: what the control socket wants of devices that run: their numbers,
 * and changes.
 */
#include "vmm/board.h"

#include <errno.h>
#include <string.h>

#include "vmm/board_parts.h"

void board_count(const struct board *b, struct board_counts *out)
{
	uint64_t moved = b->has_rng ? vdev_moved(&b->rng.vdev) : 0;

	*out = (struct board_counts){ .n_disks = b->n_disks,
				      .n_nets = b->n_nets,
				      .has_vsock = b->has_vsock };
	for (size_t i = 0; i < b->n_disks; i++) {
		blk_count(&b->disk[i], &out->disk[i]);
		moved += vdev_moved(&b->disk[i].vdev);
	}
	for (size_t i = 0; i < b->n_nets; i++) {
		net_count(&b->net[i], &out->net[i]);
		moved += vdev_moved(&b->net[i].vdev);
	}
	if (b->has_vsock) {
		vsock_count(&b->vsock, &out->vsock);
		moved += vdev_moved(&b->vsock.vdev);
	}
	if (b->has_console)
		moved += vdev_moved(&b->console.vdev);
	out->bounce_bytes = b->bounces ? moved : 0;
}

static struct blk *find_disk(struct board *b, const char *id)
{
	for (size_t i = 0; i < b->n_disks; i++)
		if (!strcmp(b->disk[i].vdev.label, id))
			return &b->disk[i];
	return NULL;
}

static struct net *find_net(struct board *b, const char *id)
{
	for (size_t i = 0; i < b->n_nets; i++)
		if (!strcmp(b->net[i].vdev.label, id))
			return &b->net[i];
	return NULL;
}

/* The i-th disk that another process serves. */
static bool peer_disk(struct board *b, size_t i, struct board_disk *out)
{
	for (size_t k = 0; k < b->n_peers; k++) {
		struct vhost_user *v = b->peer[k];

		if (v->kind != &vhost_disk || i--)
			continue;
		bus_lock(&b->vm->pio);
		*out = (struct board_disk){
			.id = v->vdev.label,
			.path = v->path,
			.readonly = v->vdev.offered & VHOST_DISK_RO,
			.peer = true,
			.bytes = get_le64(v->vdev.config) * BACKING_SECTOR,
		};
		bus_unlock(&b->vm->pio);
		return true;
	}
	return false;
}

bool board_disk(struct board *b, size_t i, struct board_disk *out)
{
	struct blk *d = &b->disk[i];

	if (i >= b->n_disks)
		return peer_disk(b, i - b->n_disks, out);
	*out = (struct board_disk){ .id = d->vdev.label,
				    .path = d->file.path,
				    .readonly = d->file.readonly,
				    .bytes = d->file.bytes };
	limit_get(&d->limit, &out->rates);
	return true;
}

bool board_net(struct board *b, size_t i, struct board_net *out)
{
	struct net *n = &b->net[i];

	if (i >= b->n_nets)
		return false;
	*out = (struct board_net){ .id = n->vdev.label,
				   .peer = n->peer,
				   .vhost = n->kernel,
				   .up = n->link.up };
	limit_get(&n->rx_limit, &out->rx);
	limit_get(&n->tx_limit, &out->tx);
	return true;
}

int board_limit_disk(struct board *b, const char *id, const struct rates *r)
{
	struct blk *d = find_disk(b, id);

	if (d)
		blk_set_limit(d, r);
	return d ? 0 : -ENODEV;
}

int board_limit_net(struct board *b, const char *id, const struct rates *rx,
		    const struct rates *tx)
{
	struct net *n = find_net(b, id);

	if (!n)
		return -ENODEV;
	if (n->kernel && (rates_any(rx) || rates_any(tx)))
		return -EOPNOTSUPP;
	net_set_limits(n, rx, tx);
	return 0;
}

int board_resize_disk(struct board *b, const char *id, uint64_t bytes,
		      uint64_t *found)
{
	struct blk *d = find_disk(b, id);

	return d ? blk_resize(d, &b->vm->pio, bytes, found) : -ENODEV;
}

int board_balloon(struct board *b, uint64_t bytes)
{
	if (!b->has_balloon)
		return -ENODEV;
	balloon_set(&b->balloon, bytes);
	return 0;
}

void board_count_balloon(struct board *b, struct balloon_counts *out)
{
	*out = (struct balloon_counts){ .on = false };
	if (b->has_balloon)
		balloon_count(&b->balloon, out);
}

void board_watch_balloon(struct board *b,
			 void (*changed)(void *ctx, uint64_t actual_bytes),
			 void *ctx)
{
	b->balloon.changed = changed;
	b->balloon.changed_ctx = ctx;
}

int board_set_link(struct board *b, const char *id, bool up)
{
	struct net *n = find_net(b, id);

	if (n)
		net_set_link(n, up);
	return n ? 0 : -ENODEV;
}
