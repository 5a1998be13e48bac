/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhost_user: a virtio device whose queues another process serves, a vhost-user
 * back end: a disk of qemu-storage-daemon, a directory of virtiofsd. We own the
 * registers, tell it where rings and memory are, and then are in nobody's way:
 * KVM writes the guest's notifications to the peer's eventfds and turns its
 * into interrupts.
 *
 * The peer maps all of the guest's RAM, so it can do to the guest what it
 * likes; to us it can say what it likes, and is cut off for what makes no
 * sense. One worker does all the talking: it is "running" as long as the rings
 * are with the peer, so whoever holds it knows that the peer has stopped.
 */
#ifndef CARREL_DEVICES_VHOST_USER_H
#define CARREL_DEVICES_VHOST_USER_H

#include "devices/vhost_msg.h"
#include "devices/virtio_pci.h"
#include "vmm/event.h"

/* What a device is attached to; all of it outlives the device. */
struct vhost_board {
	struct pci_bus *pci;
	const struct gmem *mem;
	struct irq *irq;
	struct bus *bus; /* for its lock */
	struct event *ev;
	const struct worker_hooks *hooks;
};

/* A type of device, as far as it matters here. */
struct vhost_kind {
	struct vdev_ops ops;
	uint64_t features; /* of the type: those that are passed on */
	unsigned config_bytes; /* come from the peer; 0: config is ours */
	unsigned queues_at; /* where in config their number is */
	unsigned more_queues; /* that do not count in it */
	bool stateful; /* a peer cannot go on where another one died */
};

struct vhost_user {
	struct vdev vdev; /* first: the handlers cast back */
	struct virtio_pci pci;
	const struct vhost_kind *kind;
	const struct vhost_board *board;
	const char *path;
	/* The worker's, from its first moment on. */
	int fd; /* the connection; -1: there is none */
	/* The peer's channel: our end, and the one it gets; -1: shut. */
	int back[2];
	int dial_fd;
	bool dialing; /* an answer of the dialer's is to come */
	uint64_t retry_ns;
	uint64_t features, protocol; /* of the peer */
	unsigned queues;
	bool with_peer; /* the rings are */
	bool asked; /* a peer has had the rings, since the last reset */
	bool settled; /* of what the peer took, everything was answered */
	uint16_t base[VDEV_QUEUES];
	int inflight_fd; /* -1: none */
	struct vhost_inflight inflight;
	bool silent; /* the log knows that there is no peer */
	unsigned told; /* lines about peers that come and go */
	unsigned told_slow; /* and about one that does not finish */
	uint64_t since_ns; /* since when it is there again; 0: the first one */
	_Atomic(bool) renewed; /* by a reset, with the worker held */
	/* What the main thread is to show to the driver. */
	pthread_mutex_t lock;
	uint8_t fresh[VHOST_CONFIG_BYTES];
	int fresh_fd; /* eventfd */
};

struct vhost_user_config {
	const char *path; /* the peer's socket; borrowed */
	const char *id; /* the name in log lines; borrowed */
	unsigned queues; /* of those that count; 0: as many as CPUs and peer */
	unsigned cpus;
	const char *tag; /* of a file system */
	int dial_fd; /* of dial_fork, exact; the device closes it */
	bool platform; /* VIRTIO_F_ACCESS_PLATFORM is required */
};

#define VHOST_DISK_RO (1ull << 5) /* VIRTIO_BLK_F_RO; virtio 1.2, 5.2.3 */
extern const struct vhost_kind vhost_disk, vhost_fs;

/* 0, or -errno after one log line. *v and *board must stay where they are. */
int vhost_user_attach(struct vhost_user *v, const struct vhost_kind *kind,
		      const struct vhost_user_config *cfg,
		      const struct vhost_board *board, uint8_t devfn) MUST_USE;
void vhost_user_close(struct vhost_user *v);

/* For stop and cont: between them the peer serves nothing. Counted. */
void vhost_user_pause(struct vhost_user *v);
void vhost_user_resume(struct vhost_user *v);

#endif
