/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket as a client sees it. Sentences and classes were compared
 * with those of QEMU 10.0 for the same input.
 */
#include "tests/unit/control_peer.h"

#include <fcntl.h>

static struct peer_vm vm;

static int echo_args(void *ctx, const json_t *args, json_t **ret,
		     struct control_error *err)
{
	(void)ctx;
	(void)err;
	*ret = json_deep_copy(args);
	return 0;
}

/* A reply of 100 KiB: three of them are over CONTROL_OUTPUT_MAX. */
static int big_reply(void *ctx, const json_t *args, json_t **ret,
		     struct control_error *err)
{
	static char text[100 * KIB];

	(void)ctx;
	(void)args;
	(void)err;
	memset(text, 'x', sizeof(text) - 1);
	*ret = json_pack("{s:s}", "text", text);
	return 0;
}

static int big_event(void *ctx, const json_t *args, json_t **ret,
		     struct control_error *err)
{
	json_t *data = NULL;

	(void)ret;
	big_reply(ctx, args, &data, err);
	control_event(&vm.control, "BIG", data);
	return 0;
}

static const struct control_arg echo_list[] = {
	{ "text", CONTROL_STRING, false },
	{ "number", CONTROL_UINT64, true },
	{ "list", CONTROL_LIST, true },
	{ 0 },
};

static const struct control_command extra[] = {
	{ "x-echo", echo_list, echo_args, NULL },
	{ "x-big", NULL, big_reply, NULL },
	{ "x-big-event", NULL, big_event, NULL },
};

static void open_vm(void)
{
	peer_open(&vm);
	for (size_t i = 0; i < ARRAY_LEN(extra); i++)
		assert_int_equal(control_register(&vm.control, &extra[i]), 0);
}

static int setup(void **state)
{
	(void)state;
	open_vm();
	peer_start(&vm);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	peer_close(&vm);
	return 0;
}

#define GENERIC(desc)                                                          \
	"{\"error\": {\"class\": \"GenericError\", \"desc\": \"" desc "\"}}"
#define NOT_FOUND(desc)                                                        \
	"{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"" desc "\"}}"
#define NEGOTIATE "Expecting capabilities negotiation with 'qmp_capabilities'"

struct row {
	const char *say, *expect;
};

static const struct row before[] = {
	{ "garbage\n", GENERIC("JSON parse error, invalid token near "
			       "'garbage'") },
	{ "{\"a\":\"\xc3\x28\"}",
	  GENERIC("JSON parse error, unable to decode byte 0xc3 near "
		  "'\\\"'") },
	{ "{'execute':'quit','123456789012345678901234567890123456789012345678"
	  "90"
	  "1234567890123\xc3\xa9':1}",
	  GENERIC("QMP input member '123456789012345678901234567890123456789012"
		  "345678901234567890123?' is unexpected") },
	{ "[1]", GENERIC("QMP input must be a JSON object") },
	{ "1 ", GENERIC("QMP input must be a JSON object") },
	{ "{}", GENERIC("QMP input lacks member 'execute'") },
	{ "{'execute':1}",
	  GENERIC("QMP input member 'execute' must be a string") },
	{ "{'execute':'query-status','arguments':1}",
	  GENERIC("QMP input member 'arguments' must be an object") },
	{ "{'execute':'query-status','bogus':1}",
	  GENERIC("QMP input member 'bogus' is unexpected") },
	{ "{'exec-oob':'query-status'}",
	  GENERIC("QMP input member 'exec-oob' is unexpected") },
	{ "{'execute':'query-status'}", NOT_FOUND(NEGOTIATE) },
	{ "{'execute':'quit'}", NOT_FOUND(NEGOTIATE) },
	{ "{'execute':'no-such'}", NOT_FOUND(NEGOTIATE) },
	{ "{'execute':'qmp_capabilities','arguments':{'enable':['oob']}}",
	  GENERIC("Capability 'oob' not available") },
	{ "{'execute':'qmp_capabilities','arguments':{'enable':[7]}}",
	  GENERIC("Capability '?' not available") },
	{ "{'execute':'qmp_capabilities','arguments':{'enable':'oob'}}",
	  GENERIC("Invalid parameter type for 'enable', expected: array") },
	{ "{'execute':'qmp_capabilities','arguments':{'bogus':1}}",
	  GENERIC("Parameter 'bogus' is unexpected") },
	{ "{'execute':'qmp_capabilities','arguments':{'enable':[]}}",
	  "{\"return\": {}}" },
};

