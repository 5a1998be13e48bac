/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disks_test: the control socket's commands about disks and networks, on a
 * board that is pretended here.
 */
#include "tests/unit/control_peer.h"

#include "vmm/disks.h"
#include "vmm/links.h"

#define DO(command, arguments)                                                 \
	"{'execute':'" command "','arguments':{" arguments "}}"
#define THROTTLE(rest)                                                         \
	DO("block_set_io_throttle",                                            \
	   "'bps':7,'bps_rd':0,'bps_wr':0,'iops':0,'iops_rd':0,"               \
	   "'iops_wr':0," rest)
#define OK "{\"return\": {}}"

static struct peer_vm vm;
static struct board_disk disk = {
	"disk0", "a file", false, false, 4096, { 0 }
};
static struct board_net net = { "net0", "tap0", true, false, { 0 }, { 0 } };
static int resize_rc;
static uint64_t resized;

/* board.c, as far as the commands see it. */

bool board_disk(struct board *b, size_t i, struct board_disk *out)
{
	(void)b;
	*out = disk;
	return i == 0;
}

bool board_net(struct board *b, size_t i, struct board_net *out)
{
	(void)b;
	*out = net;
	return i == 0;
}

int board_limit_disk(struct board *b, const char *id, const struct rates *r)
{
	(void)b;
	if (strcmp(id, disk.id))
		return -ENODEV;
	disk.rates = *r;
	return 0;
}

int board_limit_net(struct board *b, const char *id, const struct rates *rx,
		    const struct rates *tx)
{
	(void)b;
	if (strcmp(id, net.id))
		return -ENODEV;
	if (net.vhost && rates_any(rx))
		return -EOPNOTSUPP;
	net.rx = *rx;
	net.tx = *tx;
	return 0;
}

int board_resize_disk(struct board *b, const char *id, uint64_t bytes,
		      uint64_t *found)
{
	(void)b;
	assert_string_equal(id, disk.id);
	*found = 8192;
	resized = bytes;
	return resize_rc;
}

int board_set_link(struct board *b, const char *id, bool up)
{
	(void)b;
	if (strcmp(id, net.id))
		return -ENODEV;
	net.up = up;
	return 0;
}

static void refusals(void **state)
{
	static const struct {
		const char *say, *part;
	} t[] = {
		{ DO("block_resize", "'size':512"), "Exactly one of 'device'" },
		{ DO("block_resize", "'device':'a','node-name':'a','size':1"),
		  "Exactly one of 'device' and 'node-name'" },
		{ DO("block_resize", "'device':'disk1','size':512"),
		  "DeviceNotFound" },
		{ DO("block_resize", "'device':'disk0','size':-512"),
		  "expected: uint64" },
		{ DO("block_resize", "'device':'disk0','size':0"),
		  "has 4096 bytes and is not made smaller" },
		{ DO("block_resize", "'device':'disk0','size':'1G'"),
		  "expected: uint64" },
		{ DO("block_set_io_throttle", "'device':'disk0','bps':1"),
		  "'bps_rd' is missing" },
		{ THROTTLE("'id':'disk0','device':'disk0'"),
		  "Exactly one of 'device' and 'id'" },
		{ THROTTLE("'id':'disk1'"), "Device 'disk1' not found" },
		{ THROTTLE("'id':'disk0','bps_rd_max':1"),
		  "bps_rd_max: accepted is 0" },
		{ THROTTLE("'id':'disk0','bps_max_length':2"),
		  "bps_max_length: accepted is 1" },
		{ THROTTLE("'id':'disk0','iops_max':1"),
		  "iops_max needs iops" },
		{ THROTTLE("'id':'disk0','bps_max':1099511627777"),
		  "bps_max: 1099511627777: accepted are 0" },
		{ DO("x-carrel-net-limit", "'name':'disk0'"),
		  "Device 'disk0' not found" },
		{ DO("x-carrel-net-limit", "'name':'net0','tx-pps-burst':1"),
		  "tx-pps-burst needs tx-pps" },
		{ DO("x-carrel-net-limit", "'name':'net0','bps':1"), "'bps'" },
		{ DO("set_link", "'name':'net1','up':true"), "DeviceNotFound" },
	};
	int fd = peer_negotiated(&vm);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		peer_say(fd, t[i].say);
		peer_expect_part(fd, t[i].part);
	}
	assert_int_equal(disk.rates.bytes, 0);
	close(fd);
}

