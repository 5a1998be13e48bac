/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhost_kernel_rig: the host's kernel as a server of rings, played at the two
 * calls by which it is reached, as a machine that builds carrel need not have
 * vhost. It believes what it is told, and checks the order. Cases net-vhost
 * and vsock-vhost have the real one.
 */
#ifndef CARREL_TESTS_UNIT_VHOST_KERNEL_RIG_H
#define CARREL_TESTS_UNIT_VHOST_KERNEL_RIG_H

#include "tests/unit/virtio_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "devices/net_frame.h"

/* Of linux/vhost.h, which brings other names for virtio's structures along. */
struct vhost_vring_state {
	unsigned index, num;
};

struct vhost_vring_file {
	unsigned index;
	int fd;
};

struct vhost_vring_addr {
	unsigned index, flags;
	uint64_t desc_user_addr, used_user_addr, avail_user_addr,
		log_guest_addr;
};

struct vhost_memory_region {
	uint64_t guest_phys_addr, memory_size, userspace_addr, flags_padding;
};

struct vhost_memory {
	uint32_t nregions, padding;
};

#define CALL(dir, nr, type) _IOC(dir, 0xaf, nr, sizeof(type))
#define GET_FEATURES CALL(_IOC_READ, 0x00, uint64_t)
#define SET_FEATURES CALL(_IOC_WRITE, 0x00, uint64_t)
#define SET_OWNER _IO(0xaf, 0x01)
#define SET_MEMORY CALL(_IOC_WRITE, 0x03, struct vhost_memory)
#define SET_NUM CALL(_IOC_WRITE, 0x10, struct vhost_vring_state)
#define SET_ADDR CALL(_IOC_WRITE, 0x11, struct vhost_vring_addr)
#define SET_BASE CALL(_IOC_WRITE, 0x12, struct vhost_vring_state)
#define GET_BASE CALL(_IOC_READ | _IOC_WRITE, 0x12, struct vhost_vring_state)
#define SET_KICK CALL(_IOC_WRITE, 0x20, struct vhost_vring_file)
#define SET_CALL CALL(_IOC_WRITE, 0x21, struct vhost_vring_file)
#define SET_ERR CALL(_IOC_WRITE, 0x22, struct vhost_vring_file)
#define SET_BACKEND CALL(_IOC_WRITE, 0x30, struct vhost_vring_file)

#define SET_CID CALL(_IOC_WRITE, 0x60, uint64_t)
#define SET_RUNNING CALL(_IOC_WRITE, 0x61, int)

#define KERNEL_FILES 8
#define KERNEL_RINGS (2 * KERNEL_FILES)

#define PLAYED                                                                 \
	(VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1 |    \
	 VIRTIO_F_ACCESS_PLATFORM | NET_F_MRG_RXBUF | 1ull << 26)

/* The kernel, of which each open file has two rings. */
static struct {
	int open_errno; /* of the next open */
	unsigned long refuses; /* with refusal, or EIO */
	int refusal;
	uint64_t features; /* offered */
	_Atomic(uint64_t) accepted;
	int files, fd[KERNEL_FILES];
	struct vhost_memory_region region;
	unsigned regions;
	_Atomic(bool) runs[KERNEL_RINGS];
	_Atomic(unsigned) starts[KERNEL_RINGS];
	_Atomic(unsigned) base[KERNEL_RINGS];
	struct vhost_vring_addr addr[KERNEL_RINGS];
	uint64_t cid;
	int err_fd, kick_fd[KERNEL_RINGS];
} kernel;

int kernel_open(const char *path, int flags, int mode) __asm__("open");
int kernel_ioctl(int fd, unsigned long what, void *arg) __asm__("ioctl");

int kernel_open(const char *path, int flags, int mode)
{
	if (strncmp(path, "/dev/vhost-", 11))
		return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	if (kernel.open_errno) {
		errno = kernel.open_errno;
		return -1;
	}
	return kernel.fd[kernel.files++] = eventfd(0, EFD_CLOEXEC);
}

static inline int take_memory(const struct vhost_memory *m)
{
	kernel.regions = m->nregions;
	kernel.region = *(const struct vhost_memory_region *)(m + 1);
	return 0;
}

/* Ring i of all; a running one cannot be moved (vhost_vring_ioctl). */
static inline int set_ring(unsigned i, unsigned long what, void *arg)
{
	const struct vhost_vring_state *s = arg;
	const struct vhost_vring_file *f = arg;

	switch (what) {
	case SET_NUM: assert_int_equal(s->num, RIG_QUEUE); return 0;
	case SET_ADDR:
		kernel.addr[i] = *(struct vhost_vring_addr *)arg;
		return 0;
	case SET_BASE:
		assert_false(kernel.runs[i]);
		kernel.base[i] = s->num;
		return 0;
	case GET_BASE:
		((struct vhost_vring_state *)arg)->num = kernel.base[i];
		return 0;
	case SET_ERR: kernel.err_fd = f->fd; return 0;
	case SET_BACKEND:
		assert_true(kernel.runs[i] == (f->fd < 0));
		kernel.runs[i] = f->fd >= 0;
		kernel.starts[i] += f->fd >= 0;
		return 0;
	case SET_KICK: kernel.kick_fd[i] = f->fd; return 0;
	case SET_CALL: return 0; /* the transport's affair */
	default: fail_msg("ioctl %lx", what);
	}
	return -1;
}

static inline int run_vsock(bool on)
{
	for (unsigned i = 0; i < 2; i++) {
		assert_true(kernel.runs[i] != on);
		kernel.runs[i] = on;
		kernel.starts[i] += on;
	}
	return 0;
}

static inline int kernel_serves(unsigned file, unsigned long what, void *arg)
{
	switch (what) {
	case SET_OWNER: return 0;
	case GET_FEATURES: *(uint64_t *)arg = kernel.features; return 0;
	case SET_FEATURES: kernel.accepted = *(uint64_t *)arg; return 0;
	case SET_MEMORY: return take_memory(arg);
	case SET_CID: kernel.cid = *(uint64_t *)arg; return 0;
	case SET_RUNNING: return run_vsock(*(int *)arg);
	default:
		assert_in_range(*(unsigned *)arg, 0, 1);
		return set_ring(2 * file + *(unsigned *)arg, what, arg);
	}
}

int kernel_ioctl(int fd, unsigned long what, void *arg)
{
	for (unsigned i = 0; i < (unsigned)kernel.files; i++) {
		if (fd != kernel.fd[i])
			continue;
		errno = kernel.refusal ? kernel.refusal : EIO;
		return what == kernel.refuses ? -1
					      : kernel_serves(i, what, arg);
	}
	return (int)syscall(SYS_ioctl, fd, what, arg);
}

static inline void kernel_new(void)
{
	memset(&kernel, 0, sizeof(kernel));
	kernel.features = PLAYED;
}

static inline bool eventually(const _Atomic(bool) *what, bool is)
{
	for (int i = 0; *what != is && i < 25000; i++)
		rig_nap();
	return *what == is;
}

#endif
