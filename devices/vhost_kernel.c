/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhost_kernel: see the header. User addresses are ours here, as the kernel
 * goes through this process's page tables. It is never told of
 * VIRTIO_F_ACCESS_PLATFORM: to it that means to ask for each translation, and
 * a guest's address is one of RAM whatever the driver had to do for it.
 */
#include "devices/vhost_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vmm/log.h"

static int ask(const struct vhost_kernel *k, unsigned long what, void *arg)
{
	return ioctl(k->fd, what, arg) ? -errno : 0;
}

/* RAM alone: the firmware's image is nobody's to write. */
static int give_memory(const struct vhost_kernel *k, const struct gmem *mem)
{
	_Alignas(struct vhost_memory) uint8_t
		buf[sizeof(struct vhost_memory) +
		    GMEM_REGIONS * sizeof(struct vhost_memory_region)] = { 0 };
	struct vhost_memory *t = (struct vhost_memory *)buf;

	for (size_t i = 0; i < mem->n; i++) {
		const struct gmem_region *r = &mem->r[i];
		struct vhost_memory_region *to = &t->regions[t->nregions];
		uint64_t at;
		int rc;

		if (r->kind != GMEM_RAM)
			continue;
		rc = gmem_uaddr(mem, r->base, r->size, &at);
		if (rc)
			return rc;
		to->guest_phys_addr = r->base.v;
		to->memory_size = r->size;
		to->userspace_addr = at;
		t->nregions++;
	}
	return ask(k, VHOST_SET_MEM_TABLE, t);
}

int vhost_kernel_open(struct vhost_kernel *k, const char *path,
		      const struct gmem *mem, const char **why)
{
	__u64 features = 0;
	int rc;

	*why = "cannot be opened";
	k->fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (k->fd < 0)
		return -errno;
	*why = "gives no thread";
	rc = ask(k, VHOST_SET_OWNER, NULL);
	if (!rc) {
		*why = "does not know what it can do";
		rc = ask(k, VHOST_GET_FEATURES, &features);
	}
	if (!rc && !(features >> VIRTIO_F_VERSION_1 & 1)) {
		*why = "is older than virtio 1";
		rc = -EPROTONOSUPPORT;
	}
	if (!rc) {
		*why = "does not take the guest's memory";
		rc = give_memory(k, mem);
	}
	k->features = features;
	if (rc)
		vhost_kernel_close(k);
	return rc;
}

void vhost_kernel_close(struct vhost_kernel *k)
{
	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
}

void vhost_kernel_refused(const char *who, const char *path, const char *why,
			  const char *module, int rc)
{
	const char *refusal = strerror(-rc);

	switch (rc) {
	case -ENOENT:
	case -ENODEV:
	case -ENXIO:
		log_error("%s: vhost=on: %s %s: %s; is the module loaded "
			  "(modprobe %s)?",
			  who, path, why, refusal, module);
		break;
	case -EACCES:
	case -EPERM:
		log_error("%s: vhost=on: %s %s: %s; may this user open it "
			  "(group kvm)?",
			  who, path, why, refusal);
		break;
	default: log_error("%s: vhost=on: %s %s: %s", who, path, why, refusal);
	}
}

int vhost_kernel_wire(const struct vhost_kernel *k, unsigned i, int kick_fd,
		      int call_fd, int err_fd)
{
	struct vhost_vring_file kick = { i, kick_fd };
	struct vhost_vring_file call = { i, call_fd };
	struct vhost_vring_file err = { i, err_fd };
	int rc = ask(k, VHOST_SET_VRING_KICK, &kick);

	if (!rc)
		rc = ask(k, VHOST_SET_VRING_CALL, &call);
	return rc ? rc : ask(k, VHOST_SET_VRING_ERR, &err);
}

int vhost_kernel_accept(const struct vhost_kernel *k, uint64_t features)
{
	__u64 v = features;

	return ask(k, VHOST_SET_FEATURES, &v);
}

int vhost_kernel_place(const struct vhost_kernel *k, unsigned i,
		       const struct vhost_place *at)
{
	struct vhost_vring_state num = { i, at->size }, base = { i, at->base };
	struct vhost_vring_addr addr = {
		.index = i,
		.desc_user_addr = at->desc,
		.avail_user_addr = at->avail,
		.used_user_addr = at->used,
	};
	int rc = ask(k, VHOST_SET_VRING_NUM, &num);

	if (!rc)
		rc = ask(k, VHOST_SET_VRING_BASE, &base);
	return rc ? rc : ask(k, VHOST_SET_VRING_ADDR, &addr);
}

int vhost_kernel_base(const struct vhost_kernel *k, unsigned i, uint16_t *base)
{
	struct vhost_vring_state s = { .index = i };
	int rc = ask(k, VHOST_GET_VRING_BASE, &s);

	if (!rc)
		*base = (uint16_t)s.num;
	return rc;
}

int vhost_kernel_tap(const struct vhost_kernel *k, unsigned i, int tap_fd)
{
	struct vhost_vring_file f = { i, tap_fd };

	return ask(k, VHOST_NET_SET_BACKEND, &f);
}

int vhost_kernel_cid(const struct vhost_kernel *k, uint64_t cid)
{
	__u64 v = cid;

	return ask(k, VHOST_VSOCK_SET_GUEST_CID, &v);
}

int vhost_kernel_run(const struct vhost_kernel *k, bool on)
{
	int v = on;

	return ask(k, VHOST_VSOCK_SET_RUNNING, &v);
}
