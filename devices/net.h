/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net: a virtio network device (virtio 1.2, 5.1). Each queue has a worker of
 * its own, and each pair an end on the host (net_end.h): one queue of a tap, or
 * the stream to passt. Workers move frames; the main thread alone changes the
 * link (net_link.h). A tap's queues may also be the kernel's (net_kernel.h).
 */
#ifndef CARREL_DEVICES_NET_H
#define CARREL_DEVICES_NET_H

#include "devices/net_link.h"
#include "devices/net_rx.h"
#include "devices/net_tx.h"
#include "devices/virtio_pci.h"
#include "vmm/config.h"
#include "vmm/event.h"

#define NET_PAIRS 8

static_assert(2 * NET_PAIRS + 1 <= VDEV_QUEUES, "and one for control");

struct net_config {
	const char *tap, *passt; /* one of them; borrowed */
	const char *id; /* also the name in log lines; borrowed */
	const uint8_t *mac; /* all zero: one at random */
	unsigned pairs; /* 1 to NET_PAIRS; passt: 1 */
	unsigned mtu; /* 0: a tap's own, unless that is 1500 */
	int dial_fd; /* of dial_fork, for passt; the device closes it. Or -1 */
	enum config_vhost vhost; /* does the kernel serve the tap's queues? */
	bool platform; /* VIRTIO_F_ACCESS_PLATFORM is required */
	struct rates rx, tx; /* rx: to the guest */
};

/* What a device is attached to; all of it outlives the device. */
struct net_board {
	struct pci_bus *pci;
	const struct gmem *mem;
	struct irq *irq;
	struct bus *bus; /* for its lock */
	struct event *ev;
	const struct worker_hooks *hooks;
	const struct worker_hooks *kernel_hooks; /* of net_kernel.h's worker */
};

struct net_pair {
	struct net_end *end;
	_Atomic(bool) on; /* the driver uses it */
	struct net_rx rx;
	struct net_tx tx;
};

struct net {
	struct vdev vdev; /* first: handlers cast back */
	struct virtio_pci pci;
	const struct net_board *board;
	const char *peer; /* for log lines: the tap's name, passt's socket */
	unsigned n_pairs;
	struct net_pair *pair[NET_PAIRS];
	struct net_kernel *kernel; /* NULL: we serve the queues */
	struct net_link link;
	struct limit rx_limit, tx_limit;
	pthread_mutex_t lock; /* of what a driver's start settles */
	_Atomic(bool) settled;
};

/* 0, or -errno after one log line. *n and *board must stay where they are. */
int net_attach(struct net *n, const struct net_config *cfg,
	       const struct net_board *board, uint8_t devfn) MUST_USE;
void net_close(struct net *n);

/* For stop and cont: between them no guest memory is touched. Counted. */
void net_pause(struct net *n);
void net_resume(struct net *n);

/* For the control socket, main thread. Frames that wait ask again. */
void net_set_limits(struct net *n, const struct rates *rx,
		    const struct rates *tx);

/* What its queues did so far, summed up. Any thread. */
void net_count(const struct net *n, struct net_counts *out);

/* The device's side of a control request (5.1.6.5), for net.c. */
int net_ctrl_request(struct vdev *d, struct chain *c,
		     uint32_t *written) MUST_USE;

/* How many pairs come before the control queue (5.1.2). */
unsigned net_pairs(const struct net *n);

/*
 * In a worker: a driver begins with one pair, and with the offloads that it
 * negotiated (5.1.6.5.5). -EBADFD: the tap was deleted.
 */
int net_settle(struct net *n) MUST_USE;

/* For net_ctrl.c: how many pairs the driver uses, and what it can take. */
int net_use_pairs(struct net *n, unsigned pairs) MUST_USE;
int net_use_offloads(struct net *n, uint64_t offloads) MUST_USE;

#endif
