/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_test: command lines that are refused, and with which words; what the
 * others make. Trees have a test of their own.
 */
#include "tests/unit/config_rig.h"

#define FORTY "a123456789b123456789c123456789d123456789"

static const struct refusal refused[] = {
	{ "carrel", { "no command", "run, version and help" } },
	{ "carrel start", { "\"start\"", "run, version and help" } },
	{ "carrel run", { "--firmware: missing, and --kernel too" } },
	{ "carrel run --kernel k --sev policy=1",
	  { "--sev: needs --firmware", "\"k\"" } },
	{ RUN "--initrd i", { "--initrd \"i\"", "needs --kernel" } },
	{ RUN "--cmdline c", { "--cmdline \"c\"", "needs --kernel" } },
	{ RUN "extra", { "\"extra\"", "begin with --" } },
	{ RUN "-m 1G", { "\"-m\"" } },
	{ RUN "--", { "--: not known" } },
	{ RUN "--memroy 1G", { "--memroy", "nearest is --memory" } },
	{ RUN "--cpu 2", { "nearest is --cpus" } },
	{ RUN "--no-reboots", { "nearest is --no-reboot" } },
	{ RUN "--nat tap=t", { "--nat: not known", "--net" } },
	{ RUN "--aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 1",
	  { "not known" } },
	{ RUN "--memory", { "--memory: needs a value", "SIZE" } },
	{ RUN "--disk", { "--disk: needs a value" } },

	{ RUN "--memory 63M", { "--memory \"63M\"", "64M to 1024G" } },
	{ RUN "--memory 67104768", { "\"67104768\"" } },
	{ RUN "--memory 67108865", { "whole pages of 4096" } },
	{ RUN "--memory 1025G", { "64M to 1024G" } },
	{ RUN "--memory 2T", { "64M to 1024G" } },
	{ RUN "--memory 18446744073709551616", { "64M to 1024G" } },
	{ RUN "--memory 17179869184G", { "64M to 1024G" } },
	{ RUN "--memory 16777217T", { "64M to 1024G" } },
	{ RUN "--memory -1G", { "\"-1G\"" } },
	{ RUN "--memory +1G", { "\"+1G\"" } },
	{ RUN "--memory 1GB", { "\"1GB\"" } },
	{ RUN "--memory 1g", { "\"1g\"" } },
	{ RUN "--memory G", { "\"G\"" } },
	{ RUN "--memory 0x", { "\"0x\"" } },
	{ RUN "--memory _1G", { "\" 1G\"" } },
	{ RUN "--memory=", { "--memory \"\"" } },

	{ RUN "--cpus 0", { "--cpus \"0\"", "1 to 64" } },
	{ RUN "--cpus 65", { "--cpus \"65\"", "1 to 64" } },
	{ RUN "--cpus 4294967297", { "1 to 64" } },
	{ RUN "--cpus two", { "\"two\"" } },
	{ RUN "--cpus 1.5", { "\"1.5\"" } },
	{ RUN "--cpus 1_", { "\"1 \"" } },
	{ RUN "--name a/b", { "--name \"a/b\"", "letters" } },
	{ RUN "--name=", { "--name \"\"" } },
	{ RUN "--balloon=maybe", { "--balloon \"maybe\"", "on and off" } },
	{ RUN "--balloon --sev policy=1", { "--balloon: not", "pins" } },
	{ RUN "--watchdog bark",
	  { "--watchdog \"bark\"", "off|reset|shutdown|poweroff|pause|" } },
	{ RUN "--panic exit-failure",
	  { "--panic \"exit-failure\"", "shutdown|reset|pause|none" } },
	{ RUN "--rng=yes", { "--rng \"yes\"", "on and off" } },
	{ RUN "--log xml", { "--log \"xml\"", "text|json" } },
	{ RUN "--log json|", { "\"json|\"" } },
	{ RUN "--log=", { "--log \"\"" } },
	{ RUN "--sandbox maybe", { "--sandbox \"maybe\"", "on and off" } },
	{ RUN "--serial tty", { "--serial \"tty\"", "stdio|file=" } },
	{ RUN "--serial file=", { "--serial \"file=\"" } },
	{ RUN "--serial stdio:", { "\"stdio:\"" } },
	{ RUN "--debugcon stdio", { "--debugcon \"stdio\"", "file=FILE" } },
	{ RUN "--debugcon socket=s", { "file=FILE[,max=SIZE]|none" } },
	{ RUN "--serial file=f,max=", { "\"file=f,max=\"", "64K to 1024G" } },
	{ RUN "--serial file=f,max=65535", { "0 (no limit) or 64K" } },
	{ RUN "--serial file=f,max=1025G", { "SIZE" } },
	{ RUN "--serial file=f,max=-1", { "SIZE" } },
	{ RUN "--serial file=f,max=1M,max=x", { "SIZE" } },
	{ RUN "--serial file=,max=1M", { "\"file=,max=1M\"" } },
	{ RUN "--control=", { "--control" } },
	{ RUN "--paused", { "--paused", "needs --control" } },
	{ RUN "--control s --serial socket=s",
	  { "--serial \"s\"", "--control is as well" } },
	{ RUN "--timeline=", { "--timeline" } },
	{ RUN "--timeline .svg", { "\".svg\"", ".json or .svg" } },
	{ RUN "--timeline x.png", { "\"x.png\"", ".json or .svg" } },
	{ RUN "--timeline x.json.gz", { "\"x.json.gz\"" } },
	{ RUN "--control s --console socket=s",
	  { "--console \"s\"", "--control is as well" } },
	{ RUN "--console tty", { "--console \"tty\"", "stdio|file=" } },
	{ RUN "--serial stdio --console stdio", { "one of them" } },
	{ RUN "--config x.dtb", { "must be the first flag" } },

	{ RUN "--disk readonly=on",
	  { "disk0", "either path=FILE or vhost-user=SOCKET" } },
	{ RUN "--disk path=a,vhost-user=b", { "either path=FILE or" } },
	{ RUN "--disk vhost-user=", { "--disk vhost-user \"\"", "1 to 107" } },
	{ RUN "--disk vhost-user=" FORTY FORTY "1234567890123456789012345678",
	  { "1 to 107 bytes" } },
	{ RUN "--disk vhost-user=s,readonly=on",
	  { "disk0", "for \"s\" to say", "readonly=off" } },
	{ RUN "--disk vhost-user=s,iops=5",
	  { "bind \"s\"", "without limits" } },
	{ RUN "--disk vhost-user=a,id=x --disk path=b,id=x",
	  { "\"x\"", "\"a\"", "\"b\"" } },
	{ RUN "--disk path=", { "--disk path \"\"" } },
	{ RUN "--disk path", { "--disk path: needs a value" } },
	{ RUN "--disk path=a,format=qcow2", { "--disk format: not known" } },
	{ RUN "--disk path=a,readonly=1", { "on and off" } },
	{ RUN "--disk path=a,", { "--disk : not known" } },
	{ RUN "--disk path=a,queues=0", { "--disk queues \"0\"", "1 to 16" } },
	{ RUN "--disk path=a,id=a_b", { "--disk id \"a b\"" } },
	{ RUN "--disk path=a,id=123456789012345678901", { "1 to 20" } },
	{ RUN "--disk path=a,id=x --disk path=b,id=x",
	  { "\"x\"", "\"a\"", "\"b\"" } },
	{ RUN "--disk path=a --disk path=b,id=disk0", { "\"disk0\"" } },
	{ RUN "--disk path=1 --disk path=2 --disk path=3 --disk path=4 "
	      "--disk path=5 --disk path=6 --disk path=7 --disk path=8 "
	      "--disk path=9 --disk path=10 --disk path=11 --disk path=12 "
	      "--disk path=13 --disk path=14 --disk path=15 --disk path=16 "
	      "--disk path=17",
	  { "at most 16" } },

	{ RUN "--net mtu=1500", { "net0", "either tap=IFNAME or passt" } },
	{ RUN "--net tap=a,passt=b", { "either tap=IFNAME or passt" } },
	{ RUN "--net tap=", { "--net tap \"\"", "1 to 15" } },
	{ RUN "--net tap=0123456789012345", { "1 to 15" } },
	{ RUN "--net tap=a/b", { "--net tap \"a/b\"" } },
	{ RUN "--net tap=a,queues=9", { "--net queues \"9\"", "1 to 8" } },
	{ RUN "--net tap=a,queues=0", { "1 to 8" } },
	{ RUN "--net passt=a,queues=2", { "passt \"a\"", "queues=2" } },
	{ RUN "--net passt=a,vhost=on", { "net0", "vhost=on", "passt" } },
	{ RUN "--net tap=a,vhost=yes", { "--net vhost", "auto|on|off" } },
	{ RUN "--net tap=a,mtu=67", { "68 to 65535" } },
	{ RUN "--net tap=a,mtu=65536", { "68 to 65535" } },
	{ RUN "--net tap=a,mac=02:00:00:00:00", { "six bytes" } },
	{ RUN "--net tap=a,mac=02:00:00:00:00:00:00", { "six bytes" } },
	{ RUN "--net tap=a,mac=2:0:0:0:0:0", { "six bytes" } },
	{ RUN "--net tap=a,mac=02-00-00-00-00-01", { "six bytes" } },
	{ RUN "--net tap=a,mac=02:00:00:00:00:0g", { "six bytes" } },
	{ RUN "--net tap=a,mac=00:00:00:00:00:00", { "not zero" } },
	{ RUN "--net tap=a,mac=01:00:00:00:00:01", { "no group's" } },
	{ RUN "--net tap=a,mac=", { "six bytes" } },
	{ RUN "--net tap=a,id=x --net passt=b,id=x",
	  { "two nets", "\"a\"", "\"b\"" } },
	{ RUN "--net tap=1 --net tap=2 --net tap=3 --net tap=4 --net tap=5 "
	      "--net tap=6 --net tap=7 --net tap=8 --net tap=9",
	  { "at most 8" } },

	{ RUN "--vsock cid=3",
	  { "--vsock: needs", "path=SOCKET", "vhost=on" } },
	{ RUN "--vsock cid=3,path=v,vhost", { "either path=SOCKET or" } },
	{ RUN "--vsock vhost=on", { "--vsock: needs cid=N" } },
	{ RUN "--vsock cid=3,vhost=auto", { "--vsock vhost", "on" } },
	{ RUN "--vsock path=v", { "--vsock: needs cid=N" } },
	{ RUN "--vsock cid=2,path=v",
	  { "--vsock cid \"2\"", "3 to 4294967294" } },
	{ RUN "--vsock cid=0xffffffff,path=v", { "3 to 4294967294" } },
	{ RUN "--vsock cid=3,path=", { "1 to 96 bytes" } },
	{ RUN "--vsock cid=3,path=" FORTY FORTY "12345678901234567",
	  { "1 to 96 bytes" } },
	{ RUN "--vsock cid=3,socket=v", { "--vsock socket: not known" } },
	{ RUN "--vsock", { "--vsock: needs a value" } },
	{ RUN "--fs tag=a", { "--fs: needs socket=SOCKET" } },
	{ RUN "--fs socket=s", { "--fs: needs tag=NAME" } },
	{ RUN "--fs socket=s,tag=a/b", { "--fs tag \"a/b\"", "1 to 36" } },
	{ RUN "--fs socket=s,tag=1234567890123456789012345678901234567",
	  { "1 to 36" } },
	{ RUN "--fs socket=s,tag=a,queues=17", { "1 to 16" } },
	{ RUN "--fs socket=s,tag=a,path=p", { "--fs path: not known" } },
	{ RUN "--sev kernel-hashes=on", { "--sev: needs policy=N" } },
	{ RUN "--sev=", { "--sev : not known" } },
	{ RUN "--sev on", { "--sev on: not known" } },
	{ RUN "--sev policy=0x100000000", { "0 to 4294967295" } },
	{ RUN "--sev policy=-1", { "--sev policy \"-1\"" } },
	{ RUN "--sev policy=1,dh=a", { "dh \"a\"", "needs session" } },
	{ RUN "--sev policy=1,session=a", { "session \"a\"", "needs dh" } },
	{ RUN "--sev policy=1,dh=a,session=b", { "needs --control" } },
	{ RUN "--sev policy=1,cbitpos=31", { "32 to 63" } },
	{ RUN "--sev policy=1,reduced-phys-bits=33", { "0 to 32" } },
	{ RUN "--sev policy=1,kernel-hashes", { "needs a value" } },
};

