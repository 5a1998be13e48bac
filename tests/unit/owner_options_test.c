/* SPDX-License-Identifier: Apache-2.0 */
/*
 * owner_options_test: command lines that are refused, and what the others
 * come to; and the converters behind them.
 */
#include "sev/owner/options.h"

#include <errno.h>

#include "tests/unit/owner_rig.h"

static const struct verb verb = {
	.name = "test",
	.file = "FILE",
	.need = OPT(POLICY),
	.take = OPT(API_MAJOR) | OPT(DIGEST) | OPT(MEASUREMENT) | OPT(MIN_API) |
		OPT(ENTRY) | OPT(PASSWD_FILE) | OPT(FORCE) | OPT(CMDLINE) |
		OPT(OUT),
};

#define GUID "00112233-4455-6677-8899-aabbccddeeff"

static void refused(void **state)
{
	static const struct {
		const char *name;
		const char *argv[5];
	} t[] = {
		{ "nothing", { 0 } },
		{ "no file", { "--policy", "1" } },
		{ "needed option missing", { "f" } },
		{ "file twice", { "f", "g", "--policy=1" } },
		{ "option twice", { "f", "--policy=1", "--policy=1" } },
		{ "unknown option", { "f", "--policy=1", "--polic=1" } },
		{ "another verb's option", { "f", "--policy=1", "--tk=x" } },
		{ "option cut short", { "f", "--policy=1", "--forc" } },
		{ "flag with a value", { "f", "--policy=1", "--force=1" } },
		{ "no value", { "f", "--policy" } },
		{ "an option as a value", { "f", "--policy", "--force" } },
		{ "empty value", { "f", "--policy=" } },
		{ "policy is text", { "f", "--policy=yes" } },
		{ "policy has 33 bits", { "f", "--policy=0x100000000" } },
		{ "policy in decimal, too", { "f", "--policy=4294967296" } },
		{ "policy beyond 64 bits",
		  { "f", "--policy=18446744073709551617" } },
		{ "negative policy", { "f", "--policy=-1" } },
		{ "0x alone", { "f", "--policy=0x" } },
		{ "space", { "f", "--policy= 1" } },
		{ "a byte of 256", { "f", "--policy=1", "--api-major=256" } },
		{ "digest is short", { "f", "--policy=1", "--digest=00" } },
		{ "digest is no hex",
		  { "f", "--policy=1",
		    "--digest=gg000000000000000000000000000000"
		    "00000000000000000000000000000000" } },
		{ "measurement of 47 bytes",
		  { "f", "--policy=1",
		    "--measurement=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		    "AAAAAAAAAAAAAAAAAAAAA=" } },
		{ "API without a dot", { "f", "--policy=1", "--min-api=1" } },
		{ "API without a number",
		  { "f", "--policy=1", "--min-api=.1" } },
		{ "API of 256", { "f", "--policy=1", "--min-api=256.1" } },
		{ "API of 4 digits",
		  { "f", "--policy=1", "--min-api=0001.1" } },
		{ "entry without a file",
		  { "f", "--policy=1", "--entry=" GUID } },
		{ "entry with an empty one",
		  { "f", "--policy=1", "--entry=" GUID "=" } },
		{ "entry without a GUID",
		  { "f", "--policy=1", "--entry=a=b" } },
		{ "passphrase twice",
		  { "f", "--policy=1", "--passwd-file=a", "--passwd-file=b" } },
		{ "entry with a bad GUID",
		  { "f", "--policy=1",
		    "--entry=0011223g-4455-6677-8899-aabbccddeeff=x" } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		char *argv[6] = { 0 };
		struct args a;
		int argc = 0;

		for (; argc < 5 && t[i].argv[argc]; argc++)
			argv[argc] = (char *)(uintptr_t)t[i].argv[argc];
		print_message("%s\n", t[i].name);
		assert_int_equal(options_parse(&a, &verb, argc, argv), -EINVAL);
	}
}

static void too_many_entries(void **state)
{
	char file[] = "f", policy[] = "--policy=1";
	char entry[] = "--entry=" GUID "=x", passwd[] = "--passwd-file=x";
	char *argv[ENTRIES_MAX + 3] = { file, policy };
	int argc = 2;
	struct args a;

	(void)state;
	for (int i = 0; i < ENTRIES_MAX; i++)
		argv[argc++] = entry;
	assert_int_equal(options_parse(&a, &verb, argc, argv), 0);
	assert_int_equal(a.n_entries, ENTRIES_MAX);
	argv[argc++] = passwd;
	assert_int_equal(options_parse(&a, &verb, argc, argv), -EINVAL);
}

static void taken(void **state)
{
	char *argv[] = {
		(char[]){ "--policy" },
		(char[]){ "0xFFFFFFFF" },
		(char[]){ "--api-major" },
		(char[]){ "255" },
		(char[]){ "--min-api=1.55" },
		(char[]){ "--cmdline=" },
		(char[]){ "--out=--odd" },
		(char[]){ "--entry" },
		(char[]){ GUID "=a=b" },
		(char[]){ "--passwd-file" },
		(char[]){ "pw" },
		(char[]){ "--force" },
		(char[]){ "--" },
		(char[]){ "--file" },
	};
	struct args a;

	(void)state;
	assert_int_equal(options_parse(&a, &verb, ARRAY_LEN(argv), argv), 0);
	assert_int_equal(a.policy, UINT32_MAX);
	assert_int_equal(a.api_major, 255);
	assert_int_equal(a.min_api[0], 1);
	assert_int_equal(a.min_api[1], 55);
	assert_string_equal(a.cmdline, "");
	assert_string_equal(a.out, "--odd");
	assert_string_equal(a.file, "--file");
	assert_true(a.given & OPT(FORCE));
	assert_int_equal(a.n_entries, 2);
	assert_string_equal(a.entry[0].path, "a=b");
	rig_is_hex(a.entry[0].guid, GUID_LEN,
		   "33221100554477668899aabbccddeeff");
	assert_false(a.entry[0].passwd);
	assert_string_equal(a.entry[1].path, "pw");
	assert_true(a.entry[1].passwd);
	/* 736869e5-84f0-4973-92ec-06879ce3da0b in memory. */
	rig_is_hex(a.entry[1].guid, GUID_LEN,
		   "e5696873f084734992ec06879ce3da0b");
}

static void help(void **state)
{
	char *argv[] = { (char[]){ "--nonsense" }, (char[]){ "--help" } };
	struct args a;

	(void)state;
	assert_int_equal(options_parse(&a, &verb, 1, argv + 1), -ECANCELED);
	assert_int_equal(options_parse(&a, &verb, 2, argv), -EINVAL);
}

static void guids(void **state)
{
	uint8_t guid[GUID_LEN];
	char text[GUID_TEXT];

	(void)state;
	assert_int_equal(text_guid("", guid), -EINVAL);
	assert_int_equal(text_guid(GUID "0", guid), -EINVAL);
	assert_int_equal(
		text_guid("00112233+4455-6677-8899-aabbccddeeff", guid),
		-EINVAL);
	assert_int_equal(
		text_guid("00112233-4455-6677-8899-AABBCCDDEEFF", guid), 0);
	text_guid_write(text, guid);
	assert_string_equal(text, GUID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused), cmocka_unit_test(too_many_entries),
		cmocka_unit_test(taken),   cmocka_unit_test(help),
		cmocka_unit_test(guids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
