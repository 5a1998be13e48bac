/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_options_test: carrelctl's command line, refusals first.
 */
#include "vmm/ctl/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/capture.h"

#define WORDS 13

static int parse(struct options *o, char *const *words)
{
	char *argv[WORDS + 2] = { "carrelctl" };
	int argc = 1;

	while (argc <= WORDS && words[argc - 1]) {
		argv[argc] = words[argc - 1];
		argc++;
	}
	return options_parse(o, argc, argv);
}

static void refusals(void **state)
{
	static char long_name[120];
	static char *const t[][WORDS] = {
		{ "--sockett", "x", "status" },
		{ "--socket" },
		{ "--socket", "", "status" },
		{ "--socket", long_name, "status" },
		{ long_name, "status" },
		{ "vm", "status", "--timeout", "0" },
		{ "vm", "status", "--timeout", "-1" },
		{ "vm", "status", "--timeout", "+1" },
		{ "vm", "status", "--timeout", "1s" },
		{ "vm", "status", "--timeout", "99999999999999999999" },
		{ "vm", "status", "--timeout", "86401" },
		{ "vm", "status", "--timeout", "" },
		{ "vm", "top", "--interval", "0" },
		{ "vm", "top", "--count", "x" },
		{ "vm", "status", "--json=yes" },
		{ "vm", "limit", "a", "b", "c", "d", "e", "f", "g", "h", "i",
		  "j" },
	};
	struct options o;

	(void)state;
	memset(long_name, 'x', sizeof(long_name) - 1);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		print_message("%s %s\n", t[i][0], t[i][1] ?: "");
		assert_int_equal(parse(&o, t[i]), -EINVAL);
	}
}

/* The word that is wrong is the one that is named. */
static void named(void **state)
{
	static const struct {
		char *words[WORDS];
		const char *says;
	} t[] = {
		{ { "vm", "status", "-xy" }, "-x: not a flag" },
		{ { "--json", "-jx", "vm" }, "-j: not a flag" },
		{ { "vm", "--nosuch", "status" }, "--nosuch: not a flag" },
		{ { "vm", "status", "--json=1" }, "--json=1: not a flag" },
		{ { "vm", "resize", "d\xff" }, "no text in UTF-8" },
		{ { "vm", "st\xc3" }, "no text in UTF-8" },
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct options o;
		struct capture c = capture_begin();
		int rc = parse(&o, t[i].words);

		capture_end(&c, text, sizeof(text));
		if (rc != -EINVAL || !strstr(text, t[i].says))
			fail_msg("%s: %s", t[i].says, text);
	}
}

static void forms(void **state)
{
	static char *const named[] = { "vm", "command",	    "--json", "stop",
				       "{}", "--timeout=3", NULL };
	static char *const pathed[] = { "status", "--socket", "/a/b", NULL };
	static char *const slashed[] = { "./vm.sock", NULL };
	static char *const help[] = { "help", NULL };
	static char *const flags[] = { "--help", "--version", NULL };
	struct options o;

	(void)state;
	unsetenv("XDG_RUNTIME_DIR");
	assert_int_equal(parse(&o, named), 0);
	assert_string_equal(o.socket, "/run/carrel/vm.sock");
	assert_string_equal(o.verb, "command");
	assert_int_equal(o.n_words, 2);
	assert_string_equal(o.word[0], "stop");
	assert_string_equal(o.word[1], "{}");
	assert_true(o.json);
	assert_int_equal(o.timeout_s, 3);
	assert_int_equal(parse(&o, pathed), 0);
	assert_string_equal(o.socket, "/a/b");
	assert_string_equal(o.verb, "status");
	assert_int_equal(o.timeout_s, 10);
	assert_false(o.json);
	assert_int_equal(parse(&o, slashed), 0);
	assert_string_equal(o.socket, "./vm.sock");
	assert_null(o.verb);
	assert_int_equal(parse(&o, help), 0);
	assert_string_equal(o.verb, "help");
	assert_string_equal(o.socket, "");
	assert_false(o.help || o.version);
	assert_int_equal(parse(&o, flags), 0);
	assert_true(o.help && o.version);
}

/* The user's own VM goes before the system's, if there is one. */
static void whose(void **state)
{
	static char *const words[] = { "vm", "status", NULL };
	char dir[] = "/tmp/ctl_test.XXXXXX", path[64];
	struct options o;

	(void)state;
	assert_non_null(mkdtemp(dir));
	setenv("XDG_RUNTIME_DIR", dir, 1);
	assert_int_equal(parse(&o, words), 0);
	assert_string_equal(o.socket, "/run/carrel/vm.sock");
	snprintf(path, sizeof(path), "%s/carrel", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/carrel/vm.sock", dir);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(parse(&o, words), 0);
	assert_string_equal(o.socket, path);
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals),
		cmocka_unit_test(named),
		cmocka_unit_test(forms),
		cmocka_unit_test(whose),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