static void refusals(void **state)
{
	(void)state;
	refuse(refused, ARRAY_LEN(refused));
}

/* However long the value, the line still says what would be accepted. */
static void long_values(void **state)
{
	static char path[8192], line[9000];
	char text[2048];
	struct config c;

	(void)state;
	memset(path, 'p', sizeof(path) - 1);
	snprintf(line, sizeof(line), "carrel run --firmware %s", path);
	assert_int_equal(parse(&c, line, text, sizeof(text)), -EINVAL);
	assert_non_null(strstr(text, "accepted are 1 to 4095 bytes"));
	snprintf(line, sizeof(line), RUN "--serial socket=%.108s", path);
	assert_int_equal(parse(&c, line, text, sizeof(text)), -EINVAL);
	assert_non_null(strstr(text, "at most 107 bytes"));
}

static void verbs(void **state)
{
	static const struct {
		const char *line;
		enum config_verb verb;
	} t[] = {
		{ "carrel version", CONFIG_VERSION },
		{ "carrel --version", CONFIG_VERSION },
		{ "carrel help", CONFIG_HELP },
		{ "carrel --help", CONFIG_HELP },
		{ "carrel run --help", CONFIG_HELP },
		{ RUN "--memory 1G --help", CONFIG_HELP },
		{ RUN, CONFIG_RUN },
	};
	struct config c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		accept(&c, t[i].line);
		assert_int_equal(c.verb, t[i].verb);
		config_close(&c);
	}
}

