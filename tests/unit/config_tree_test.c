/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_tree_test: trees that are refused, and with which words.
 */
#include "tests/unit/tree_rig.h"

#include <endian.h>

#define HEAD "/dts-v1/; / { compatible = \"carrel,vm\"; "
#define FIRM "boot { firmware = \"f\"; }; "

static const struct {
	const char *source;
	const char *say[2];
} refused[] = {
	{ "/dts-v1/; / { };", { "carrel,vm" } },
	{ "/dts-v1/; / { compatible = \"carrel,vm2\"; };", { "carrel,vm" } },
	{ "/dts-v1/; / { compatible = \"carrel,vm\", \"x\"; };",
	  { "carrel,vm" } },
	{ HEAD "model = \"x\"; };", { "property model: not known" } },
	{ "/dts-v1/; /memreserve/ 0x1000 0x1000; / { "
	  "compatible = \"carrel,vm\"; };",
	  { "/memreserve/: not known" } },
	{ HEAD FIRM "net { }; };", { "/net: not known" } },
	{ HEAD FIRM "machine { cpu = <1>; }; };",
	  { "/machine, property cpu: not known" } },
	{ HEAD FIRM "machine { name-x = \"a\"; }; };", { "not known" } },
	{ HEAD FIRM "machine { x { }; }; };", { "/machine/x" } },
	{ HEAD "boot { machine { }; }; };", { "/boot/machine" } },
	{ HEAD FIRM "run { sev = \"on\"; }; };",
	  { "property sev: not known" } },
	{ HEAD FIRM "run { firmware = \"x\"; }; };", { "not known" } },
	{ HEAD FIRM "machine { cpus = <0>; }; };", { "\"0\"", "1 to 64" } },
	{ HEAD FIRM "machine { cpus = <1 1>; }; };", { "\"4294967297\"" } },
	{ HEAD FIRM "machine { cpus = <1 2 3>; }; };", { "has 12 bytes" } },
	{ HEAD FIRM "machine { cpus; }; };", { "has 0 bytes" } },
	{ HEAD FIRM "machine { cpus = \"two\"; }; };",
	  { "\"1953984256\"", "1 to 64" } },
	{ HEAD FIRM "machine { memory = [00 00 40]; }; };", { "has 3 bytes" } },
	{ HEAD FIRM "machine { memory = <0x4000001>; }; };",
	  { "\"67108865\"", "whole pages" } },
	{ HEAD FIRM "machine { memory = <0xffffffff 0xfffff000>; }; };",
	  { "64M to 1024G" } },
	{ HEAD FIRM "machine { rng = \"on\"; }; };", { "empty property" } },
	{ HEAD FIRM "machine { serial = \"a\", \"b\"; }; };",
	  { "one string" } },
	{ HEAD FIRM "machine { serial = [61]; }; };", { "one string" } },
	{ HEAD FIRM "machine { serial; }; };", { "one string" } },
	{ HEAD FIRM "machine { serial = \"tty\"; }; };", { "stdio|file" } },
	{ HEAD "boot { firmware = \"\"; }; };", { "1 to 4095 bytes" } },
	{ HEAD "boot { kernel = \"k\"; }; sev { policy = <1>; }; };",
	  { "--sev, /sev: needs --firmware" } },
	{ HEAD FIRM "run { sandbox; }; };", { "one string" } },
	{ HEAD FIRM "run { sandbox = \"no\"; }; };", { "on and off" } },
	{ HEAD FIRM "run { log = \"\"; }; };", { "text|json" } },
	{ HEAD FIRM "run { log = <1>; }; };", { "string" } },
	{ HEAD FIRM "run { config = \"x\"; }; };", { "not known" } },
	{ HEAD FIRM "disks { path = \"x\"; }; };", { "a node a disk" } },
	{ HEAD FIRM "disks { a { }; }; };", { "\"a\"", "either path" } },
	{ HEAD FIRM "disks { a { path = \"p\"; id = \"b\"; }; }; };",
	  { "property id: not known" } },
	{ HEAD FIRM "disks { a { path = \"p\"; b { }; }; }; };",
	  { "/disks/a/b: no node" } },
	{ HEAD FIRM "disks { a { path = <1>; }; }; };",
	  { "/disks/a, property path", "one string" } },
	{ HEAD FIRM "disks { a@0 { path = \"p\"; }; }; };", { "\"a@0\"" } },
	{ HEAD FIRM "disks { a23456789012345678901 { path = \"p\"; }; }; };",
	  { "1 to 20" } },
	{ HEAD FIRM "fs { socket = \"s\"; }; };", { "--fs, /fs: needs tag" } },
	{ HEAD FIRM "fs { socket = \"s\"; tag = <1>; }; };", { "string" } },
	{ HEAD FIRM "vsock { }; };", { "--vsock, /vsock: needs cid" } },
	{ HEAD FIRM "vsock { cid = <5>; }; };",
	  { "--vsock, /vsock: needs either path=SOCKET" } },
	{ HEAD FIRM "vsock { cid = <2>; path = \"v\"; }; };",
	  { "/vsock, property cid", "3 to 4294967294" } },
	{ HEAD FIRM "vsock { cid = <5>; policy = <1>; }; };",
	  { "property policy: not known" } },
	{ HEAD FIRM "nets { tap = \"x\"; }; };", { "a node a net" } },
	{ HEAD FIRM "nets { a { mtu = <1500>; }; }; };", { "either tap" } },
	{ HEAD FIRM "nets { a { tap = \"t\"; mac = [02 00 00 00 00 01]; }; "
		    "}; };",
	  { "/nets/a, property mac" } },
	{ HEAD FIRM "nets { a { tap = \"t\"; queues = <9>; }; }; };",
	  { "1 to 8" } },
	{ HEAD FIRM "nets { a { tap = \"t\"; vhost = \"yes\"; }; }; };",
	  { "/nets/a, property vhost", "auto|on|off" } },
	{ HEAD FIRM "nets { a { tap = \"t\"; peer = \"p\"; }; }; };",
	  { "property peer: not known" } },
	{ HEAD FIRM "sev { }; };", { "--sev, /sev: needs policy" } },
	{ HEAD "machine { }; };", { "--firmware, /boot, property firmware" } },
	{ HEAD FIRM "boot2 { }; };", { "node /boot2: not known" } },
	{ HEAD "boot { firmware = \"f\"; initrd = \"i\"; }; };",
	  { "--initrd \"i\", /boot, property initrd: needs --kernel" } },
	{ HEAD "boot { firmware = \"f\"; cmdline = \"c\"; }; };",
	  { "--cmdline \"c\", /boot, property cmdline: needs --kernel" } },
	{ HEAD FIRM "run { paused; }; };",
	  { "--paused, /run, property paused: needs --control" } },
	{ HEAD FIRM "run { timeline = \"t\"; }; };",
	  { "--timeline \"t\", /run, property timeline: accepted" } },
	{ HEAD FIRM "run { control = \"s\"; }; "
		    "machine { serial = \"socket=s\"; }; };",
	  { "--serial \"s\", /machine, property serial: --control" } },
	{ HEAD FIRM "machine { serial = \"stdio\"; console = \"stdio\"; }; };",
	  { "--serial \"stdio\", /machine, property serial: --console" } },
	{ HEAD FIRM "machine { balloon; }; sev { policy = <1>; }; };",
	  { "--balloon, /machine, property balloon: not accepted" } },
	{ HEAD FIRM "run { control = \"v_1\"; }; "
		    "vsock { cid = <5>; path = \"v\"; }; };",
	  { "--control, /run, property control: the guest" } },
	{ HEAD FIRM "fs { socket = \"v_1\"; tag = \"t\"; }; "
		    "vsock { cid = <5>; path = \"v\"; }; };",
	  { "--fs socket, /fs, property socket: the guest" } },
	{ HEAD FIRM "disks { d { vhost-user = \"v_1\"; }; }; "
		    "vsock { cid = <5>; path = \"v\"; }; };",
	  { "--disk id \"d\", /disks/d: the guest" } },
	{ HEAD FIRM "sev { policy = <1>; dh = \"a\"; session = \"b\"; }; };",
	  { "--sev session \"b\", /sev, property session: needs --control" } },
	{ HEAD FIRM "sev { policy = <1 0>; }; };", { "0 to 4294967295" } },
	{ HEAD FIRM "sev { policy = <1>; dh = \"a\"; }; };",
	  { "needs session" } },
};

