/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_verbs_test: carrelctl's verbs against a control socket of carrel's, and
 * what of a hostile VM's words reaches a terminal.
 */
#include "vmm/ctl/verbs.h"

#include "tests/unit/control_peer.h"
#include "vmm/ctl/show.h"

static char said[4096];

/* Runs a verb; what it printed is in said, its status is returned. */
static int run(struct ctl *c, int (*verb)(struct ctl *c))
{
	char path[] = "/tmp/ctl_test.XXXXXX";
	int out = dup(STDOUT_FILENO), fd = mkstemp(path), status;
	ssize_t n;

	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	status = verb(c);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	close(out);
	n = pread(fd, said, sizeof(said) - 1, 0);
	assert_true(n >= 0);
	said[n] = '\0';
	close(fd);
	unlink(path);
	return status;
}

static struct ctl *connect_to(const struct peer_vm *vm)
{
	struct ctl *c = calloc(1, sizeof(*c));

	c->o = (struct options){ .timeout_s = 5 };
	assert_int_equal(qmp_open(&c->q, vm->path, 5), 0);
	return c;
}

static void leave(struct ctl *c)
{
	qmp_close(&c->q);
	free(c);
}

static void end(struct peer_vm *vm)
{
	pthread_join(vm->thread, NULL);
	control_close(&vm->control);
	event_close(&vm->event);
	rmdir(vm->dir);
}

static void verbs(void **state)
{
	struct peer_vm vm;
	struct ctl *c;

	(void)state;
	peer_open(&vm);
	peer_start(&vm);
	c = connect_to(&vm);
	/* A VM without query-sev: refused, and the connection is still good. */
	assert_int_equal(run(c, verb_status), CTL_REFUSED);
	assert_int_equal(run(c, verb_cont), CTL_OK);
	assert_string_equal(said, "");
	assert_string_equal(vm.status, "running");
	c->o.json = true;
	assert_int_equal(run(c, verb_stop), CTL_OK);
	assert_string_equal(said, "{}\n");
	c->o.json = false;
	assert_int_equal(run(c, verb_reset), CTL_REFUSED);
	assert_int_equal(run(c, verb_powerdown), CTL_OK);
	assert_int_equal(run(c, verb_cpus), CTL_OK);
	assert_string_equal(said, "cpu     thread\n"
				  "  0       1000\n"
				  "  1       1001\n");
	assert_int_equal(run(c, verb_quit), CTL_OK);
	leave(c);
	end(&vm);
}

static int counters(void *ctx, const json_t *args, json_t **ret,
		    struct control_error *err)
{
	(void)args;
	(void)err;
	*ret = json_loads(ctx, 0, NULL);
	return 0;
}

static json_int_t wanted;

static int set_balloon(void *ctx, const json_t *args, json_t **ret,
		       struct control_error *err)
{
	(void)ctx;
	(void)ret;
	(void)err;
	wanted = json_integer_value(json_object_get(args, "value"));
	return 0;
}

static void balloon(void **state)
{
	static const struct control_arg args[] = {
		{ "value", CONTROL_UINT64, false },
		{ 0 },
	};
	static const char *const bad[] = { "",	 "0",	"x",	   "-1",
					   "1X", "1Mi", "8388608T" };
	const struct control_command set = { "balloon", args, set_balloon,
					     NULL };
	struct control_command get = {
		"x-carrel-counters", NULL, counters,
		(char *)"{\"balloon\": {\"actual-bytes\": 268435456, "
			"\"target-bytes\": 134217728, \"stats\": "
			"{\"stat-free-memory\": 1048576}}}"
	};
	struct peer_vm vm;
	struct ctl *c;

	(void)state;
	peer_open(&vm);
	assert_int_equal(control_register(&vm.control, &set), 0);
	assert_int_equal(control_register(&vm.control, &get), 0);
	peer_start(&vm);
	c = connect_to(&vm);
	assert_int_equal(run(c, verb_balloon), CTL_OK);
	assert_string_equal(said, "has:            256 MiB\n"
				  "shall have:     128 MiB\n"
				  "free:             1 MiB\n");
	c->o.n_words = 1;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		c->o.word[0] = bad[i];
		assert_int_equal(run(c, verb_balloon), CTL_USAGE);
	}
	assert_int_equal(wanted, 0);
	c->o.word[0] = "512M";
	assert_int_equal(run(c, verb_balloon), CTL_OK);
	assert_string_equal(said, "");
	assert_int_equal(wanted, 512 * MIB);
	assert_int_equal(run(c, verb_quit), CTL_OK);
	leave(c);
	end(&vm);
}