static void defaults(void **state)
{
	struct config c;

	(void)state;
	accept(&c, RUN);
	assert_string_equal(c.firmware, "f");
	assert_int_equal(c.memory, 512 * MIB);
	assert_int_equal(c.cpus, 1);
	assert_int_equal(c.serial.end, END_STDIO);
	assert_int_equal(c.console.end, END_NONE);
	assert_int_equal(c.debugcon.end, END_NONE);
	assert_true(c.sandbox);
	assert_false(c.rng || c.paused || c.no_reboot || c.sev.on);
	assert_false(c.vsock.on);
	assert_int_equal(c.n_disks, 0);
	assert_null(c.control);
	assert_null(c.name);
	config_close(&c);
	/* The terminal is one's own. */
	accept(&c, RUN "--console stdio");
	assert_int_equal(c.console.end, END_STDIO);
	assert_int_equal(c.serial.end, END_NONE);
	config_close(&c);
	accept(&c, RUN "--console socket=s");
	assert_int_equal(c.serial.end, END_STDIO);
	config_close(&c);
}

static void everything(void **state)
{
	struct config c;

	(void)state;
	accept(&c,
	       "carrel run --firmware=f --name vm-1.x --memory 3G --cpus 64 "
	       "--kernel k --initrd i --cmdline console=ttyS0_quiet "
	       "--rng --serial socket=/s,1 --console file=c,max=1M "
	       "--debugcon file=/d --control c "
	       "--paused --no-reboot --sandbox off --log json --dump-dtb - "
	       "--timeline a/b.svg "
	       "--disk path=/a,,b,readonly,queues=3 "
	       "--disk id=root,path=p=q,readonly=off "
	       "--vsock cid=4,path=v,,w --vsock cid=5 "
	       "--sev policy=0xFFFFFFFF,dh=g --sev session=h,cbitpos=47,"
	       "reduced-phys-bits=1,kernel-hashes=off");
	assert_string_equal(c.name, "vm-1.x");
	assert_int_equal(c.memory, 3 * GIB);
	assert_int_equal(c.cpus, 64);
	assert_string_equal(c.kernel, "k");
	assert_string_equal(c.initrd, "i");
	assert_string_equal(c.cmdline, "console=ttyS0 quiet");
	assert_int_equal(c.serial.end, END_SOCKET);
	assert_string_equal(c.serial.path, "/s,1");
	assert_int_equal(c.console.end, END_FILE);
	assert_int_equal(c.console.max, MIB);
	assert_int_equal(c.debugcon.end, END_FILE);
	assert_string_equal(c.debugcon.path, "/d");
	assert_int_equal(c.debugcon.max, 64 * MIB);
	assert_string_equal(c.control, "c");
	assert_string_equal(c.dump_dtb, "-");
	assert_true(c.rng && c.paused && c.no_reboot && !c.sandbox);
	assert_int_equal(c.log, CONFIG_LOG_JSON);
	assert_string_equal(c.timeline, "a/b.svg");
	assert_true(c.vsock.on);
	assert_int_equal(c.vsock.cid, 5);
	assert_string_equal(c.vsock.path, "v,w");
	assert_int_equal(c.n_disks, 2);
	assert_string_equal(c.disk[0].path, "/a,b");
	assert_string_equal(c.disk[0].id, "disk0");
	assert_true(c.disk[0].readonly);
	assert_int_equal(c.disk[0].queues, 3);
	assert_string_equal(c.disk[1].path, "p=q");
	assert_string_equal(c.disk[1].id, "root");
	assert_false(c.disk[1].readonly);
	assert_int_equal(c.disk[1].queues, 0);
	assert_true(c.sev.on && !c.sev.kernel_hashes);
	assert_int_equal(c.sev.policy, 0xffffffff);
	assert_string_equal(c.sev.dh, "g");
	assert_string_equal(c.sev.session, "h");
	assert_int_equal(c.sev.cbitpos, 47);
	assert_int_equal(c.sev.reduced_phys_bits, 1);
	config_close(&c);
	assert_null(c.owned);
}

