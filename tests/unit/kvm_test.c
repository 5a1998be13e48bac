/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kvm_test: kernels that lack something carrel needs, or run fewer CPUs than
 * were asked for. The kernel is a table in libc's place; what a real one does
 * is for the end-to-end tests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/unit/capture.h"
#include "vmm/kvm.h"
#include "vmm/vcpu.h"

static struct {
	int open_errno, version, missing_cap, max_vcpus, run_bytes;
	unsigned made; /* vCPUs */
} kernel;

int open(const char *path, int flags, ...)
{
	if (strcmp(path, "/dev/kvm")) /* the test's own */
		return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0600);
	errno = kernel.open_errno;
	return kernel.open_errno ? -1 : dup(STDIN_FILENO);
}

static int check_extension(int cap)
{
	if (cap == kernel.missing_cap)
		return 0;
	return cap == KVM_CAP_MAX_VCPUS ? kernel.max_vcpus : 1;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	long arg;

	va_start(ap, request);
	arg = va_arg(ap, long);
	va_end(ap);
	(void)fd;
	switch (request) {
	case KVM_GET_API_VERSION: return kernel.version;
	case KVM_CHECK_EXTENSION: return check_extension((int)arg);
	case KVM_GET_VCPU_MMAP_SIZE: return kernel.run_bytes;
	case KVM_CREATE_VM: return dup(STDIN_FILENO);
	case KVM_GET_SUPPORTED_CPUID:
		((struct kvm_cpuid2 *)arg)->nent = 0;
		return 0;
	case KVM_CREATE_VCPU:
		/* Far enough: what follows is another test's. */
		kernel.made++;
		errno = EMFILE;
		return -1;
	default: return 0;
	}
}

static void sane(void)
{
	kernel.open_errno = 0;
	kernel.version = KVM_API_VERSION;
	kernel.missing_cap = -1;
	kernel.max_vcpus = 1024;
	kernel.run_bytes = 12288;
	kernel.made = 0;
}

static int open_and_listen(struct kvm *k, char *said, size_t cap)
{
	struct capture c = capture_begin();
	int rc = kvm_open(k, false);

	(void)capture_end(&c, said, cap);
	return rc;
}

static void kernels(void **state)
{
	static const struct {
		const char *says;
		int open_errno, version, missing_cap, run_bytes;
	} table[] = {
		{ "/dev/kvm", ENOENT, KVM_API_VERSION, -1, 12288 },
		{ "/dev/kvm", EACCES, KVM_API_VERSION, -1, 12288 },
		{ "/dev/kvm", 0, KVM_API_VERSION - 1, -1, 12288 },
		{ "lacks ioeventfd", 0, KVM_API_VERSION, KVM_CAP_IOEVENTFD,
		  12288 },
		{ "lacks immediate_exit", 0, KVM_API_VERSION,
		  KVM_CAP_IMMEDIATE_EXIT, 12288 },
		{ "KVM_GET_VCPU_MMAP_SIZE: 100 bytes", 0, KVM_API_VERSION, -1,
		  100 },
	};
	struct kvm k;
	char said[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		sane();
		kernel.open_errno = table[i].open_errno;
		kernel.version = table[i].version;
		kernel.missing_cap = table[i].missing_cap;
		kernel.run_bytes = table[i].run_bytes;
		assert_true(open_and_listen(&k, said, sizeof(said)) < 0);
		assert_non_null(strstr(said, table[i].says));
		assert_int_equal(k.fd, -1);
	}
	sane();
	assert_int_equal(open_and_listen(&k, said, sizeof(said)), 0);
	assert_string_equal(said, "");
	kvm_close(&k);
}

/* More than the kernel runs: said with both numbers, and none is made. */
static void cpus(void **state)
{
	static const struct {
		int max; /* the kernel's answer */
		unsigned n;
		const char *says;
	} table[] = {
		{ 4, 5, "--cpus 5: this host runs 1 to 4" },
		{ 4, 64, "--cpus 64: this host runs 1 to 4" },
		{ 0, 2, "--cpus 2: this host runs 1 to 1" },
		{ -1, 2, "--cpus 2: this host runs 1 to 1" },
		{ 4096, 65, "--cpus 65: this host runs 1 to 64" },
		{ 4, 0, "--cpus 0: this host runs 1 to 4" },
		{ 4, 4, NULL },
		{ 64, 64, NULL },
	};
	struct cpuid_sev none = { 0 };
	char said[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct vcpus *p = calloc(1, sizeof(*p));
		struct capture c;
		struct kvm k;
		int rc;

		sane();
		kernel.max_vcpus = table[i].max;
		assert_int_equal(kvm_open(&k, false), 0);
		c = capture_begin();
		rc = vcpus_open(p, &k, table[i].n, &none, false);
		(void)capture_end(&c, said, sizeof(said));
		if (table[i].says) {
			assert_int_equal(rc, -EINVAL);
			assert_non_null(strstr(said, table[i].says));
			assert_int_equal(kernel.made, 0);
		} else {
			assert_int_equal(rc, -EMFILE);
			assert_int_equal(kernel.made, 1);
		}
		kvm_close(&k);
		free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernels),
		cmocka_unit_test(cpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