static void throttle(void **state)
{
	int fd = peer_negotiated(&vm);

	(void)state;
	peer_say(fd, THROTTLE("'id':'disk0','bps_max':9,'bps_max_length':1"));
	peer_expect(fd, OK);
	assert_int_equal(disk.rates.bytes, 7);
	assert_int_equal(disk.rates.bytes_burst, 9);
	peer_say(fd, "{'execute':'query-block'}");
	peer_expect(
		fd,
		"{\"return\": [{\"device\": \"disk0\", \"qdev\": \"disk0\", "
		"\"type\": \"unknown\", \"removable\": false, \"locked\": "
		"false, \"inserted\": {\"node-name\": \"disk0\", \"file\": "
		"\"a file\", \"ro\": false, \"drv\": \"raw\", \"encrypted\": "
		"false, \"backing_file_depth\": 0, \"detect_zeroes\": \"off\", "
		"\"write_threshold\": 0, \"cache\": {\"writeback\": true, "
		"\"direct\": false, \"no-flush\": false}, \"image\": "
		"{\"filename\": \"a file\", \"format\": \"raw\", "
		"\"virtual-size\": 4096}, \"bps_rd\": 0, \"bps_wr\": 0, "
		"\"iops_rd\": 0, \"iops_wr\": 0, \"bps\": 7, \"iops\": 0, "
		"\"bps_max\": 9}}]}");
	close(fd);
}

static void resize(void **state)
{
	static const struct {
		int rc;
		const char *part;
	} t[] = {
		{ 0, OK },
		{ -EINVAL, "8704 bytes: a disk has a multiple of 512" },
		{ -ERANGE, "has 4096 bytes and is not made smaller" },
		{ -EPERM, "has 8192 bytes and is not changed from here" },
		{ -EFBIG, "File too large" },
	};
	int fd = peer_negotiated(&vm);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		resize_rc = t[i].rc;
		peer_say(fd,
			 DO("block_resize", "'device':'disk0','size':8704"));
		peer_expect_part(fd, t[i].part);
		assert_int_equal(resized, 8704);
	}
	resize_rc = 0;
	peer_say(fd, DO("block_resize", "'node-name':'disk0'"));
	peer_expect(fd, OK);
	assert_int_equal(resized, 0);
	close(fd);
}

/* It is listed, and what is not ours to change is not changed. */
static void disk_of_a_peer(void **state)
{
	const char *const says[] = {
		DO("block_resize", "'device':'disk0','size':8192"),
		THROTTLE("'id':'disk0'"),
	};
	int fd = peer_negotiated(&vm);

	(void)state;
	disk.peer = true;
	for (size_t i = 0; i < ARRAY_LEN(says); i++) {
		peer_say(fd, says[i]);
		peer_expect_part(fd, "Disk 'disk0' is another process's, at "
				     "'a file'");
	}
	peer_say(fd, "{'execute':'query-block'}");
	peer_expect_part(fd, "\"drv\": \"vhost-user\"");
	disk.peer = false;
	close(fd);
}

/* A path is bytes, and what it is of is listed whatever they are. */
static void names_of_any_bytes(void **state)
{
	int fd = peer_negotiated(&vm);

	(void)state;
	disk.path = "d\xc3\xa4\xff.img";
	net.peer = "\xfe.passt";
	peer_say(fd, "{'execute':'query-block'}");
	peer_expect_part(fd, "\"file\": \"d???.img\"");
	peer_say(fd, "{'execute':'x-carrel-query-nets'}");
	peer_expect_part(fd, "\"peer\": \"?.passt\"");
	disk.path = "d\xc3\xa4.img";
	peer_say(fd, "{'execute':'query-block'}");
	peer_expect_part(fd, "\"filename\": \"d\\u00E4.img\"");
	disk.path = "a file";
	net.peer = "tap0";
	close(fd);
}

static void networks(void **state)
{
	int fd = peer_negotiated(&vm);

	(void)state;
	peer_say(fd, DO("x-carrel-net-limit",
			"'name':'net0','rx-bps':1,'rx-bps-burst':2,'tx-pps':3,"
			"'tx-pps-burst':4"));
	peer_expect(fd, OK);
	peer_say(fd, "{'execute':'x-carrel-query-nets'}");
	peer_expect(fd, "{\"return\": [{\"name\": \"net0\", \"peer\": \"tap0\","
			" \"up\": true, \"vhost\": false, "
			"\"rx-bps\": 1, \"rx-pps\": 0, "
			"\"rx-bps-burst\": 2, \"tx-bps\": 0, \"tx-pps\": 3, "
			"\"tx-pps-burst\": 4}]}");
	/* What is not named has no limit. */
	peer_say(fd, DO("x-carrel-net-limit", "'name':'net0'"));
	peer_expect(fd, OK);
	assert_int_equal(net.rx.bytes + net.tx.ops, 0);
	net.vhost = true;
	peer_say(fd, DO("x-carrel-net-limit", "'name':'net0','rx-bps':1"));
	peer_expect_part(fd, "Device 'net0' is served by the host's kernel");
	net.vhost = false;
	peer_say(fd, DO("set_link", "'name':'net0','up':false"));
	peer_expect(fd, OK);
	assert_false(net.up);
	close(fd);
}

static int open_all(void **state)
{
	(void)state;
	peer_open(&vm);
	assert_int_equal(disks_open(&vm.control, NULL), 0);
	assert_int_equal(links_open(&vm.control, NULL), 0);
	peer_start(&vm);
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	peer_close(&vm);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals),
		cmocka_unit_test(throttle),
		cmocka_unit_test(resize),
		cmocka_unit_test(disk_of_a_peer),
		cmocka_unit_test(names_of_any_bytes),
		cmocka_unit_test(networks),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
