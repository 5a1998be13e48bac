/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The framer, byte by byte, and the parser behind it. Each row is a stream and
 * what becomes of it: values in (), refusals as ! (byte), ^ (depth) and #
 * (length).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "vmm/control.h"
#include "vmm/control_json.h"

struct out {
	char text[512];
	size_t n;
};

static void put(struct out *o, const char *text, size_t len)
{
	assert_true(len < sizeof(o->text) - o->n);
	bytes_copy(o->text + o->n, sizeof(o->text) - o->n, text, len);
	o->n += len;
	o->text[o->n] = '\0';
}

static void frame_all(const char *in, size_t len, struct out *o)
{
	struct frame f = { 0 };
	size_t start = 0;

	*o = (struct out){ 0 };
	for (size_t i = 0; i < len; i++) {
		switch (frame_feed(&f, (uint8_t)in[i])) {
		case FRAME_PART: continue;
		case FRAME_SPACE: break;
		case FRAME_BAD_BYTE: put(o, "!", 1); break;
		case FRAME_TOO_DEEP: put(o, "^", 1); break;
		case FRAME_TOO_LONG: put(o, "#", 1); break;
		case FRAME_END:
			put(o, "(", 1);
			put(o, in + start, i + 1 - start);
			put(o, ")", 1);
			break;
		case FRAME_END_BEFORE:
			put(o, "(", 1);
			put(o, in + start, i - start);
			put(o, ")", 1);
			i--;
			break;
		}
		start = i + 1;
	}
}

#define ROW(in, out)                                                           \
	{                                                                      \
		in, sizeof(in) - 1, out                                        \
	}

static const struct {
	const char *in;
	size_t len;
	const char *out;
} frames[] = {
	/* Bytes no JSON text contains, and that they bring us back. */
	ROW("\xff{}", "!({})"),
	ROW("{\"a\xff{}", "!({})"),
	ROW("{\"a\n{}", "!({})"),
	ROW("[[[[\x01{}", "!({})"),
	ROW("\xc0\xc1\xf5{}", "!!!({})"),
	ROW("\0{}", "!({})"),
	ROW("\x1b[A{}", "!"), /* an arrow key: '[' stays open */
	/* Brackets that do not match end where they fail to. */
	ROW("}{}", "(})({})"),
	ROW("{]{}", "({])({})"),
	ROW("[}{}", "([})({})"),
	ROW("{[}]{}", "({[})(])({})"),
	ROW(",:", "(,)(:)"),
	/* Incomplete: nothing yet. */
	ROW("{", ""),
	ROW("\"abc", ""),
	ROW("12", ""),
	ROW("{\"}\"", ""),
	/* Values. */
	ROW("{}", "({})"),
	ROW(" \t\r\n{ } \r\n", "({ })"),
	ROW("{}{}", "({})({})"),
	ROW("{\n\"a\":\n[1,\n2]\n}", "({\n\"a\":\n[1,\n2]\n})"),
	ROW("{\"a\":\"}{][\"}", "({\"a\":\"}{][\"})"),
	ROW("{\"a\":\"\\\"}\"}", "({\"a\":\"\\\"}\"})"),
	ROW("{\"a\":\"\\\\\"}", "({\"a\":\"\\\\\"})"),
	ROW("{'a':'}'}", "({'a':'}'})"),
	ROW("{'a':'\"'}", "({'a':'\"'})"),
	ROW("'a'\"b\"", "('a')(\"b\")"),
	ROW("12 true{}", "(12)(true)({})"),
	ROW("12[1]", "(12)([1])"),
	ROW("{\"\xc3\xa9\x7f\":1}", "({\"\xc3\xa9\x7f\":1})"),
};

static void test_frames(void **state)
{
	struct out o;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
		frame_all(frames[i].in, frames[i].len, &o);
		assert_string_equal(o.text, frames[i].out);
	}
}

/* n brackets, then the line's rest, then a value on the next line. */
static void check_depth(unsigned n, const char *want)
{
	struct out o;
	char in[256];
	size_t len = 0;

	for (unsigned i = 0; i < n; i++)
		in[len++] = i % 2 ? '[' : '{';
	len += (size_t)snprintf(in + len, sizeof(in) - len, "[[{{\n[7]");
	frame_all(in, len, &o);
	assert_string_equal(o.text, want);
}