static const struct row after[] = {
	{ "{'execute':'qmp_capabilities'}",
	  NOT_FOUND("Capabilities negotiation is already complete, command "
		    "ignored") },
	{ "{'execute':'no-such','id':1}",
	  "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"The "
	  "command no-such has not been found\"}, \"id\": 1}" },
	{ "{'execute':'query-status','arguments':{'a':1}}",
	  GENERIC("Parameter 'a' is unexpected") },
	{ "{'execute':'x-echo'}", GENERIC("Parameter 'text' is missing") },
	{ "{'execute':'x-echo','arguments':{'text':1}}",
	  GENERIC("Invalid parameter type for 'text', expected: string") },
	{ "{'execute':'x-echo','arguments':{'text':'','number':-1}}",
	  GENERIC("Invalid parameter type for 'number', expected: uint64") },
	{ "{'execute':'x-echo','arguments':{'text':'','number':1.5}}",
	  GENERIC("Invalid parameter type for 'number', expected: uint64") },
	{ "{'execute':'x-echo','arguments':{'text':'','more':1}}",
	  GENERIC("Parameter 'more' is unexpected") },
	{ "{'execute':'system_reset'}", GENERIC("Operation not supported") },
	{ "{'execute':'x-echo','arguments':{'text':'\xc3\xa9',"
	  "'number':7,'list':[]},'id':{'a':[1]}}",
	  "{\"return\": {\"text\": \"\\u00E9\", \"number\": 7, \"list\": []}, "
	  "\"id\": {\"a\": [1]}}" },
	{ "{'execute':'query-status','id':null}",
	  "{\"return\": {\"status\": \"prelaunch\", \"running\": false}, "
	  "\"id\": null}" },
	{ "{'execute':'query-name'}",
	  "{\"return\": {\"name\": \"a \\\"quoted\\\" name\"}}" },
	{ "{'execute':'query-cpus-fast'}",
	  "{\"return\": [{\"thread-id\": 1000, \"props\": {\"core-id\": 0, "
	  "\"thread-id\": 0, \"socket-id\": 0}, \"qom-path\": "
	  "\"/machine/cpu[0]\", \"cpu-index\": 0, \"target\": \"x86_64\"}, "
	  "{\"thread-id\": 1001, \"props\": {\"core-id\": 1, \"thread-id\": 0, "
	  "\"socket-id\": 0}, \"qom-path\": \"/machine/cpu[1]\", "
	  "\"cpu-index\": 1, \"target\": \"x86_64\"}]}" },
};

static void test_requests(void **state)
{
	int fd = peer_connect(&vm);

	(void)state;
	peer_expect_part(fd, "\"capabilities\": []}}");
	for (size_t i = 0; i < ARRAY_LEN(before); i++) {
		peer_say(fd, before[i].say);
		peer_expect(fd, before[i].expect);
	}
	for (size_t i = 0; i < ARRAY_LEN(after); i++) {
		peer_say(fd, after[i].say);
		peer_expect(fd, after[i].expect);
	}
	close(fd);
}

/* Values over several lines, several in one packet, byte by byte. */
static void test_stream(void **state)
{
	static const char one[] = "{'execute':'x-echo','arguments':"
				  "{'text':'t'},'id':1}";
	int fd = peer_negotiated(&vm);

	(void)state;
	peer_say(fd, "{\n\"execute\"\n:\r\n\"query-status\",\t\n\"id\": 3\n}");
	peer_expect_part(fd, "\"id\": 3}");
	peer_say(fd, "{'execute':'query-status','id':1}{'execute':"
		     "'query-status','id':2}\n\n{'execute':'query-status',"
		     "'id':3}");
	peer_expect_part(fd, "\"id\": 1}");
	peer_expect_part(fd, "\"id\": 2}");
	peer_expect_part(fd, "\"id\": 3}");
	for (size_t i = 0; i < sizeof(one) - 1; i++)
		peer_send(fd, &one[i], 1);
	peer_expect(fd, "{\"return\": {\"text\": \"t\"}, \"id\": 1}");
	/* Resynchronisation in the middle of a value. */
	peer_say(fd, "{'execute':'quit', \xff{'execute':'query-status'}");
	peer_expect(fd, GENERIC("JSON parse error, stray byte"));
	peer_expect_part(fd, "\"status\": \"prelaunch\"");
	close(fd);
}

