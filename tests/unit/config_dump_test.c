/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_dump_test: the examples of docs/ say what they should; what --dump-dtb
 * writes reads back to the same.
 */
#include "tests/unit/tree_rig.h"
#include "vmm/config_table.h"

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
	assert_non_null(strstr(text, "\"root\", /disks/root: two disks"));
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

/*
 * What round-trips. The first is all defaults, in every node that there is;
 * each property has to have another value in one of the others.
 */
static const char *const lines[][24] = {
	{ "--firmware", "f", "--disk", "path=a", "--net", "tap=t", "--vsock",
	  "cid=3,path=v", "--fs", "socket=s,tag=t", "--sev", "policy=0" },
	{ "--kernel", "k", "--initrd", "i" },
	{ "--firmware", "g", "--name", "n", "--cpus", "64", "--rng", "--serial",
	  "none", "--debugcon", "file=a,b=c" },
	{ "--firmware", "f", "--serial", "file=a,max=1M,max=70000",
	  "--debugcon", "file=b,max=0" },
	{ "--firmware", "f", "--kernel", "k", "--initrd", "i", "--cmdline=",
	  "--control", "s", "--paused", "--no-reboot", "--sandbox", "off",
	  "--log", "json", "--memory", "1T", "--timeline", "t.json" },
	{ "--firmware", "f", "--balloon", "--watchdog", "inject-nmi", "--panic",
	  "none", "--console", "socket=h", "--fs",
	  "socket=/a,,b,tag=T_1.-,queues=16" },
	{ "--firmware", "f", "--watchdog", "reset", "--panic", "pause",
	  "--console", "stdio" },
	{ "--firmware", "f", "--disk", "path=a,,b,readonly", "--disk",
	  "path=c,id=A.b_c-9,queues=16,bps=5G,bps-burst=1,iops=3,"
	  "iops-burst=1024G",
	  "--disk", "vhost-user=/a,,b,id=peer,queues=3", "--sev",
	  "policy=0xffffffff,cbitpos=51,reduced-phys-bits=0,"
	  "kernel-hashes=off" },
	{ "--firmware", "f", "--net",
	  "tap=t0,mac=02:00:5e:FF:0a:01,queues=8,mtu=9000,rx-bps=1,"
	  "rx-bps-burst=2,rx-pps=3,rx-pps-burst=4,tx-bps=5,tx-bps-burst=6,"
	  "tx-pps=1024G,tx-pps-burst=1",
	  "--net", "passt=/a,,b,id=lan", "--net", "tap=t1,vhost=off" },
	{ "--firmware", "f", "--vsock", "cid=4,vhost=on" },
	{ "--firmware", "f", "--control", "c", "--serial", "socket=x",
	  "--vsock", "cid=0xfffffffe,path=v,,w", "--sev",
	  "policy=0,dh=d,session=s" },
};

/* Of each of config_rows, and behind it of each of its suboptions. */
#define SUBS 32
static bool seen[CONFIG_ROWS][1 + SUBS];

/* Is it there, and not as in the dump of defaults? */
static bool differs(const void *tree, int node, const void *plain, int other,
		    const struct config_row *r)
{
	const char *prop = r->prop ? r->prop : r->flag;
	int n, m = -1;
	const void *v = fdt_getprop(tree, node, prop, &n);
	const void *w = other < 0 ? NULL : fdt_getprop(plain, other, prop, &m);

	return v && (!w || n != m || memcmp(v, w, (size_t)n) != 0);
}

static void look_at_subs(const void *tree, int node, const void *plain,
			 int other, const struct config_row *r, bool *subs)
{
	size_t len = strlen(r->flag);

	for (size_t k = 0; k < r->n_sub; k++) {
		const struct config_row *sub = &r->sub[k];

		if (sub->node)
			subs[k] |= differs(tree, node, plain, other, sub);
		else /* an id, the name of a node */
			subs[k] |= strncmp(fdt_get_name(tree, node, NULL),
					   r->flag, len) != 0;
	}
}

static void look(const void *tree, const void *plain)
{
	size_t n;
	const struct config_row *rows = config_rows(&n);

	for (size_t i = 0; i < n; i++) {
		const struct config_row *r = &rows[i];
		int node, other, item;
		char path[32];

		if (!r->node) /* of a command line only */
			continue;
		snprintf(path, sizeof(path), "/%s", r->node);
		node = fdt_path_offset(tree, path);
		if (node < 0)
			continue;
		other = fdt_path_offset(plain, path);
		seen[i][0] |= r->n_sub || differs(tree, node, plain, other, r);
		if (r->kind == KIND_GROUP)
			look_at_subs(tree, node, plain, other, r, seen[i] + 1);
		if (r->kind != KIND_LIST)
			continue;
		other = fdt_first_subnode(plain, other);
		fdt_for_each_subnode(item, tree, node)
			look_at_subs(tree, item, plain, other, r, seen[i] + 1);
	}
}

static void everything_was_seen(void)
{
	size_t n;
	const struct config_row *rows = config_rows(&n);

	for (size_t i = 0; i < n; i++) {
		assert_true(rows[i].n_sub <= SUBS);
		if (!rows[i].node)
			continue;
		if (!seen[i][0])
			fail_msg("--%s: in no line", rows[i].flag);
		for (size_t k = 0; k < rows[i].n_sub; k++)
			if (!seen[i][1 + k])
				fail_msg("--%s %s: in no line", rows[i].flag,
					 rows[i].sub[k].flag);
	}
}

/*
 * A dump of a dump is the same bytes: nothing is lost, nothing drifts. And
 * there is nothing that a dump leaves out, or that no line here has.
 */
static void dump_reads_back(void **state)
{
	static uint8_t one[TREE_MAX], two[TREE_MAX], plain[TREE_MAX];
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
		n = dump(&c, i ? one : plain);
		config_close(&c);
		if (!i)
			bytes_copy(one, sizeof(one), plain, n);
		assert_int_equal(fdt_check_full(one, n), 0);
		look(one, plain);

		scratch_put(&s, one, n);
		assert_int_equal(parse(&c, NULL, s.path, text, sizeof(text)),
				 0);
		assert_int_equal(dump(&c, two), n);
		assert_memory_equal(one, two, n);
		config_close(&c);
		close(s.fd);
	}
	everything_was_seen();
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
		cmocka_unit_test(examples),
		cmocka_unit_test(flags_override),
		cmocka_unit_test(dump_reads_back),
		cmocka_unit_test(largest_dump),
		cmocka_unit_test(dump_that_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
