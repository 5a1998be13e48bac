/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd: the system calls through which everything reaches the secure processor,
 * and KVM where it speaks of it. They live alone in a file so that a unit test
 * can put its own processor in their place.
 */
#ifndef CARREL_SEV_CMD_H
#define CARREL_SEV_CMD_H

#include <stdint.h>

#include "vmm/num.h"

#define PSP_DEVICE "/dev/sev"

/* Opens the device; fd or -errno. Nothing is logged. */
int psp_open(const char *path) MUST_USE;

/*
 * Two channels: err is 0 or -errno of the system call, fw is the firmware's
 * own status (fwerr.h puts it in words), 0 unless the firmware refused.
 */
struct sev_error {
	int err;
	uint32_t fw;
};

/* A guest's command: KVM_MEMORY_ENCRYPT_OP. data: its parameters or NULL. */
struct sev_error sev_cmd(int vm_fd, int psp_fd, uint32_t id,
			 void *data) MUST_USE;

/* A platform's command: SEV_ISSUE_CMD on /dev/sev. */
struct sev_error sev_platform_cmd(int psp_fd, uint32_t id, void *data) MUST_USE;

/*
 * Tells KVM that [uaddr, uaddr + size) holds encrypted guest
 * memory: its pages are pinned from then on (KVM_MEMORY_ENCRYPT_REG_REGION).
 */
int sev_region(int vm_fd, uint64_t uaddr, uint64_t size) MUST_USE;

/*
 * EAX and EBX of CPUID leaf 0x8000001F as KVM offers it to guests
 * (KVM_GET_SUPPORTED_CPUID); both 0 where KVM has no such leaf.
 */
int sev_cpuid(int kvm_fd, uint32_t *eax, uint32_t *ebx) MUST_USE;

#endif
