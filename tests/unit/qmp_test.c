/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qmp_test: which lines of a server count as JSON objects. How a whole
 * dialogue goes wrong is in owner_attest_test.
 */
#include "vmm/qmp.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/owner_rig.h"

static bool taken(const char *line, size_t len)
{
	json_t *v = qmp_parse(line, len);

	json_decref(v);
	return v != NULL;
}

static void lines(void **state)
{
	static const struct {
		const char *name, *line;
		bool ok;
	} t[] = {
		{ "nothing", "", false },
		{ "space", " ", false },
		{ "list", "[{}]", false },
		{ "number", "1", false },
		{ "unfinished", "{\"a\": {}", false },
		{ "two objects", "{} {}", false },
		{ "no UTF-8", "{\"a\": \"\xff\"}", false },
		{ "same key twice", "{\"a\": 1, \"a\": 2}", false },
		{ "zero in a key", "{\"a\\u0000b\": 1}", false },
		{ "number beyond 64 bits", "{\"a\": 99999999999999999999}",
		  false },
		{ "object", "{\"a\": [1, \"b\"]}", true },
		{ "carriage return", "{}\r", true },
		{ "brackets in a string",
		  "{\"a\": \"[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[[\"}", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		print_message("%s\n", t[i].name);
		assert_int_equal(taken(t[i].line, strlen(t[i].line)), t[i].ok);
	}
	assert_false(taken("{}\0", 3));
}

/* {"a": {"a": ... 1 ... }}, n objects deep. */
static bool nested(int n)
{
	char line[1024] = "";
	size_t len = 0;

	for (int i = 0; i < n; i++)
		len += (size_t)snprintf(line + len, sizeof(line) - len,
					"{\"a\": ");
	line[len++] = '1';
	memset(line + len, '}', (size_t)n);
	return taken(line, len + (size_t)n);
}

static void depth(void **state)
{
	(void)state;
	assert_false(nested(QMP_DEPTH_MAX + 1));
	assert_true(nested(QMP_DEPTH_MAX));
}

static void length(void **state)
{
	char *line = malloc(QMP_LINE_MAX + 1);

	(void)state;
	memset(line, ' ', QMP_LINE_MAX + 1);
	line[0] = '{';
	line[1] = '}';
	assert_false(taken(line, QMP_LINE_MAX + 1));
	assert_true(taken(line, QMP_LINE_MAX));
	free(line);
}

/* A server that never accepts must not hold its owner up for ever. */
static void full_backlog(void **state)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct qmp *q = malloc(sizeof(*q));
	int server = socket(AF_UNIX, SOCK_STREAM, 0);
	int first = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	snprintf(to.sun_path, sizeof(to.sun_path), "/tmp/qmp_test_%d",
		 (int)getpid());
	assert_int_equal(bind(server, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(listen(server, 0), 0);
	assert_int_equal(connect(first, (struct sockaddr *)&to, sizeof(to)), 0);
	alarm(20);
	assert_int_equal(qmp_open(q, to.sun_path, 0), -ETIMEDOUT);
	assert_non_null(strstr(q->why, "cannot connect"));
	alarm(0);
	qmp_close(q);
	free(q);
	close(first);
	close(server);
	unlink(to.sun_path);
}

#define GREETING "{\"QMP\": {}}\r\n{\"return\": {}, \"id\": 1}\r\n"

/* Events come one by one; anything else in between is no event. */
static void events(void **state)
{
	static const char said[] = GREETING
		"{\"event\": \"STOP\"}\r\n{\"event\": \"RESUME\"}\r\n"
		"{\"return\": {}, \"id\": 2}\r\n"
		"{\"event\": 3}\r\n{\"event\": \"SHUT";
	struct qmp *q = malloc(sizeof(*q));
	json_t *v;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(write(fds[1], said, strlen(said)), strlen(said));
	assert_int_equal(qmp_start(q, fds[0], 5), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(qmp_event(q, &v), 0);
		assert_string_equal(
			json_string_value(json_object_get(v, "event")),
			i ? "RESUME" : "STOP");
		json_decref(v);
	}
	assert_int_equal(qmp_event(q, &v), -EPROTO);
	assert_int_equal(qmp_event(q, &v), -EPROTO);
	qmp_set_limit(q, 1);
	assert_int_equal(qmp_event(q, &v), -ETIMEDOUT);
	qmp_set_limit(q, 0);
	close(fds[1]);
	assert_int_equal(qmp_event(q, &v), -ECONNRESET);
	qmp_close(q);
	free(q);
}

/* Between two commands there may be more events than one answer's wait takes */
static void rests(void **state)
{
	static const char event[] = "{\"event\": \"RESET\"}\r\n";
	static const char answer[] = "{\"return\": {}, \"id\": 2}\r\n";
	static char said[(QMP_EVENTS_MAX + 9) * sizeof(event)] = GREETING;
	struct qmp *q = malloc(sizeof(*q));
	size_t len = strlen(said);
	json_t *v;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	while (sizeof(said) - len > sizeof(event)) {
		memcpy(said + len, event, strlen(event));
		len += strlen(event);
	}
	assert_int_equal(write(fds[1], said, len), len);
	assert_int_equal(qmp_start(q, fds[0], 5), 0);
	assert_int_equal(qmp_rest(q, 1), 0);
	assert_int_equal(write(fds[1], answer, strlen(answer)), strlen(answer));
	qmp_set_limit(q, 5);
	assert_int_equal(qmp_command(q, "query-status", NULL, &v), 0);
	json_decref(v);
	close(fds[1]);
	assert_int_equal(qmp_rest(q, 1), -ECONNRESET);
	qmp_close(q);
	free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_backlog), cmocka_unit_test(events),
		cmocka_unit_test(rests),	cmocka_unit_test(lines),
		cmocka_unit_test(depth),	cmocka_unit_test(length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
