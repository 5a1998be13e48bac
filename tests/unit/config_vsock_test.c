/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_vsock_test: names of sockets that a guest could reach by a port of
 * its vsock device, which are refused, and names alike, which are not.
 */
#include "vmm/config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/capture.h"

static void guest_reaches_no_socket_of_ours(void **state)
{
	static const struct {
		const char *path, *control, *serial;
		const char *says; /* NULL: accepted */
	} t[] = {
		{ "v", "v_1", "c",
		  "--control: the guest could connect to \"v_1\"" },
		{ "a/v", "c", "a/v_4294967295",
		  "--serial: the guest could connect to \"a/v_4294967295\"" },
		{ "v_1", "v_1_2", "c", "--control" },
		{ "v", "v_", "v_1x", NULL },
		{ "v", "v1", "w_1", NULL },
		{ "v", "b/v_1", "vv_1", NULL },
	};
	struct capture cap_err;
	char vsock[64], serial[64], text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		char *argv[] = { "carrel",     "run",
				 "--firmware", "f",
				 "--vsock",    vsock,
				 "--control",  (char *)t[i].control,
				 "--serial",   serial };
		struct config c;
		int rc;

		snprintf(vsock, sizeof(vsock), "cid=3,path=%s", t[i].path);
		snprintf(serial, sizeof(serial), "socket=%s", t[i].serial);
		cap_err = capture_begin();
		rc = config_parse(&c, ARRAY_LEN(argv), argv);
		capture_end(&cap_err, text, sizeof(text));
		if (rc != (t[i].says ? -EINVAL : 0) ||
		    (t[i].says && !strstr(text, t[i].says)))
			fail_msg("case %zu: %d: %s", i, rc, text);
		config_close(&c);
	}
}

static void guest_reaches_no_peer_of_ours(void **state)
{
	static const struct {
		const char *flag, *value;
		const char *says; /* NULL: accepted */
	} t[] = {
		{ "--disk", "vhost-user=a/v_7",
		  "--disk id \"disk0\": the guest could connect to \"a/v_7\"" },
		{ "--net", "passt=a/v_7",
		  "--net id \"net0\": the guest could connect to" },
		{ "--fs", "socket=a/v_7,tag=t",
		  "--fs socket: the guest could connect to" },
		{ "--console", "socket=a/v_7",
		  "--console: the guest could connect to" },
		{ "--disk", "path=a/v_7", NULL },
		{ "--disk", "vhost-user=a/v_x", NULL },
		{ "--net", "passt=v_7", NULL },
		{ "--net", "tap=v_7", NULL },
		{ "--fs", "socket=a/v,tag=v_7", NULL },
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		char *argv[] = { "carrel",	    "run",
				 "--firmware",	    "f",
				 "--vsock",	    "cid=3,path=a/v",
				 (char *)t[i].flag, (char *)t[i].value };
		struct capture cap_err = capture_begin();
		struct config c;
		int rc = config_parse(&c, ARRAY_LEN(argv), argv);

		capture_end(&cap_err, text, sizeof(text));
		if (rc != (t[i].says ? -EINVAL : 0) ||
		    (t[i].says && !strstr(text, t[i].says)))
			fail_msg("case %zu: %d: %s", i, rc, text);
		config_close(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guest_reaches_no_socket_of_ours),
		cmocka_unit_test(guest_reaches_no_peer_of_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
