/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_rig: command lines, and what is said of those that are refused.
 */
#ifndef CARREL_TESTS_UNIT_CONFIG_RIG_H
#define CARREL_TESTS_UNIT_CONFIG_RIG_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/capture.h"
#include "vmm/config.h"

#define ARGS_MAX 48

/* Splits a command line at spaces; '_' stands for a space in a value. */
static inline int parse(struct config *c, const char *line, char *text,
			size_t cap)
{
	char *copy = strdup(line), *argv[ARGS_MAX] = { 0 }, *save = NULL;
	struct capture cap_err = capture_begin();
	int argc = 0, rc;

	for (char *w = strtok_r(copy, " ", &save); w;
	     w = strtok_r(NULL, " ", &save)) {
		for (char *p = w; *p; p++)
			if (*p == '_')
				*p = ' ';
		argv[argc++] = w;
	}
	rc = config_parse(c, argc, argv);
	capture_end(&cap_err, text, cap);
	free(copy); /* the config keeps nothing of argv */
	return rc;
}

#define RUN "carrel run --firmware f "

struct refusal {
	const char *line;
	const char *say[3]; /* all in the one line that is logged */
};

static inline void refuse(const struct refusal *r, size_t n)
{
	char text[2048];

	for (size_t i = 0; i < n; i++) {
		struct config c;

		if (parse(&c, r[i].line, text, sizeof(text)) != -EINVAL)
			fail_msg("accepted: %s", r[i].line);
		for (size_t k = 0; k < 3 && r[i].say[k]; k++)
			if (!strstr(text, r[i].say[k]))
				fail_msg("%s: not in it: %s", text,
					 r[i].say[k]);
		/* One line: its newline is the last byte. */
		assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
		assert_null(c.owned);
	}
}

static inline void accept(struct config *c, const char *line)
{
	char text[2048];

	if (parse(c, line, text, sizeof(text)))
		fail_msg("refused: %s: %s", line, text);
	assert_string_equal(text, "");
}

#endif
