/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_test: hostile bytes in log lines, lines that are too long, one write a
 * line.
 */
#include "vmm/log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/unit/capture.h"

#define LINE_LIMIT 1024

static void escapes(void **state)
{
	static const struct {
		const char *text, *line;
	} t[] = {
		{ "a\nb", "carrel: a\\x0ab\n" },
		{ "\033[2J", "carrel: \\x1b[2J\n" },
		{ "\x7f\xff\x80", "carrel: \\x7f\\xff\\x80\n" },
		{ "", "carrel: \n" },
		{ "plain ~ text!", "carrel: plain ~ text!\n" },
	};
	char got[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct capture c = capture_begin();

		log_error("%s", t[i].text);
		capture_end(&c, got, sizeof(got));
		assert_string_equal(got, t[i].line);
	}
}

/* Cut lines end in "...\n" and never in half an escape. */
static void long_lines(void **state)
{
	static const char bytes[] = { 'x', '\n' };
	char text[3 * LINE_LIMIT], got[4 * LINE_LIMIT];

	(void)state;
	for (size_t b = 0; b < sizeof(bytes); b++) {
		for (size_t len = LINE_LIMIT / 5; len < sizeof(text); len++) {
			struct capture c;
			size_t n, whole = 9 + len * (b ? 4 : 1);

			memset(text, bytes[b], len);
			text[len] = '\0';
			c = capture_begin();
			log_error("%s", text);
			n = capture_end(&c, got, sizeof(got));
			assert_true(n <= LINE_LIMIT);
			assert_int_equal(got[n - 1], '\n');
			if (n == whole)
				continue;
			assert_true(whole > LINE_LIMIT - 4);
			assert_memory_equal(got + n - 4, "...\n", 4);
			if (b)
				assert_memory_equal(got + n - 8, "\\x0a", 4);
			len += 97; /* a sample of those beyond is enough */
		}
	}
}

/* A packet pipe keeps writes apart: two lines must be two packets. */
static void one_write_a_line(void **state)
{
	int fd[2], saved = dup(STDERR_FILENO);
	char got[128];

	(void)state;
	assert_int_equal(pipe2(fd, O_DIRECT), 0);
	dup2(fd[1], STDERR_FILENO);
	log_warn("one %d", 1);
	log_info("two");
	dup2(saved, STDERR_FILENO);
	assert_int_equal(read(fd[0], got, sizeof(got)), 23);
	assert_memory_equal(got, "carrel: warning: one 1\n", 23);
	assert_int_equal(read(fd[0], got, sizeof(got)), 12);
	assert_memory_equal(got, "carrel: two\n", 12);
	close(saved);
	close(fd[0]);
	close(fd[1]);
}

/* Standard error may be closed or full: errno and the caller survive. */
static void errno_survives(void **state)
{
	int saved = dup(STDERR_FILENO);

	(void)state;
	close(STDERR_FILENO);
	errno = ENOSPC;
	log_error("nobody reads this");
	assert_int_equal(errno, ENOSPC);
	dup2(saved, STDERR_FILENO);
	close(saved);
}

static void other_program(void **state)
{
	struct capture c = capture_begin();
	char got[64];

	(void)state;
	log_program("carrel-sev");
	log_error("x");
	log_program("carrel");
	capture_end(&c, got, sizeof(got));
	assert_string_equal(got, "carrel-sev: x\n");
}

/* Whatever a guest says, a line is one JSON object. Last: it stays so. */
static void objects(void **state)
{
	static const char head[] = "\"level\":\"warning\",\"program\":"
				   "\"carrel\",\"vm\":\"vm1\",\"message\":";
	char text[3 * LINE_LIMIT], got[4 * LINE_LIMIT];
	struct capture c = capture_begin();

	(void)state;
	log_json("vm1");
	log_warn("a \"b\" \\ \n%s", "\xff{}");
	capture_end(&c, got, sizeof(got));
	assert_memory_equal(got, "{\"time\":\"20", 11);
	assert_memory_equal(got + 35, "Z\",", 3);
	assert_memory_equal(got + 38, head, strlen(head));
	assert_string_equal(got + 38 + strlen(head),
			    "\"a \\\"b\\\" \\\\ \\\\x0a\\\\xff{}\"}\n");

	memset(text, '"', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	c = capture_begin();
	log_json(NULL);
	log_info("%s", text);
	assert_true(capture_end(&c, got, sizeof(got)) < 3 * LINE_LIMIT);
	assert_null(strstr(got, "\"vm\""));
	assert_string_equal(got + strlen(got) - 8, "\\\"...\"}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(one_write_a_line),
		cmocka_unit_test(errno_survives),
		cmocka_unit_test(other_program),
		cmocka_unit_test(objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
