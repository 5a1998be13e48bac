/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhost_user: see the header. The first connection is made here, before the
 * sandbox; the worker (vhost_serve.c) has it from then on.
 */
#include "devices/vhost_user.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/dial.h"
#include "devices/vhost_ring.h"
#include "devices/vhost_serve.h"
#include "devices/vhost_talk.h"
#include "vmm/log.h"

const struct vhost_kind vhost_disk = {
	.ops = { .name = "virtio-blk",
		 .type = VIRTIO_TYPE_BLOCK,
		 .class = 0x010000, /* mass storage */
		 .serve_all = vhost_serve,
		 .reset = vhost_reset },
	/*
	 * Of 5.2.3: SIZE_MAX, SEG_MAX, GEOMETRY, RO, BLK_SIZE, FLUSH, TOPOLOGY,
	 * MQ, DISCARD, WRITE_ZEROES. Not CONFIG_WCE: qemu-storage-daemon says
	 * there that it has no write cache, and has one, so that a driver would
	 * never flush (seen: what a guest had synced was lost with the daemon).
	 * Without it a driver flushes, whatever the peer has.
	 */
	.features = 0x7676,
	.config_bytes = 60, /* 5.2.4, up to what these need */
	.queues_at = 34,
};

#define FS_TAG_BYTES 36 /* 5.11.4; the number of request queues follows */

const struct vhost_kind vhost_fs = {
	.ops = { .name = "virtio-fs",
		 .type = VIRTIO_TYPE_FS,
		 .class = 0x018000, /* mass storage, of no other kind */
		 .serve_all = vhost_serve,
		 .reset = vhost_reset },
	.queues_at = FS_TAG_BYTES,
	.more_queues = 1, /* that for FORGET and INTERRUPT */
	.stateful = true,
};

static void close_one(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void close_all(struct vhost_user *v)
{
	vhost_bells_close(&v->vdev);
	close_one(v->fd);
	close_one(v->back[0]);
	close_one(v->back[1]);
	close_one(v->dial_fd);
	close_one(v->inflight_fd);
	close_one(v->fresh_fd);
	pthread_mutex_destroy(&v->lock);
}

/* Of those that count. -EINVAL, logged: the peer has fewer than are wanted. */
static int queues_of(const struct vhost_user *v,
		     const struct vhost_user_config *cfg, unsigned *n)
{
	unsigned has = v->queues > v->kind->more_queues
			       ? v->queues - v->kind->more_queues
			       : 0;

	*n = cfg->queues ? cfg->queues : (unsigned)min_u64(cfg->cpus, has);
	if (*n && *n <= has)
		return 0;
	log_error("%s: %s serves %u queues, and %u are asked for", cfg->id,
		  v->path, has, *n);
	return -EINVAL;
}

static int meet(struct vhost_user *v, const struct vhost_user_config *cfg)
{
	const char *why = "cannot be connected to; start it first";
	int rc = dial_path(v->path);

	v->fd = rc;
	if (rc >= 0)
		rc = talk_begin(v, &why);
	if (!rc && v->kind->config_bytes) {
		why = "gives no device configuration";
		rc = talk_config(v, v->vdev.config);
	}
	if (rc)
		log_error("%s: %s %s (%s)", cfg->id, v->path, why,
			  strerror(-rc));
	return rc;
}

static void config_fill(struct vhost_user *v,
			const struct vhost_user_config *cfg, unsigned queues)
{
	v->vdev.config_len = v->kind->config_bytes;
	if (cfg->tag) {
		bytes_copy(v->vdev.config, FS_TAG_BYTES, cfg->tag,
			   strlen(cfg->tag));
		v->vdev.config_len = FS_TAG_BYTES + sizeof(uint32_t);
	}
	put_le16(v->vdev.config + v->kind->queues_at, (uint16_t)queues);
}

static int open_vdev(struct vhost_user *v, const struct vhost_user_config *cfg)
{
	unsigned queues;
	int rc = queues_of(v, cfg, &queues);

	if (rc)
		return rc;
	config_fill(v, cfg, queues);
	rc = vdev_open(&v->vdev, &v->kind->ops, cfg->id, v->board->mem,
		       v->features & v->kind->features, cfg->platform,
		       queues + v->kind->more_queues, v->board->hooks);
	if (rc)
		return rc;
	v->vdev.offered &= ~VHOST_RING_FEATURES | v->features;
	v->vdev.foreign_bells = true;
	rc = vhost_bells_open(&v->vdev, v->vdev.n_queues);
	if (rc)
		vdev_close(&v->vdev);
	return rc;
}

int vhost_user_attach(struct vhost_user *v, const struct vhost_kind *kind,
		      const struct vhost_user_config *cfg,
		      const struct vhost_board *board, uint8_t devfn)
{
	int rc;

	*v = (struct vhost_user){
		.kind = kind,
		.board = board,
		.path = cfg->path,
		.fd = -1,
		.back = { -1, -1 },
		.dial_fd = cfg->dial_fd,
		.inflight_fd = -1,
		.settled = true,
		.fresh_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	pthread_mutex_init(&v->lock, NULL);
	rc = v->fresh_fd < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC,
					   0, v->back)
		     ? -errno
		     : meet(v, cfg);
	if (!rc)
		rc = open_vdev(v, cfg);
	if (rc)
		goto fail;
	rc = virtio_pci_attach(&v->pci, &v->vdev, board->pci, devfn,
			       board->irq);
	if (rc)
		goto fail_vdev;
	worker_set_wait(vdev_worker(&v->vdev, 0), vhost_wait);
	rc = event_add(board->ev, v->fresh_fd, EPOLLIN, vhost_on_fresh, v);
	if (!rc)
		return 0;
	virtio_pci_close(&v->pci);
fail_vdev:
	vdev_close(&v->vdev);
fail:
	close_all(v);
	return rc;
}

void vhost_user_close(struct vhost_user *v)
{
	event_remove(v->board->ev, v->fresh_fd);
	vdev_close(&v->vdev);
	virtio_pci_close(&v->pci);
	close_all(v);
}

void vhost_user_pause(struct vhost_user *v)
{
	vdev_pause(&v->vdev);
}

void vhost_user_resume(struct vhost_user *v)
{
	vdev_resume(&v->vdev);
}