static void refusals(void **state)
{
	struct scratch s = scratch_open();
	char text[2048];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct config c;

		compile(&s, refused[i].source);
		if (parse(&c, NULL, s.path, text, sizeof(text)) != -EINVAL)
			fail_msg("accepted: %s", refused[i].source);
		for (size_t k = 0; k < 2 && refused[i].say[k]; k++)
			if (!strstr(text, refused[i].say[k]))
				fail_msg("%s: not in it: %s", text,
					 refused[i].say[k]);
		assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
		assert_null(c.owned);
	}
	close(s.fd);
}

/* Files that end early, are too long, or have any one byte changed. */
static void damaged_files(void **state)
{
	static uint8_t tree[TREE_MAX];
	size_t len = example("docs/examples/sev.dts", tree);
	struct scratch s = scratch_open();
	unsigned accepted = 0;
	char text[2048];
	struct config c;

	(void)state;
	for (size_t n = 0; n < len; n++) {
		scratch_put(&s, tree, n);
		assert_int_equal(parse(&c, NULL, s.path, text, sizeof(text)),
				 -EINVAL);
		assert_true(text[0] != '\0');
	}
	for (size_t at = 0; at < len; at++) {
		uint8_t was = tree[at];

		for (unsigned bit = 0; bit < 8; bit++) {
			tree[at] = (uint8_t)(was ^ 1u << bit);
			scratch_put(&s, tree, len);
			if (!parse(&c, NULL, s.path, text, sizeof(text)))
				accepted++;
			config_close(&c);
		}
		tree[at] = was;
	}
	/* Only a changed letter of a text, or of a number, can be well. */
	assert_in_range(accepted, 1, len * 8 / 2);
	assert_int_equal(ftruncate(s.fd, (off_t)(2 * MIB)), 0);
	assert_int_equal(parse(&c, NULL, s.path, text, sizeof(text)), -EINVAL);
	close(s.fd);
	assert_int_equal(parse(&c, NULL, "/nonexistent/x", text, sizeof(text)),
			 -EINVAL);
	assert_non_null(strstr(text, "/nonexistent/x"));
}

