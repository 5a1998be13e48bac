/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kvm: see the header.
 */
#include "vmm/kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vmm/board_map.h"
#include "vmm/log.h"

#define CPUID_MAX 256
#define CAP_VM_TYPES 235 /* KVM_CAP_VM_TYPES, newer than our headers */

int kvm_ioctl(int fd, unsigned long req, void *arg, const char *name)
{
	int rc = ioctl(fd, req, arg);

	if (rc >= 0)
		return rc;
	rc = -errno;
	log_error("%s: %s", name, strerror(-rc));
	return rc;
}

static int open_device(struct kvm *k)
{
	int v;

	k->fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (k->fd < 0) {
		int rc = -errno;

		log_error("/dev/kvm: %s (carrel needs KVM: load kvm_amd or "
			  "kvm_intel and give this user access)",
			  strerror(-rc));
		return rc;
	}
	v = ioctl(k->fd, KVM_GET_API_VERSION, 0);
	if (v == KVM_API_VERSION)
		return 0;
	log_error("/dev/kvm: API version %d, %d is needed", v, KVM_API_VERSION);
	return -ENOTSUP;
}

static int check_caps(struct kvm *k)
{
	static const struct {
		int cap;
		const char *name;
	} need[] = {
		{ KVM_CAP_IRQCHIP, "in-kernel interrupt chips" },
		{ KVM_CAP_USER_MEMORY, "user memory" },
		{ KVM_CAP_IRQFD, "irqfd" },
		{ KVM_CAP_IOEVENTFD, "ioeventfd" },
		{ KVM_CAP_IOEVENTFD_ANY_LENGTH, "ioeventfd of any length" },
		{ KVM_CAP_SIGNAL_MSI, "MSI" },
		{ KVM_CAP_IMMEDIATE_EXIT, "immediate_exit" },
		{ KVM_CAP_READONLY_MEM, "read-only memory" },
		{ KVM_CAP_PIT2, "PIT2" },
	};
	int n;

	for (size_t i = 0; i < ARRAY_LEN(need); i++) {
		if (ioctl(k->fd, KVM_CHECK_EXTENSION, need[i].cap) > 0)
			continue;
		log_error("/dev/kvm: this kernel lacks %s", need[i].name);
		return -ENOTSUP;
	}
	n = ioctl(k->fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);
	k->cpus_max = n > 0 ? (unsigned)n : 1;
	n = ioctl(k->fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (n < (int)sizeof(struct kvm_run)) {
		log_error("/dev/kvm: KVM_GET_VCPU_MMAP_SIZE: %d bytes, %zu are "
			  "needed",
			  n, sizeof(struct kvm_run));
		return -ENOTSUP;
	}
	k->run_bytes = (size_t)n;
	return 0;
}

static int make_vm(struct kvm *k, bool sev)
{
	int types = ioctl(k->fd, KVM_CHECK_EXTENSION, CAP_VM_TYPES);
	int rc;

	k->vm_type = sev && types > 0 && (types & 1 << KVM_TYPE_SEV)
			     ? KVM_TYPE_SEV
			     : 0;
	do
		rc = ioctl(k->fd, KVM_CREATE_VM, (unsigned long)k->vm_type);
	while (rc < 0 && errno == EINTR);
	if (rc < 0) {
		rc = -errno;
		log_error("KVM_CREATE_VM, type %u: %s", k->vm_type,
			  strerror(-rc));
		return rc;
	}
	k->vm_fd = rc;
	return 0;
}

/* Intel's real-mode pages sit below the local APIC; then the chips. */
static int make_chips(const struct kvm *k)
{
	uint64_t identity = BOARD_KVM_IDENTITY_BASE;
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	int rc;

	rc = kvm_ioctl(k->vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &identity,
		       "KVM_SET_IDENTITY_MAP_ADDR");
	if (rc >= 0 && ioctl(k->vm_fd, KVM_SET_TSS_ADDR,
			     (unsigned long)BOARD_KVM_TSS_BASE) < 0) {
		rc = -errno;
		log_error("KVM_SET_TSS_ADDR: %s", strerror(-rc));
	}
	if (rc >= 0)
		rc = kvm_ioctl(k->vm_fd, KVM_CREATE_IRQCHIP, NULL,
			       "KVM_CREATE_IRQCHIP");
	if (rc >= 0)
		rc = kvm_ioctl(k->vm_fd, KVM_CREATE_PIT2, &pit,
			       "KVM_CREATE_PIT2");
	return rc < 0 ? rc : 0;
}

int kvm_open(struct kvm *k, bool sev)
{
	int rc;

	*k = (struct kvm){ .fd = -1, .vm_fd = -1 };
	rc = open_device(k);
	if (!rc)
		rc = check_caps(k);
	if (!rc)
		rc = make_vm(k, sev);
	if (!rc)
		rc = make_chips(k);
	if (rc)
		kvm_close(k);
	return rc;
}

void kvm_close(struct kvm *k)
{
	if (k->vm_fd >= 0)
		close(k->vm_fd);
	if (k->fd >= 0)
		close(k->fd);
	k->fd = k->vm_fd = -1;
}

int kvm_map(const struct kvm *k, const struct gmem *m, bool rom_writable)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct gmem_region *r = &m->r[i];
		struct kvm_userspace_memory_region slot = {
			.slot = (uint32_t)i,
			.flags = r->kind == GMEM_ROM && !rom_writable
					 ? KVM_MEM_READONLY
					 : 0,
			.guest_phys_addr = r->base.v,
			.memory_size = r->size,
		};
		uint64_t at;
		int rc = gmem_uaddr(m, r->base, r->size, &at);

		slot.userspace_addr = at;
		if (!rc)
			rc = kvm_ioctl(k->vm_fd, KVM_SET_USER_MEMORY_REGION,
				       &slot, "KVM_SET_USER_MEMORY_REGION");
		if (rc < 0)
			return rc;
	}
	return 0;
}

