/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_tree_test: trees that are refused, and with which words; the examples
 * of docs/ through dtc; that what --dump-dtb writes reads back to the same.
 */
#include "vmm/config.h"

#include <endian.h>
#include <errno.h>
#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/capture.h"

#define TREE_MAX 65536

/* A scratch file by name, so that config can open it. */
struct scratch {
	int fd;
	char path[32];
};

static struct scratch scratch_open(void)
{
	struct scratch s = { .fd = memfd_create("tree", 0) };

	assert_true(s.fd >= 0);
	snprintf(s.path, sizeof(s.path), "/proc/self/fd/%d", s.fd);
	return s;
}

static void scratch_put(const struct scratch *s, const void *bytes, size_t len)
{
	assert_int_equal(ftruncate(s->fd, 0), 0);
	assert_int_equal(pwrite(s->fd, bytes, len, 0), (ssize_t)len);
}

/* dtc's output for a source on its standard input. */
static void compile(const struct scratch *out, const char *source)
{
	char command[160];
	FILE *f;

	snprintf(command, sizeof(command),
		 "dtc -q -q -f -I dts -O dtb -o /proc/%d/fd/%d -", getpid(),
		 out->fd);
	assert_int_equal(ftruncate(out->fd, 0), 0);
	f = popen(command, "w");
	assert_non_null(f);
	assert_true(fputs(source, f) >= 0);
	assert_int_equal(pclose(f), 0);
}

static int parse(struct config *c, const char *const *more, const char *path,
		 char *text, size_t cap)
{
	char *argv[32] = { (char *)"carrel", (char *)"run",
			   (char *)"--config" };
	struct capture err = capture_begin();
	int argc = 3, rc;

	argv[argc++] = (char *)(uintptr_t)path;
	while (more && *more)
		argv[argc++] = (char *)(uintptr_t)*more++;
	rc = config_parse(c, argc, argv);
	capture_end(&err, text, cap);
	return rc;
}

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
	{ HEAD FIRM "net { }; };", { "/net: not known" } },
	{ HEAD FIRM "machine { cpu = <1>; }; };",
	  { "/machine, property cpu: not known" } },
	{ HEAD FIRM "machine { name-x = \"a\"; }; };", { "not known" } },
	{ HEAD FIRM "machine { x { }; }; };", { "/machine/x" } },
	{ HEAD FIRM "boot { machine { }; }; };", { "/boot/machine" } },
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
	  { "--sev needs --firmware" } },
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
	{ HEAD FIRM "fs { socket = \"s\"; }; };", { "--fs: needs tag" } },
	{ HEAD FIRM "fs { socket = \"s\"; tag = <1>; }; };", { "string" } },
	{ HEAD FIRM "vsock { }; };", { "--vsock: needs cid" } },
	{ HEAD FIRM "vsock { cid = <5>; }; };", { "either path=SOCKET" } },
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
	{ HEAD FIRM "sev { }; };", { "--sev: needs policy" } },
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

static char *slurp(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, TREE_MAX);

	if (!f || !text)
		fail_msg("%s: run tests in the root of the tree", path);
	assert_true(fread(text, 1, TREE_MAX - 1, f) > 0);
	fclose(f);
	return text;
}