static void test_depth(void **state)
{
	struct out o;
	char in[2 * CONTROL_DEPTH_MAX];

	(void)state;
	check_depth(CONTROL_DEPTH_MAX + 1, "^([7])");
	check_depth(CONTROL_DEPTH_MAX, "^([7])");
	check_depth(CONTROL_DEPTH_MAX - 3, "^([7])");
	/* Just deep enough, opened and closed again. */
	for (size_t i = 0; i < CONTROL_DEPTH_MAX; i++) {
		in[i] = '[';
		in[CONTROL_DEPTH_MAX + i] = ']';
	}
	frame_all(in, sizeof(in), &o);
	assert_int_equal(o.n, sizeof(in) + 2);
}

/* A string of len bytes in all, then the given tail. */
static enum frame_step long_value(size_t len)
{
	enum frame_step step = FRAME_PART;
	struct frame f = { 0 };

	for (size_t i = 0; i < len; i++) {
		assert_int_equal(step, FRAME_PART);
		step = frame_feed(&f, i == 0 || i == len - 1 ? '"' : 'x');
	}
	return step;
}

static void test_length(void **state)
{
	struct frame f = { 0 };

	(void)state;
	assert_int_equal(long_value(CONTROL_MESSAGE_MAX), FRAME_END);
	assert_int_equal(long_value(CONTROL_MESSAGE_MAX + 1), FRAME_TOO_LONG);
	/* White space between values is no part of any. */
	for (size_t i = 0; i < 2 * CONTROL_MESSAGE_MAX; i++)
		assert_int_equal(frame_feed(&f, ' '), FRAME_SPACE);
	/* What follows a value that was too long goes with its line. */
	for (size_t i = 0; i < CONTROL_MESSAGE_MAX; i++)
		assert_int_equal(frame_feed(&f, 'x'), FRAME_PART);
	assert_int_equal(frame_feed(&f, 'x'), FRAME_TOO_LONG);
	assert_int_equal(frame_feed(&f, '{'), FRAME_SPACE);
	assert_int_equal(frame_feed(&f, '}'), FRAME_SPACE);
	assert_int_equal(frame_feed(&f, '\n'), FRAME_SPACE);
	assert_int_equal(frame_feed(&f, '{'), FRAME_PART);
	assert_int_equal(frame_feed(&f, '}'), FRAME_END);
}

static const struct {
	const char *in;
	const char *out; /* NULL: refused */
} parses[] = {
	{ "", NULL },
	{ "{", NULL },
	{ "{]", NULL },
	{ "garbage", NULL },
	{ "{\"a\" 1}", NULL },
	{ "{\"a\":1 \"b\":2}", NULL },
	{ "{\"a\":1,\"a\":2}", NULL },
	{ "{\"a\":99999999999999999999}", NULL },
	{ "{\"a\":\"\\u0000\"}", NULL },
	{ "{\"a\":\"\xc3\x28\"}", NULL },
	{ "{\"a\":\"\\ud800\"}", NULL },
	{ "'a\\", NULL },
	{ "{'a':\"b'}", NULL },
	{ "1", "1" },
	{ "[null,true]", "[null,true]" },
	{ "{\"a\":-9223372036854775808}", "{\"a\":-9223372036854775808}" },
	{ "{'a':'b'}", "{\"a\":\"b\"}" },
	{ "{'a':'say \"x\"'}", "{\"a\":\"say \\\"x\\\"\"}" },
	{ "{'a':'it\\'s'}", "{\"a\":\"it's\"}" },
	{ "{\"a\":\"it\\'s 'x'\"}", "{\"a\":\"it's 'x'\"}" },
	{ "{'a':'\\\\'}", "{\"a\":\"\\\\\"}" },
	{ "{\"a\":\"\\\"\"}", "{\"a\":\"\\\"\"}" },
};

static void test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(parses); i++) {
		char why[160] = "";
		json_t *v = control_json_parse((const uint8_t *)parses[i].in,
					       strlen(parses[i].in), why,
					       sizeof(why));
		char *text;

		if (!parses[i].out) {
			assert_null(v);
			assert_memory_equal(why, "JSON parse error, ", 18);
			continue;
		}
		assert_non_null(v);
		text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
		assert_string_equal(text, parses[i].out);
		free(text);
		json_decref(v);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