static void sev_defaults(void **state)
{
	struct config c;

	(void)state;
	accept(&c, RUN "--kernel k --sev policy=1");
	assert_true(c.sev.on && c.sev.kernel_hashes);
	assert_int_equal(c.sev.policy, 1);
	assert_int_equal(c.sev.cbitpos, -1);
	assert_int_equal(c.sev.reduced_phys_bits, -1);
	config_close(&c);
}

static void numbers(void **state)
{
	static const struct {
		const char *line;
		uint64_t memory;
	} t[] = {
		{ RUN "--memory 67108864", 64 * MIB },
		{ RUN "--memory 67112960", 64 * MIB + 4096 },
		{ RUN "--memory 65536K", 64 * MIB },
		{ RUN "--memory 64M", 64 * MIB },
		{ RUN "--memory 0x40M", 64 * MIB },
		{ RUN "--memory 0064M", 64 * MIB }, /* not octal */
		{ RUN "--memory 1024G", 1024 * GIB },
		{ RUN "--memory 1T", 1024 * GIB },
		{ RUN "--memory 1G --memory 2G", 2 * GIB },
	};
	struct config c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		accept(&c, t[i].line);
		assert_int_equal(c.memory, t[i].memory);
		config_close(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals),   cmocka_unit_test(long_values),
		cmocka_unit_test(verbs),      cmocka_unit_test(defaults),
		cmocka_unit_test(everything), cmocka_unit_test(sev_defaults),
		cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
