/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vsock_line_test: first lines of clients, those that are none first.
 */
#include "devices/vsock_line.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct line {
	const char *text;
	int rc;
	uint32_t port;
	size_t len;
};

static void refuses(void **state)
{
	static const char *const t[] = {
		"\n",
		"X",
		"CONNECX",
		"CONNECT\n",
		"CONNECT\t1\n",
		"CONNECT \n",
		"CONNECT  1\n",
		"CONNECT 1 \n",
		"CONNECT 1\r\n",
		"CONNECT -1\n",
		"CONNECT +1\n",
		"CONNECT 0x10\n",
		"CONNECT 1x\n",
		"CONNECT 4294967295\n", /* means any port */
		"CONNECT 4294967296\n",
		"CONNECT 9999999999\n",
		"CONNECT 00000000001\n", /* longer than any port */
		"CONNECT 99999999999999999999",
		"connects 1\n",
		"GET / HTTP/1.1\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		uint32_t port = 7;
		size_t len = 8;

		if (vsock_line_parse(t[i], strlen(t[i]), &port, &len) !=
		    -EINVAL)
			fail_msg("accepted or awaited: %s", t[i]);
		assert_int_equal(port, 7);
		assert_int_equal(len, 8);
	}
}

static void takes(void **state)
{
	static const struct line t[] = {
		{ "CONNECT 0\n", 0, 0, 10 },
		{ "CONNECT 1\n", 0, 1, 10 },
		{ "CONNECT 52\nhello\n", 0, 52, 11 },
		{ "connect 52\n", 0, 52, 11 },
		{ "CONNECT 007\n", 0, 7, 12 },
		{ "CONNECT 4294967294\n", 0, 4294967294, 19 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		uint32_t port;
		size_t len;

		assert_int_equal(vsock_line_parse(t[i].text, strlen(t[i].text),
						  &port, &len),
				 0);
		assert_int_equal(port, t[i].port);
		assert_int_equal(len, t[i].len);
	}
}

static void awaits_the_rest(void **state)
{
	static const char line[] = "CONNECT 4294967294\n";
	uint32_t port;
	size_t len;

	(void)state;
	for (size_t n = 0; n < sizeof(line) - 2; n++)
		assert_int_equal(vsock_line_parse(line, n, &port, &len),
				 -EAGAIN);
	assert_int_equal(sizeof(line) - 1, VSOCK_LINE_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses),
		cmocka_unit_test(takes),
		cmocka_unit_test(awaits_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