/* A compiled example; its length. */
static size_t example(const char *path, uint8_t *tree)
{
	struct scratch s = scratch_open();
	char *source = slurp(path);
	ssize_t n;

	compile(&s, source);
	n = pread(s.fd, tree, TREE_MAX, 0);
	assert_true(n > 0);
	free(source);
	close(s.fd);
	return (size_t)n;
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

static void examples(void **state)
{
	static uint8_t tree[TREE_MAX];
	struct scratch s = scratch_open();
	char text[2048];
	struct config c;

	(void)state;
	scratch_put(&s, tree, example("docs/examples/plain.dts", tree));
	assert_int_equal(parse(&c, NULL, s.path, text, sizeof(text)), 0);
	assert_string_equal(c.name, "web-1");
	assert_int_equal(c.memory, 2 * GIB);
	assert_int_equal(c.cpus, 2);
	assert_true(c.rng && !c.sev.on && c.sandbox);
	assert_int_equal(c.n_disks, 2);
	assert_string_equal(c.disk[0].id, "root");
	assert_string_equal(c.disk[0].path, "root.img");
	assert_string_equal(c.disk[1].id, "data");
	assert_true(!c.disk[0].readonly && c.disk[1].readonly);
	assert_int_equal(c.n_nets, 1);
	assert_string_equal(c.net[0].id, "net0");
	assert_string_equal(c.net[0].tap, "tap0");
	assert_null(c.net[0].passt);
	assert_memory_equal(c.net[0].mac, "\2\0\0\x12\x34\x56", 6);
	assert_int_equal(c.net[0].queues, 2);
	assert_int_equal(c.net[0].mtu, 0);
	config_close(&c);

	scratch_put(&s, tree, example("docs/examples/microvm.dts", tree));
	assert_int_equal(parse(&c, NULL, s.path, text, sizeof(text)), 0);
	assert_null(c.firmware);
	assert_string_equal(c.kernel, "vmlinuz");
	assert_string_equal(c.initrd, "initrd.img");
	assert_true(c.no_reboot && c.disk[0].readonly);
	config_close(&c);

	scratch_put(&s, tree, example("docs/examples/sev.dts", tree));
	assert_int_equal(parse(&c, NULL, s.path, text, sizeof(text)), 0);
	assert_int_equal(c.memory, 512 * MIB);
	assert_true(c.sev.on && c.sev.kernel_hashes && c.no_reboot);
	assert_int_equal(c.sev.policy, 1);
	assert_string_equal(c.sev.session, "launch_blob.bin");
	assert_string_equal(c.cmdline, "console=ttyS0 root=/dev/vda1 ro");
	assert_int_equal(c.serial.end, END_FILE);
	assert_string_equal(c.control, "sev-1.sock");
	config_close(&c);
	close(s.fd);
}

static void flags_override(void **state)
{
	static const char *const more[] = {
		"--memory",   "1G", "--rng=off", "--disk", "path=x,id=more",
		"--firmware", "g",  "--serial",	 "none",   NULL
	};
	static const char *const again[] = { "--disk", "path=x,id=root", NULL };
	static uint8_t tree[TREE_MAX];
	struct scratch s = scratch_open();
	char text[2048];
	struct config c;

	(void)state;
	scratch_put(&s, tree, example("docs/examples/plain.dts", tree));
	assert_int_equal(parse(&c, again, s.path, text, sizeof(text)), -EINVAL);
	assert_non_null(strstr(text, "\"root\": two disks"));
	assert_int_equal(parse(&c, more, s.path, text, sizeof(text)), 0);
	assert_int_equal(c.memory, 1 * GIB);
	assert_int_equal(c.cpus, 2);
	assert_false(c.rng);
	assert_string_equal(c.firmware, "g");
	assert_int_equal(c.serial.end, END_NONE);
	assert_int_equal(c.n_disks, 3);
	assert_string_equal(c.disk[2].id, "more");
	config_close(&c);
	close(s.fd);
}

/* Writes what was parsed; the bytes are those that are in the file then. */
static size_t dump(struct config *c, uint8_t *tree)
{
	struct scratch s = scratch_open();
	ssize_t n;

	c->dump_dtb = s.path;
	assert_int_equal(config_dump(c), 0);
	c->dump_dtb = NULL;
	n = pread(s.fd, tree, TREE_MAX, 0);
	assert_true(n > 0);
	close(s.fd);
	return (size_t)n;
}

/* A dump of a dump is the same bytes: nothing is lost, nothing drifts. */
static void dump_reads_back(void **state)
{
	static const char *const lines[][24] = {
		{ "--firmware", "f" },
		{ "--kernel", "k", "--initrd", "i" },
		{ "--firmware", "f", "--name", "n", "--cpus", "64", "--rng",
		  "--serial", "none", "--debugcon", "file=a,b=c" },
		{ "--firmware", "f", "--serial", "file=a,max=1M,max=70000",
		  "--debugcon", "file=b,max=0" },
		{ "--firmware", "f", "--kernel", "k", "--initrd", "i",
		  "--cmdline=", "--control", "s", "--paused", "--no-reboot",
		  "--sandbox", "off", "--log", "json", "--memory", "1T",
		  "--timeline", "t.json" },
		{ "--firmware", "f", "--disk", "path=a,,b,readonly", "--disk",
		  "path=c,id=A.b_c-9,queues=16,bps=5G,iops=3", "--sev",
		  "policy=0xffffffff,cbitpos=51,reduced-phys-bits=0,"
		  "kernel-hashes=off" },
		{ "--firmware", "f", "--net",
		  "tap=t0,mac=02:00:5e:FF:0a:01,queues=8,mtu=9000,rx-bps=1,"
		  "tx-pps=1024G,tx-pps-burst=1",
		  "--net", "passt=/a,,b,id=lan", "--net", "tap=t1,vhost=off" },
		{ "--firmware", "f", "--vsock", "cid=3,vhost=on" },
		{ "--firmware", "f", "--control", "c", "--serial", "socket=x",
		  "--vsock", "cid=0xfffffffe,path=v,,w", "--sev",
		  "policy=0,dh=d,session=s" },
	};
	static uint8_t one[TREE_MAX], two[TREE_MAX];
	char text[2048];
	struct config c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct scratch s = scratch_open();
		char *argv[26] = { (char *)"carrel", (char *)"run" };
		int argc = 2;
		size_t n;

		for (; lines[i][argc - 2]; argc++)
			argv[argc] = (char *)(uintptr_t)lines[i][argc - 2];
		assert_int_equal(config_parse(&c, argc, argv), 0);
		n = dump(&c, one);
		config_close(&c);
		assert_int_equal(fdt_check_full(one, n), 0);

		scratch_put(&s, one, n);
		assert_int_equal(parse(&c, NULL, s.path, text, sizeof(text)),
				 0);
		assert_int_equal(dump(&c, two), n);
		assert_memory_equal(one, two, n);
		config_close(&c);
		close(s.fd);
	}
}

