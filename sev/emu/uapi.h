/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uapi: what the kernel's SEV interface has gained since the headers of Debian
 * 12 (Linux 6.1), under names of our own, and the limits that Linux sets before
 * it asks the firmware.
 */
#ifndef CARREL_EMU_UAPI_H
#define CARREL_EMU_UAPI_H

#include <assert.h>
#include <linux/kvm.h>
#include <linux/psp-sev.h>
#include <stdint.h>

#define UAPI_VM_DEFAULT 0
#define UAPI_VM_SEV 2
#define UAPI_CAP_VM_TYPES 235
#define UAPI_SEV_INIT2 22

/* KVM_GET_DEVICE_ATTR on /dev/kvm: which features a VMSA may ask for. */
#define UAPI_GRP_SEV 1
#define UAPI_SEV_VMSA_FEATURES 0

struct uapi_sev_init {
	uint64_t vmsa_features;
	uint32_t flags;
	uint16_t ghcb_version, pad1;
	uint32_t pad2[8];
};
static_assert(sizeof(struct uapi_sev_init) == 48, "struct kvm_sev_init");

/* SEV_FW_BLOB_MAX_SIZE */
#define UAPI_BLOB_MAX 0x4000u

struct uapi_region2 {
	uint32_t slot, flags;
	uint64_t guest_phys_addr, memory_size, userspace_addr;
	uint64_t guest_memfd_offset;
	uint32_t guest_memfd, pad1;
	uint64_t pad2[14];
};
#define UAPI_SET_REGION2 _IOW(KVMIO, 0x49, struct uapi_region2)
static_assert(sizeof(struct uapi_region2) == 160,
	      "struct kvm_userspace_memory_region2");

#endif
