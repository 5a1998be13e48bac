/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_psp: stands in for the system calls of sev/cmd.c. It keeps a guest's
 * state as the firmware does, writes down each command, and fails or lies where
 * a test wants it to. No cryptography: carrel-emu has that.
 */
#ifndef CARREL_TESTS_FAKE_PSP_H
#define CARREL_TESTS_FAKE_PSP_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "sev/psp.h"
#include "vmm/num.h"

#define FAKE_KVM 901
#define FAKE_VM 902
#define FAKE_HANDLE 7u
#define FAKE_REPORT_LEN 468

struct fake_psp {
	int open_rc; /* 0: the device can be opened */
	struct sev_user_data_status status;
	uint32_t eax, ebx; /* of CPUID 0x8000001F */
	int cpuid_rc;
	int region_rc;
	bool old_kernel; /* knows KVM_SEV_INIT only */
	/* The command that fails, and how; -1: none. */
	int fail_cmd;
	struct sev_error failure;
	int state_lie; /* what GUEST_STATUS says; -1: the truth */
	uint32_t state, policy;
	struct kvm_sev_launch_start start;
	struct kvm_sev_launch_secret secret;
	uint8_t header[SEV_SECRET_HEADER_LEN];
	char log[2048];
};

static struct fake_psp fake;

static inline void fake_reset(void)
{
	fake = (struct fake_psp){
		.status = { .api_major = 0,
			    .api_minor = 24,
			    .build = 5,
			    .state = 1,
			    .flags = SEV_STATUS_FLAGS_CONFIG_ES },
		.eax = SEV_CPUID_EAX_SEV,
		.ebx = 47,
		.fail_cmd = -1,
		.state_lie = -1,
	};
}

static void PRINTF_LIKE(1, 2) fake_log(const char *fmt, ...)
{
	size_t n = strlen(fake.log);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(fake.log + n, sizeof(fake.log) - n, fmt, ap);
	va_end(ap);
}

int psp_open(const char *path)
{
	(void)path;
	return fake.open_rc ? fake.open_rc : open("/dev/null", O_RDWR);
}

int sev_cpuid(int kvm_fd, uint32_t *eax, uint32_t *ebx)
{
	CHECK(kvm_fd == FAKE_KVM);
	*eax = fake.eax;
	*ebx = fake.ebx;
	return fake.cpuid_rc;
}

int sev_region(int vm_fd, uint64_t uaddr, uint64_t size)
{
	CHECK(vm_fd == FAKE_VM && uaddr);
	fake_log("region %llx; ", (unsigned long long)size);
	return fake.region_rc;
}

/* Moves on, if the guest is where the command wants it. */
static struct sev_error fake_step(uint32_t from, uint32_t to)
{
	if (fake.state != from)
		return (struct sev_error){ -EIO, 2 };
	fake.state = to;
	return (struct sev_error){ 0 };
}

static struct sev_error fake_secret(const struct kvm_sev_launch_secret *x)
{
	fake.secret = *x;
	bytes_copy(fake.header, sizeof(fake.header),
		   (void *)(uintptr_t)x->hdr_uaddr, x->hdr_len);
	fake_log("secret %u; ", x->guest_len);
	return fake_step(2, 2);
}

static struct sev_error fake_report(struct kvm_sev_attestation_report *x)
{
	uint32_t room = x->len;

	x->len = FAKE_REPORT_LEN;
	fake_log("report %u; ", room);
	if (room != FAKE_REPORT_LEN)
		return (struct sev_error){ -EIO, 4 };
	memset((void *)(uintptr_t)x->uaddr, 0x5a, room);
	return (struct sev_error){ 0 };
}

struct sev_error sev_cmd(int vm_fd, int psp_fd, uint32_t id, void *data)
{
	CHECK(vm_fd == FAKE_VM && psp_fd >= 0);
	if (fake.fail_cmd == (int)id)
		return fake.failure;
	switch (id) {
	case SEV_KVM_INIT2:
		fake_log("init2; ");
		return (struct sev_error){ fake.old_kernel ? -EINVAL : 0, 0 };
	case KVM_SEV_INIT: fake_log("init; "); return (struct sev_error){ 0 };
	case KVM_SEV_LAUNCH_START:
		fake.start = *(struct kvm_sev_launch_start *)data;
		fake.policy = fake.start.policy;
		((struct kvm_sev_launch_start *)data)->handle = FAKE_HANDLE;
		fake_log("start; ");
		return fake_step(0, 1);
	case KVM_SEV_LAUNCH_UPDATE_DATA:
		fake_log("update %x; ",
			 ((struct kvm_sev_launch_update_data *)data)->len);
		return fake_step(1, 1);
	case KVM_SEV_LAUNCH_MEASURE:
		memset((void *)(uintptr_t)((struct kvm_sev_launch_measure *)
						   data)
			       ->uaddr,
		       0xa5, ((struct kvm_sev_launch_measure *)data)->len);
		fake_log("measure; ");
		return fake_step(1, 2);
	case KVM_SEV_LAUNCH_SECRET: return fake_secret(data);
	case KVM_SEV_LAUNCH_FINISH:
		fake_log("finish; ");
		return fake_step(2, 3);
	case KVM_SEV_GUEST_STATUS:
		*(struct kvm_sev_guest_status *)data =
			(struct kvm_sev_guest_status){
				FAKE_HANDLE, fake.policy,
				fake.state_lie < 0 ? fake.state
						   : (uint32_t)fake.state_lie
			};
		return (struct sev_error){ 0 };
	case KVM_SEV_GET_ATTESTATION_REPORT: return fake_report(data);
	default: return (struct sev_error){ -EINVAL, 0 };
	}
}

struct sev_error sev_platform_cmd(int psp_fd, uint32_t id, void *data)
{
	struct sev_user_data_pdh_cert_export *x = data;

	CHECK(psp_fd >= 0);
	if (fake.fail_cmd == 1000 + (int)id)
		return fake.failure;
	switch (id) {
	case SEV_PLATFORM_STATUS:
		*(struct sev_user_data_status *)data = fake.status;
		return (struct sev_error){ 0 };
	case SEV_PDH_CERT_EXPORT:
		memset((void *)(uintptr_t)x->pdh_cert_address, 1,
		       x->pdh_cert_len);
		memset((void *)(uintptr_t)x->cert_chain_address, 2,
		       x->cert_chain_len);
		return (struct sev_error){ 0 };
	case SEV_GET_ID2:
		((struct sev_user_data_get_id2 *)data)->length = 64;
		memset((void *)(uintptr_t)((struct sev_user_data_get_id2 *)data)
			       ->address,
		       3, 64);
		return (struct sev_error){ 0 };
	default: return (struct sev_error){ -EINVAL, 0 };
	}
}

#endif