/* Headers that dtc does not write: libfdt 1.6 would crash on the first. */
static void foreign_headers(void **state)
{
	static uint8_t tree[TREE_MAX];
	size_t len = example("docs/examples/sev.dts", tree);
	static const struct {
		size_t at;
		uint8_t was, is;
		const char *why;
	} cases[] = {
		{ 23, 17, 3, "FDT_ERR_BADVERSION" },
		{ 23, 17, 18, "FDT_ERR_BADVERSION" },
		{ 11, 0x38, 0x3a, "FDT_ERR_BADLAYOUT" },
		{ 19, 0x28, 0x2c, "FDT_ERR_BADLAYOUT" },
		{ 3, 0xed, 0xee, "FDT_ERR_BADMAGIC" },
	};
	struct scratch s = scratch_open();
	char text[2048];
	struct config c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(tree[cases[i].at], cases[i].was);
		tree[cases[i].at] = cases[i].is;
		scratch_put(&s, tree, len);
		assert_int_equal(parse(&c, NULL, s.path, text, sizeof(text)),
				 -EINVAL);
		assert_non_null(strstr(text, cases[i].why));
		tree[cases[i].at] = cases[i].was;
	}
	close(s.fd);
}

/* Every length that a property can have; libfdt 1.6 never ends with -12. */
static void foreign_lengths(void **state)
{
	static uint8_t tree[TREE_MAX];
	static const uint32_t lengths[] = { 0x7fffffff, 0x80000000, 0xfffffff0,
					    0xfffffff3, 0xfffffff4, 0xfffffff5,
					    0xfffffff8, 0xffffffff };
	size_t len = example("docs/examples/sev.dts", tree), props = 0;
	struct scratch s = scratch_open();
	char text[2048];
	struct config c;

	(void)state;
	for (int at = 0, next = 0; next >= 0; at = next) {
		uint8_t *p = tree + fdt_off_dt_struct(tree) + at + FDT_TAGSIZE;
		uint32_t tag = fdt_next_tag(tree, at, &next), was, is;

		if (tag == FDT_END)
			break;
		if (tag != FDT_PROP)
			continue;
		props++;
		memcpy(&was, p, sizeof(was));
		for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
			is = htobe32(lengths[i]);
			memcpy(p, &is, sizeof(is));
			scratch_put(&s, tree, len);
			alarm(10);
			assert_int_equal(
				parse(&c, NULL, s.path, text, sizeof(text)),
				-EINVAL);
			alarm(0);
			assert_non_null(strstr(text, "no flattened"));
		}
		memcpy(p, &was, sizeof(was));
	}
	assert_true(props > 10);
	close(s.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals),
		cmocka_unit_test(damaged_files),
		cmocka_unit_test(foreign_headers),
		cmocka_unit_test(foreign_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