/*
 * KVM's list leaves out the TSC-deadline timer, which needs the in-kernel local
 * APIC that we have (KVM API, KVM_GET_SUPPORTED_CPUID): one exit less a tick.
 */
static void add_tsc_deadline(const struct kvm *k, struct kvm_cpuid2 *c)
{
	if (ioctl(k->fd, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) <= 0)
		return;
	for (uint32_t i = 0; i < c->nent; i++)
		if (c->entries[i].function == 1)
			c->entries[i].ecx |= 1u << 24;
}

int kvm_supported_cpuid(const struct kvm *k, struct kvm_cpuid2 **out)
{
	struct kvm_cpuid2 *c;
	int rc;

	c = calloc(1, sizeof(*c) + CPUID_MAX * sizeof(c->entries[0]));
	if (!c)
		return -ENOMEM;
	c->nent = CPUID_MAX;
	rc = kvm_ioctl(k->fd, KVM_GET_SUPPORTED_CPUID, c,
		       "KVM_GET_SUPPORTED_CPUID");
	if (rc < 0) {
		free(c);
		return rc;
	}
	add_tsc_deadline(k, c);
	*out = c;
	return 0;
}

int kvm_get_chips(const struct kvm *k, struct kvm_chips *c)
{
	int rc = 0;

	for (uint32_t i = 0; i < ARRAY_LEN(c->chip) && rc >= 0; i++) {
		c->chip[i] = (struct kvm_irqchip){ .chip_id = i };
		rc = kvm_ioctl(k->vm_fd, KVM_GET_IRQCHIP, &c->chip[i],
			       "KVM_GET_IRQCHIP");
	}
	if (rc >= 0)
		rc = kvm_ioctl(k->vm_fd, KVM_GET_PIT2, &c->pit, "KVM_GET_PIT2");
	return rc < 0 ? rc : 0;
}

int kvm_set_chips(const struct kvm *k, const struct kvm_chips *c)
{
	struct kvm_chips copy = *c; /* the ioctls' arguments are not const */
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(copy.chip) && rc >= 0; i++)
		rc = kvm_ioctl(k->vm_fd, KVM_SET_IRQCHIP, &copy.chip[i],
			       "KVM_SET_IRQCHIP");
	if (rc >= 0)
		rc = kvm_ioctl(k->vm_fd, KVM_SET_PIT2, &copy.pit,
			       "KVM_SET_PIT2");
	return rc < 0 ? rc : 0;
}
