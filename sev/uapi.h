/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uapi: the kernel's SEV interface, and the fixed sizes of the SEV API (AMD
 * 55766). What the headers of Debian 12's kernel (6.1) lack is defined here;
 * the numbers are those of Linux 6.10 and later.
 */
#ifndef CARREL_SEV_UAPI_H
#define CARREL_SEV_UAPI_H

#include <assert.h>
#include <linux/kvm.h>
#include <linux/psp-sev.h>
#include <stdint.h>

/* enum sev_cmd_id of Linux 6.10: KVM_SEV_INIT2 follows KVM_SEV_SEND_CANCEL. */
#define SEV_KVM_INIT2 22

/* struct kvm_sev_init of Linux 6.10. */
struct sev_kvm_init {
	uint64_t vmsa_features;
	uint32_t flags;
	uint16_t ghcb_version;
	uint16_t pad1;
	uint32_t pad2[8];
};
static_assert(sizeof(struct sev_kvm_init) == 48, "struct kvm_sev_init");

static_assert(sizeof(struct kvm_sev_cmd) == 24, "struct kvm_sev_cmd");
static_assert(sizeof(struct sev_issue_cmd) == 16, "struct sev_issue_cmd");

/* PLATFORM_STATUS flags (5.6); ES is bit 8 of CONFIG. */
#define SEV_STATUS_OWNED (1u << 0)

/* Sizes of the SEV API. */
#define SEV_CERT_LEN 2084 /* appendix C.1 */
#define SEV_CHAIN_LEN (3 * SEV_CERT_LEN) /* PEK, OCA, CEK */
#define SEV_SESSION_LEN 128 /* table 28 */
#define SEV_NONCE_LEN 16
#define SEV_MAC_LEN 32
#define SEV_MEASUREMENT_LEN (SEV_MAC_LEN + SEV_NONCE_LEN)
#define SEV_SECRET_HEADER_LEN 52 /* 6.6: flags, IV, MAC */
#define SEV_SECRET_ALIGN 16
#define SEV_SECRET_MIN 16
#define SEV_SECRET_MAX 0x4000 /* the kernel's limit; firmware: 0x5000 */
#define SEV_REPORT_MAX 4096

/* CPUID 0x8000001F (AMD APM 3, E.4.17). */
#define SEV_CPUID_LEAF 0x8000001fu
#define SEV_CPUID_EAX_SEV (1u << 1)
#define SEV_CPUID_EBX_CBIT(ebx) ((ebx) % 64)
#define SEV_CPUID_EBX_REDUCED(ebx) ((ebx) / 64 % 64)

#endif