static void no_balloon(void **state)
{
	const struct control_command get = { "x-carrel-counters", NULL,
					     counters, (char *)"{}" };
	struct peer_vm vm;
	struct ctl *c;

	(void)state;
	peer_open(&vm);
	assert_int_equal(control_register(&vm.control, &get), 0);
	peer_start(&vm);
	c = connect_to(&vm);
	assert_int_equal(run(c, verb_balloon), CTL_REFUSED);
	c->o.n_words = 1;
	c->o.word[0] = "1G";
	assert_int_equal(run(c, verb_balloon), CTL_REFUSED);
	assert_int_equal(run(c, verb_quit), CTL_OK);
	leave(c);
	end(&vm);
}

/* An answer without a text is none. */
static void metrics(void **state)
{
	struct control_command get = {
		"x-carrel-metrics", NULL, counters,
		(char *)"{\"text\": \"a 1\\n# EOF\\n\"}"
	};
	struct peer_vm vm;
	struct ctl *c;

	(void)state;
	for (int round = 0; round < 2; round++) {
		peer_open(&vm);
		assert_int_equal(control_register(&vm.control, &get), 0);
		peer_start(&vm);
		c = connect_to(&vm);
		assert_int_equal(run(c, verb_metrics),
				 round ? CTL_NO_VM : CTL_OK);
		assert_string_equal(said, round ? "" : "a 1\n# EOF\n");
		assert_int_equal(run(c, verb_quit), CTL_OK);
		leave(c);
		end(&vm);
		get.ctx = (char *)"{}";
	}
}

static void any_command(void **state)
{
	struct peer_vm vm;
	struct ctl *c;

	(void)state;
	peer_open(&vm);
	peer_start(&vm);
	c = connect_to(&vm);
	c->o.n_words = 2;
	c->o.word[0] = "query-status";
	c->o.word[1] = "{";
	assert_int_equal(run(c, verb_command), CTL_USAGE);
	c->o.word[1] = "[]";
	assert_int_equal(run(c, verb_command), CTL_USAGE);
	c->o.word[1] = "{\"nonsense\": 1}";
	assert_int_equal(run(c, verb_command), CTL_REFUSED);
	c->o.word[1] = "{}";
	c->o.json = true;
	assert_int_equal(run(c, verb_command), CTL_OK);
	assert_string_equal(said,
			    "{\"status\":\"prelaunch\",\"running\":false}\n");
	assert_int_equal(run(c, verb_quit), CTL_OK);
	leave(c);
	end(&vm);
}

/* Ends well after the VM's last event, and badly where it just vanishes. */
static void watch(void **state)
{
	struct peer_vm vm;
	struct ctl *c, *other;
	int fds[2];

	(void)state;
	peer_open(&vm);
	peer_start(&vm);
	c = connect_to(&vm);
	other = connect_to(&vm);
	assert_int_equal(run(other, verb_cont), CTL_OK);
	assert_int_equal(run(other, verb_quit), CTL_OK);
	leave(other);
	end(&vm);
	assert_int_equal(run(c, verb_watch), CTL_OK);
	assert_non_null(strstr(said, " RESUME\n"));
	assert_non_null(strstr(said, " SHUTDOWN guest=false "
				     "reason=host-qmp-quit\n"));
	leave(c);

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	peer_say(fds[1], "{\"QMP\": {}}\n{\"return\": {}, \"id\": 1}\n"
			 "{\"event\": \"STOP\"}\n");
	c = calloc(1, sizeof(*c));
	assert_int_equal(qmp_start(&c->q, fds[0], 5), 0);
	close(fds[1]);
	assert_int_equal(run(c, verb_watch), CTL_NO_VM);
	leave(c);
}

static void hostile_words(void **state)
{
	json_t *event = json_loads(
		"{\"event\": \"\\u001b[2J\", \"timestamp\": {\"seconds\": "
		"\"x\", \"microseconds\": 99999999}, \"data\": {\"a\\nb\": "
		"\"\\u0007\", \"c\": {\"d\": \"\\u009b\"}}}",
		0, NULL);
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	setenv("TZ", "UTC", 1);
	show_event(f, event);
	show_json(f, event, false);
	fclose(f);
	assert_string_equal(
		text, "1970-01-01 00:00:00.999999 \\x1b[2J a\\x0ab=\\x07 "
		      "c={\"d\":\"\\xc2\\x9b\"}\n"
		      "{\"event\":\"\\u001B[2J\",\"timestamp\":{\"seconds\":"
		      "\"x\",\"microseconds\":99999999},\"data\":{\"a\\nb\":"
		      "\"\\u0007\",\"c\":{\"d\":\"\\u009B\"}}}\n");
	free(text);
	json_decref(event);
	assert_int_equal(show_number(NULL, "a"), 0);
	assert_null(show_string(NULL, "a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verbs),      cmocka_unit_test(balloon),
		cmocka_unit_test(no_balloon), cmocka_unit_test(any_command),
		cmocka_unit_test(watch),      cmocka_unit_test(hostile_words),
		cmocka_unit_test(metrics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
