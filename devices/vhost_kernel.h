/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhost_kernel: two rings that the host's kernel serves, by one file of
 * /dev/vhost-net or /dev/vhost-vsock (Linux, include/uapi/linux/vhost.h). The
 * kernel reads and writes guest memory from a thread of its own; what it makes
 * of a ring that the guest wrote is its affair, and what it does not like it
 * says by an eventfd. It is given only addresses that gmem has checked.
 *
 * The file is opened, and told of memory and eventfds, before the sandbox; from
 * then on one worker alone starts and stops rings.
 */
#ifndef CARREL_DEVICES_VHOST_KERNEL_H
#define CARREL_DEVICES_VHOST_KERNEL_H

#include "vmm/gmem.h"

struct vhost_kernel {
	int fd; /* -1: none */
	uint64_t features; /* that it offers */
};

/* A ring: user addresses, of this process (vhost_ring.h), and its position. */
struct vhost_place {
	uint16_t size, base;
	uint64_t desc, avail, used;
};

/*
 * Opens path, owns it and hands it the RAM of mem. -errno, and *why in words:
 * static text.
 */
int vhost_kernel_open(struct vhost_kernel *k, const char *path,
		      const struct gmem *mem, const char **why) MUST_USE;
void vhost_kernel_close(struct vhost_kernel *k);

/* That as a log line: who asked for it, and which module has the file. */
void vhost_kernel_refused(const char *who, const char *path, const char *why,
			  const char *module, int rc);

/* Ring i: how it hears of the guest, interrupts it, and says what is wrong. */
int vhost_kernel_wire(const struct vhost_kernel *k, unsigned i, int kick_fd,
		      int call_fd, int err_fd) MUST_USE;

/* What the driver accepted, of what is the kernel's affair; no ring runs. */
int vhost_kernel_accept(const struct vhost_kernel *k,
			uint64_t features) MUST_USE;

/* Ring i, which does not run, is there. */
int vhost_kernel_place(const struct vhost_kernel *k, unsigned i,
		       const struct vhost_place *at) MUST_USE;

/* Where a ring stands that was stopped. */
int vhost_kernel_base(const struct vhost_kernel *k, unsigned i,
		      uint16_t *base) MUST_USE;

/* /dev/vhost-net: ring i (0: to the guest) runs on a tap's queue; -1: stops. */
int vhost_kernel_tap(const struct vhost_kernel *k, unsigned i,
		     int tap_fd) MUST_USE;

/* /dev/vhost-vsock: the guest's address; both rings run or stop. */
int vhost_kernel_cid(const struct vhost_kernel *k, uint64_t cid) MUST_USE;
int vhost_kernel_run(const struct vhost_kernel *k, bool on) MUST_USE;

#endif
