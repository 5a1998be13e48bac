/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_files_test: one file for two things, of which one empties it, by
 * whatever names; and what may be shared.
 */
#include "tests/unit/config_rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/config.files.XXXXXX";

/* What is named in two ways, once each; 'new' is not there. */
static const struct {
	const char *args; /* after RUN: "%" is the directory */
	const char *say; /* NULL: accepted */
} cases[] = {
	{ "--serial file=%/a --console file=%/a", "--serial \"%/a\"" },
	{ "--serial file=%/a --console file=%/link", "--console \"%/link\"" },
	{ "--serial file=%/a --debugcon file=%/hard", "--debugcon \"%/hard\"" },
	{ "--console file=%/a --debugcon file=%/./a", "--console \"%/a\"" },
	{ "--serial file=%/new --debugcon file=%/new", "one file" },
	{ "--serial file=%/x.json --timeline %/x.json", "--timeline" },
	{ "--serial file=%/a --disk path=%/b --disk path=%/a", "--disk \"%/a" },
	{ "--timeline %/x.json --disk path=%/x.json", "--disk \"%/x.json" },
	{ "--debugcon file=%/a --disk path=%/link,readonly=on", "--disk" },
	{ "--debugcon file=%/a --kernel %/hard", "--kernel \"%/hard\"" },
	{ "--debugcon file=%/a --kernel %/b --initrd %/a", "--initrd" },
	{ "--console file=f", "--firmware \"f\"" },
	{ "--control c --console file=%/a --sev policy=1,dh=%/a,session=%/b",
	  "--sev dh" },
	{ "--control c --console file=%/b --sev policy=1,dh=%/a,session=%/b",
	  "--sev session" },
	{ "--serial file=%/a --console file=%/b --debugcon file=%/new", NULL },
	{ "--serial file=/dev/null --console file=/dev/null", NULL },
	{ "--serial file=%/fifo --console file=%/fifo", NULL },
	{ "--serial socket=%/a --disk vhost-user=%/a", NULL },
	{ "--disk path=%/a,readonly=on --disk path=%/a,readonly=on", NULL },
	{ "--serial file=%/a --kernel %/b --initrd %/b", NULL },
};

/* text with the directory in place of each "%". */
static void fill(const char *text, char *out, size_t cap)
{
	size_t n = 0;

	for (; *text && n + sizeof(dir) < cap; text++)
		n += (size_t)snprintf(out + n, cap - n,
				      *text == '%' ? "%s" : "%.1s",
				      *text == '%' ? dir : text);
	out[n] = '\0';
}

static void apart(void **state)
{
	char line[512], args[400], say[128], text[1024];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *wants = cases[i].say;
		struct capture cap_err;
		struct config c;
		int rc;

		fill(cases[i].args, args, sizeof(args));
		fill(wants ? wants : "", say, sizeof(say));
		snprintf(line, sizeof(line), RUN "%s", args);
		accept(&c, line);
		cap_err = capture_begin();
		rc = config_apart(&c);
		capture_end(&cap_err, text, sizeof(text));
		if (rc != (wants ? -EINVAL : 0) || !strstr(text, say) ||
		    (!wants && *text))
			fail_msg("%s: %d: %s", line, rc, text);
		config_close(&c);
	}
}

static const char *path_of(const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int setup(void **state)
{
	static const char *const names[] = { "a", "b", "x.json" };
	char a[64];

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		close(open(path_of(names[i]), O_WRONLY | O_CREAT, 0600));
	snprintf(a, sizeof(a), "%s", path_of("a"));
	return symlink("a", path_of("link")) || link(a, path_of("hard")) ||
	       mkfifo(path_of("fifo"), 0600);
}

static int teardown(void **state)
{
	static const char *const names[] = { "a",    "b",    "x.json",
					     "link", "hard", "fifo" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unlink(path_of(names[i]));
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(apart) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
