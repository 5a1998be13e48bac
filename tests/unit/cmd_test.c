/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls that reach the secure processor, where there is none: each
 * error comes back as it is, and never as the firmware's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "sev/cmd.h"

static void test_no_device(void **state)
{
	(void)state;
	assert_int_equal(psp_open("/nonexistent/sev"), -ENOENT);
	assert_int_equal(psp_open("/"), -EISDIR);
}

static void test_not_a_device(void **state)
{
	int fd = psp_open("/dev/null");
	uint32_t eax = 1, ebx = 1;
	struct sev_error e;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	e = sev_cmd(fd, fd, 0, NULL);
	assert_int_equal(e.err, -ENOTTY);
	assert_int_equal(e.fw, 0);
	e = sev_platform_cmd(fd, 0, NULL);
	assert_int_equal(e.err, -ENOTTY);
	assert_int_equal(e.fw, 0);
	assert_int_equal(sev_region(fd, 0x1000, 0x1000), -ENOTTY);
	assert_int_equal(sev_cpuid(fd, &eax, &ebx), -ENOTTY);
	assert_int_equal(eax, 0);
	assert_int_equal(ebx, 0);
	close(fd);
	e = sev_cmd(-1, -1, 0, NULL);
	assert_int_equal(e.err, -EBADF);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_device),
		cmocka_unit_test(test_not_a_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