static void test_events(void **state)
{
	int a = peer_negotiated(&vm), b = peer_negotiated(&vm);
	int deaf = peer_connect(&vm);

	(void)state;
	peer_expect_part(deaf, "QMP");
	peer_say(a, "{'execute':'cont'}");
	peer_expect_part(a, "\"event\": \"RESUME\"}");
	peer_expect(a, "{\"return\": {}}");
	peer_expect_part(b, "{\"timestamp\": {\"seconds\": ");
	peer_say(b, "{'execute':'query-status'}");
	peer_expect(b, "{\"return\": {\"status\": \"running\", \"running\": "
		       "true}}");
	peer_say(b, "{'execute':'stop'}{'execute':'system_powerdown'}");
	peer_expect_part(b, "\"event\": \"STOP\"}");
	peer_expect(b, "{\"return\": {}}");
	peer_expect_part(b, "\"event\": \"POWERDOWN\"}");
	peer_expect(b, "{\"return\": {}}");
	/* Before negotiation there are no events. */
	peer_say(deaf, "{'execute':'qmp_capabilities'}");
	peer_expect(deaf, "{\"return\": {}}");
	vm.refuse = true;
	peer_say(deaf, "{'execute':'cont'}");
	peer_expect(deaf, GENERIC("not now"));
	close(a);
	close(b);
	close(deaf);
}

static void say_filled(int fd, size_t len)
{
	static const char head[] = "{\"execute\":\"x-echo\",\"arguments\":"
				   "{\"text\":\"";
	static const char tail[] = "\"}}";
	char *text = malloc(len);

	assert_non_null(text);
	memset(text, 'x', len);
	bytes_copy(text, len, head, sizeof(head) - 1);
	bytes_copy(text + len - (sizeof(tail) - 1), sizeof(tail) - 1, tail,
		   sizeof(tail) - 1);
	peer_send(fd, text, len);
	free(text);
}

static void test_limits(void **state)
{
	int fd = peer_negotiated(&vm);

	(void)state;
	say_filled(fd, CONTROL_MESSAGE_MAX);
	peer_expect_part(fd, "{\"return\": {\"text\": \"xxx");
	say_filled(fd, CONTROL_MESSAGE_MAX + 1);
	peer_expect(fd, GENERIC("JSON message size limit exceeded (65536 "
				"bytes)"));
	peer_say(fd, " still the same line {} \n{'execute':'query-name'}");
	peer_expect_part(fd, "quoted");
	say_filled(fd, 10 * CONTROL_MESSAGE_MAX);
	peer_expect_part(fd, "size limit exceeded");
	peer_say(fd, "\n[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n");
	peer_expect(fd, GENERIC("JSON nesting depth limit exceeded (32 "
				"levels)"));
	peer_say(fd, "{'execute':'query-name'}");
	peer_expect_part(fd, "quoted");
	close(fd);
}

/* One too many is turned away; when one leaves there is room again. */
static void test_clients(void **state)
{
	int fd[CONTROL_CLIENTS];

	(void)state;
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		fd[i] = peer_negotiated(&vm);
	peer_expect_end(peer_connect(&vm));
	peer_say(fd[7], "{'execute':'query-name'}");
	peer_expect_part(fd[7], "quoted");
	shutdown(fd[7], SHUT_WR);
	peer_expect_end(fd[7]);
	fd[7] = peer_negotiated(&vm);
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		close(fd[i]);
}

/*
 * Two clients never read, one of them asks for more and more: both are cut off
 * when the events they do not read pile up. A third goes on.
 */
