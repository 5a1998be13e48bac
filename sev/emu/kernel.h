/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel: Linux's part between a program and the secure processor: what it
 * copies and checks before it asks the firmware (drivers/crypto/ccp/sev-dev.c,
 * arch/x86/kvm/svm/sev.c). Everything here runs on the processor's thread, on
 * addresses that the program gave and that may be wrong.
 */
#ifndef CARREL_EMU_KERNEL_H
#define CARREL_EMU_KERNEL_H

#include "sev/emu/emu.h"
#include "sev/emu/uapi.h"

/* SEV_ISSUE_CMD with a struct sev_issue_cmd at arg. 0 or -errno. */
int kernel_platform(struct emu *e, uint64_t arg, bool writable);

/* KVM_MEMORY_ENCRYPT_OP with a struct kvm_sev_cmd at arg. 0 or -errno. */
int kernel_guest(struct emu *e, struct vm *vm, uint64_t arg);

/* Bytes of the program, at most UAPI_BLOB_MAX; *out is to be freed. */
int kernel_blob(uint64_t at, uint32_t len, struct span *out) MUST_USE;

/* A status of the firmware as the system call's result. */
int kernel_result(enum psp_status s, uint32_t *error);

#endif
