/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vsock: a virtio socket device (virtio 1.2, 5.10). Processes of the host's
 * reach a guest's port through a Unix socket, PATH, by a line "CONNECT PORT";
 * the guest reaches the host's port P as the Unix socket PATH_P. Bytes are only
 * passed on, straight between guest memory and sockets where both sides keep
 * up. One worker does all of it; what the guest or a client can pile up is
 * bounded, and each harms its own connections only.
 */
#ifndef CARREL_DEVICES_VSOCK_H
#define CARREL_DEVICES_VSOCK_H

#include "devices/virtio_pci.h"
#include "devices/vsock_table.h"
#include "vmm/counter.h"
#include "vmm/socket.h"

/* Clients that have not named a port yet; more wait in the backlog. */
#define VSOCK_LINES 128
/* RSTs for packets of no connection, until the guest has buffers for them. */
#define VSOCK_ORPHANS 256

struct vsock_config {
	uint32_t cid; /* the guest's: 3 to 0xfffffffe */
	const char *path; /* of the Unix socket; borrowed */
	int dial_fd; /* of dial_fork; the device closes it */
	bool platform; /* VIRTIO_F_ACCESS_PLATFORM is required */
};

struct vsock {
	struct vdev vdev; /* first: the handlers cast back */
	struct virtio_pci pci;
	uint64_t cid;
	const char *path;
	/* The host's side: of the worker, as is all that follows. */
	int epoll_fd, listen_fd, dial_fd;
	struct socket_file file;
	bool listening; /* epoll watches listen_fd */
	uint64_t starved_ns; /* since when accept fails; 0: it does not */
	unsigned lines; /* clients in CONN_LINE */
	struct vsock_table conns;
	struct vsock_header orphan[VSOCK_ORPHANS]; /* a ring */
	unsigned orphan_at, orphans;
	uint64_t held_ns; /* since when the worker is held; 0: it is not */
	bool event_due; /* the guest is to hear that its connections are cut */
	_Atomic(bool) cut_due; /* the driver is gone: set by any thread */
	unsigned failures; /* told in the log */
	struct counter counts[VSOCK_COUNTERS]; /* the worker's */
};

/* 0, or -errno after one log line. *v must stay where it is. */
int vsock_attach(struct vsock *v, const struct vsock_config *cfg,
		 struct pci_bus *pci, uint8_t devfn, const struct gmem *mem,
		 struct irq *irq, const struct worker_hooks *hooks) MUST_USE;
void vsock_close(struct vsock *v);

/* What it did so far. Any thread. */
void vsock_count(const struct vsock *v, struct vsock_counts *out);

/* For stop and cont: between them nothing moves. Counted. */
void vsock_pause(struct vsock *v);
void vsock_resume(struct vsock *v);

#endif