static void test_slow_readers(void **state)
{
	int asks = peer_negotiated(&vm), deaf = peer_negotiated(&vm);
	int good = peer_negotiated(&vm);
	char *line;

	(void)state;
	for (size_t i = 0; i < 20; i++)
		peer_say(asks, "{'execute':'x-big'}");
	for (size_t i = 0; i < 20; i++) {
		peer_say(good, "{'execute':'x-big-event'}");
		peer_expect_part(good, "\"event\": \"BIG\"");
		peer_expect(good, "{\"return\": {}}");
	}
	for (size_t i = 0; (line = peer_line(deaf)); i++) {
		assert_true(i < 20);
		free(line);
	}
	close(deaf);
	close(asks);
	peer_say(good, "{'execute':'query-name'}");
	peer_expect_part(good, "quoted");
	close(good);
}

static void test_backpressure(void **state)
{
	int asks = peer_negotiated(&vm);

	(void)state;
	for (size_t i = 0; i < 20; i++)
		peer_say(asks, "{'execute':'x-big'}");
	for (size_t i = 0; i < 20; i++)
		peer_expect_part(asks, "{\"return\": {\"text\": \"xxx");
	/* One that says no more still gets its replies. */
	for (size_t i = 0; i < 20; i++)
		peer_say(asks, "{'execute':'x-big'}");
	shutdown(asks, SHUT_WR);
	for (size_t i = 0; i < 20; i++)
		peer_expect_part(asks, "{\"return\": {\"text\": \"xxx");
	peer_expect_end(asks);
}

static int open_other(struct peer_vm *other)
{
	return control_open(&other->control, &other->event, vm.path, &peer_ops,
			    other);
}

/* A socket's file whose process is gone. */
static void leave_stale(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", vm.path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	close(fd);
}

/* The socket's file; no server thread is needed. */
static void test_file(void **state)
{
	struct peer_vm other;
	struct stat st;

	(void)state;
	umask(0);
	peer_open(&vm);
	assert_int_equal(stat(vm.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(event_open(&other.event), 0);
	/* Served by a live process. */
	assert_int_equal(open_other(&other), -EADDRINUSE);
	assert_int_equal(other.control.fd, -1);
	control_event(&other.control, "STOP", NULL);
	control_close(&other.control);
	assert_int_equal(access(vm.path, F_OK), 0);
	/* Somebody put another in its place: it is not ours to remove. */
	unlink(vm.path);
	assert_int_equal(open_other(&other), 0);
	control_close(&vm.control);
	assert_int_equal(access(vm.path, F_OK), 0);
	control_close(&other.control);
	assert_int_equal(access(vm.path, F_OK), -1);
	/* Left behind by a dead process. */
	leave_stale();
	assert_int_equal(open_other(&other), 0);
	control_close(&other.control);
	/* No socket at all: never removed. */
	close(open(vm.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(open_other(&other), -EADDRINUSE);
	assert_int_equal(access(vm.path, F_OK), 0);
	unlink(vm.path);
	rmdir(vm.dir);
	event_close(&vm.event);
	event_close(&other.event);
}

static void test_path(void **state)
{
	char path[200];

	(void)state;
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(event_open(&vm.event), 0);
	assert_int_equal(
		control_open(&vm.control, &vm.event, path, &peer_ops, &vm),
		-ENAMETOOLONG);
	assert_int_equal(
		control_open(&vm.control, &vm.event, "", &peer_ops, &vm),
		-ENAMETOOLONG);
	assert_int_equal(control_open(&vm.control, &vm.event, "/nonexistent/x",
				      &peer_ops, &vm),
			 -ENOENT);
	event_close(&vm.event);
}

static void test_register(void **state)
{
	char name[CONTROL_COMMANDS + 1][16];
	int rc = 0;

	(void)state;
	open_vm();
	assert_int_equal(control_register(&vm.control, &extra[0]), -EEXIST);
	for (size_t i = 0; !rc && i <= CONTROL_COMMANDS; i++) {
		struct control_command cmd = { name[i], NULL, echo_args, NULL };

		snprintf(name[i], sizeof(name[i]), "x-%zu", i);
		rc = control_register(&vm.control, &cmd);
	}
	assert_int_equal(rc, -ENOSPC);
	control_close(&vm.control);
	event_close(&vm.event);
	rmdir(vm.dir);
}

#define SERVED(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_register),
		SERVED(test_requests),
		SERVED(test_stream),
		SERVED(test_events),
		SERVED(test_limits),
		SERVED(test_clients),
		SERVED(test_slow_readers),
		SERVED(test_backpressure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
