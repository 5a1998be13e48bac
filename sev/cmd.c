/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel reports a refusal of the firmware as EIO with the status in the
 * command's error field; it may also fill that field on other errors (as -1,
 * when the firmware could not be asked), so it is taken along whenever set.
 */
#include "sev/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "sev/uapi.h"

int psp_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

struct sev_error sev_cmd(int vm_fd, int psp_fd, uint32_t id, void *data)
{
	struct kvm_sev_cmd cmd = {
		.id = id,
		.data = (uintptr_t)data,
		.sev_fd = (uint32_t)psp_fd,
	};

	if (!ioctl(vm_fd, KVM_MEMORY_ENCRYPT_OP, &cmd))
		return (struct sev_error){ 0 };
	return (struct sev_error){ -errno, cmd.error };
}

struct sev_error sev_platform_cmd(int psp_fd, uint32_t id, void *data)
{
	struct sev_issue_cmd cmd = { .cmd = id, .data = (uintptr_t)data };

	if (!ioctl(psp_fd, SEV_ISSUE_CMD, &cmd))
		return (struct sev_error){ 0 };
	return (struct sev_error){ -errno, cmd.error };
}

int sev_region(int vm_fd, uint64_t uaddr, uint64_t size)
{
	struct kvm_enc_region region = { .addr = uaddr, .size = size };

	if (ioctl(vm_fd, KVM_MEMORY_ENCRYPT_REG_REGION, &region))
		return -errno;
	return 0;
}

/* KVM lists well under a hundred leaves; it says E2BIG if this is too few. */
#define CPUID_LEAVES 256

int sev_cpuid(int kvm_fd, uint32_t *eax, uint32_t *ebx)
{
	struct kvm_cpuid2 *c;
	int rc = 0;

	*eax = *ebx = 0;
	c = calloc(1, sizeof(*c) + CPUID_LEAVES * sizeof(c->entries[0]));
	if (!c)
		return -ENOMEM;
	c->nent = CPUID_LEAVES;
	if (ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, c))
		rc = -errno;
	for (uint32_t i = 0; !rc && i < c->nent && i < CPUID_LEAVES; i++) {
		if (c->entries[i].function != SEV_CPUID_LEAF)
			continue;
		*eax = c->entries[i].eax;
		*ebx = c->entries[i].ebx;
	}
	free(c);
	return rc;
}