/* The longest texts that flags accept fit into a dump. */
static void largest_dump(void **state)
{
	static char path[4096], cmdline[4096], disk[16][4200];
	static uint8_t tree[TREE_MAX * 4];
	char *argv[64] = { (char *)"carrel",	 (char *)"run",
			   (char *)"--firmware", path,
			   (char *)"--kernel",	 path,
			   (char *)"--initrd",	 path,
			   (char *)"--cmdline",	 cmdline };
	struct scratch s = scratch_open();
	struct config c;
	int argc = 10;

	(void)state;
	memset(path, 'p', sizeof(path) - 1);
	memset(cmdline, 'c', sizeof(cmdline) - 1);
	for (size_t i = 0; i < ARRAY_LEN(disk); i++) {
		snprintf(disk[i], sizeof(disk[i]), "id=%020zu,path=%s", i,
			 path);
		argv[argc++] = (char *)"--disk";
		argv[argc++] = disk[i];
	}
	assert_int_equal(config_parse(&c, argc, argv), 0);
	c.dump_dtb = s.path;
	assert_int_equal(config_dump(&c), 0);
	config_close(&c);
	assert_true(pread(s.fd, tree, sizeof(tree), 0) > 16 * 4095);
	assert_int_equal(fdt_check_header(tree), 0);
	close(s.fd);
}

static void dump_that_fails(void **state)
{
	struct capture err = capture_begin();
	struct config c = { .dump_dtb = "/nonexistent/x" };
	char text[256];

	(void)state;
	assert_int_equal(config_dump(&c), -ENOENT);
	c.dump_dtb = "/dev/full";
	assert_int_equal(config_dump(&c), -ENOSPC);
	capture_end(&err, text, sizeof(text));
	assert_non_null(strstr(text, "--dump-dtb \"/nonexistent/x\""));
	assert_non_null(strstr(text, "--dump-dtb \"/dev/full\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals),
		cmocka_unit_test(damaged_files),
		cmocka_unit_test(foreign_headers),
		cmocka_unit_test(foreign_lengths),
		cmocka_unit_test(examples),
		cmocka_unit_test(flags_override),
		cmocka_unit_test(dump_reads_back),
		cmocka_unit_test(largest_dump),
		cmocka_unit_test(dump_that_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
