/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_limits_test: limits of disks and networks on a command line.
 */
#include "tests/unit/config_rig.h"

static const struct refusal refused[] = {
	{ RUN "--disk path=a,bps=0", { "--disk bps \"0\"", "1 to 1024G" } },
	{ RUN "--disk path=a,bps=", { "--disk bps \"\"", "1 to 1024G" } },
	{ RUN "--disk path=a,bps=1025G", { "1 to 1024G" } },
	{ RUN "--disk path=a,iops=1.5K", { "K is 1024" } },
	{ RUN "--disk path=a,iops=-1", { "--disk iops \"-1\"" } },
	{ RUN "--disk path=a,bps=1MB", { "--disk bps \"1MB\"" } },
	{ RUN "--disk path=a,bps-burst=1",
	  { "--disk id \"disk0\"", "bps-burst needs bps" } },
	{ RUN "--disk vhost-user=a,iops-burst=1",
	  { "do not bind", "a disk without limits" } },
	{ RUN "--disk path=a,bps=1,iops-burst=1", { "iops-burst needs iops" } },
	{ RUN "--net tap=a,rx-bps-burst=1,tx-bps=1",
	  { "--net id \"net0\"", "rx-bps-burst needs rx-bps" } },
	{ RUN "--net tap=a,rx-pps-burst=1,rx-bps=1",
	  { "rx-pps-burst needs rx-pps" } },
	{ RUN "--net tap=a,tx-pps-burst=1,rx-pps=1",
	  { "tx-pps-burst needs tx-pps" } },
	{ RUN "--net tap=a,vhost=on,tx-pps=1",
	  { "--net id \"net0\"", "vhost=on, but", "no limits" } },
	{ RUN "--net tap=a,vhost=on,rx-bps=1", { "vhost=on", "no limits" } },
	{ RUN "--net tap=a,bps=1", { "--net bps", "not known" } },
};

static void refusals(void **state)
{
	(void)state;
	refuse(refused, ARRAY_LEN(refused));
}

static void limits(void **state)
{
	struct config c;

	(void)state;
	accept(&c, RUN "--disk path=a,bps=1024G,bps-burst=3K,iops=0x10,"
		       "iops-burst=1 --disk path=b "
		       "--net tap=t,rx-bps=1,rx-bps-burst=2,rx-pps=3,"
		       "rx-pps-burst=4,tx-bps=5,tx-bps-burst=6,tx-pps=7,"
		       "tx-pps-burst=8");
	assert_int_equal(c.disk[0].rates.bytes, RATE_MAX);
	assert_int_equal(c.disk[0].rates.bytes_burst, 3072);
	assert_int_equal(c.disk[0].rates.ops, 16);
	assert_int_equal(c.disk[0].rates.ops_burst, 1);
	assert_int_equal(c.disk[1].rates.bytes + c.disk[1].rates.ops, 0);
	assert_int_equal(c.net[0].rx.bytes, 1);
	assert_int_equal(c.net[0].rx.bytes_burst, 2);
	assert_int_equal(c.net[0].rx.ops, 3);
	assert_int_equal(c.net[0].rx.ops_burst, 4);
	assert_int_equal(c.net[0].tx.bytes, 5);
	assert_int_equal(c.net[0].tx.bytes_burst, 6);
	assert_int_equal(c.net[0].tx.ops, 7);
	assert_int_equal(c.net[0].tx.ops_burst, 8);
	assert_int_equal(c.net[0].vhost, VHOST_AUTO);
	assert_non_null(config_no_vhost(&c.net[0])); /* which is off then */
	config_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
