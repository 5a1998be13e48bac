/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_limits_test: carrelctl's limit and resize: what they refuse, what they
 * ask a VM for, and how they show what it says.
 */
#include "vmm/ctl/limits.h"

#include "tests/unit/control_peer.h"

static struct peer_vm vm;
static char said[4096], asked[1024];

/* Any command: its arguments are kept, its result is the text. */
static int answer(void *ctx, const json_t *args, json_t **ret,
		  struct control_error *err)
{
	char *text = json_dumps(args, JSON_SORT_KEYS);

	(void)err;
	snprintf(asked, sizeof(asked), "%s", text);
	free(text);
	*ret = json_loads(ctx, 0, NULL);
	assert_non_null(*ret);
	return 0;
}

static const struct control_arg any_throttle[] = {
	{ "id", CONTROL_STRING, true },
	{ "bps", CONTROL_UINT64, true },
	{ "bps_max", CONTROL_UINT64, true },
	{ "bps_rd", CONTROL_UINT64, true },
	{ "bps_wr", CONTROL_UINT64, true },
	{ "iops", CONTROL_UINT64, true },
	{ "iops_max", CONTROL_UINT64, true },
	{ "iops_rd", CONTROL_UINT64, true },
	{ "iops_wr", CONTROL_UINT64, true },
	{ 0 },
};
static const struct control_arg any_net[] = {
	{ "name", CONTROL_STRING, true },
	{ "rx-bps", CONTROL_UINT64, true },
	{ "tx-pps-burst", CONTROL_UINT64, true },
	{ 0 },
};
static const struct control_arg any_size[] = {
	{ "device", CONTROL_STRING, true },
	{ "size", CONTROL_UINT64, true },
	{ 0 },
};

static void add(const char *name, const struct control_arg *args,
		const char *result)
{
	const struct control_command c = { name, args, answer, (void *)result };

	assert_int_equal(control_register(&vm.control, &c), 0);
}

static int run(int (*verb)(struct ctl *c), bool json, const char *const *words)
{
	char path[] = "/tmp/ctl_test.XXXXXX";
	int out = dup(STDOUT_FILENO), fd = mkstemp(path), status;
	struct ctl c = { .o = { .timeout_s = 5, .json = json } };
	ssize_t n;

	while (words[c.o.n_words]) {
		c.o.word[c.o.n_words] = words[c.o.n_words];
		c.o.n_words++;
	}
	asked[0] = '\0';
	assert_int_equal(qmp_open(&c.q, vm.path, 5), 0);
	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	status = verb(&c);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	close(out);
	n = pread(fd, said, sizeof(said) - 1, 0);
	said[n > 0 ? n : 0] = '\0';
	close(fd);
	unlink(path);
	qmp_close(&c.q);
	return status;
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })

static void refusals(void **state)
{
	static const char *const t[][2] = {
		{ "bps", NULL },
		{ "bps=", NULL },
		{ "bps=-1", NULL },
		{ "bps=10MB", NULL },
		{ "bps=1.5M", NULL },
		{ "bps=16777216T", NULL },
		{ "bps=99999999T", NULL },
		{ "b=1", NULL },
		{ "bps_max=1", NULL },
		{ "=1", NULL },
		{ "", NULL },
		{ "rx-bps=1", "iops=1" },
		{ "bps=1", "tx-pps=1" },
		{ "pps=1", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		assert_int_equal(run(verb_limit, false,
				     WORDS("disk0", t[i][0], t[i][1])),
				 CTL_USAGE);
		assert_string_equal(asked, "");
	}
	assert_int_equal(run(verb_resize, false, WORDS("disk0", "1Q")),
			 CTL_USAGE);
	assert_int_equal(run(verb_resize, false, WORDS("disk0", "-1")),
			 CTL_USAGE);
	assert_string_equal(asked, "");
	assert_int_equal(run(verb_limit, false, WORDS("disk9")), CTL_REFUSED);
}

static void sets(void **state)
{
	(void)state;
	assert_int_equal(
		run(verb_limit, false,
		    WORDS("disk0", "bps=10M", "iops=0xc8", "iops-burst=3")),
		CTL_OK);
	assert_string_equal(said, "");
	assert_string_equal(
		asked, "{\"bps\": 10485760, \"bps_rd\": 0, \"bps_wr\": 0, "
		       "\"id\": \"disk0\", \"iops\": 200, \"iops_max\": 3, "
		       "\"iops_rd\": 0, \"iops_wr\": 0}");
	assert_int_equal(run(verb_limit, true,
			     WORDS("net0", "rx-bps=1K", "tx-pps-burst=0")),
			 CTL_OK);
	assert_string_equal(said, "{}\n");
	assert_string_equal(asked, "{\"name\": \"net0\", \"rx-bps\": 1024, "
				   "\"tx-pps-burst\": 0}");
	assert_int_equal(run(verb_resize, false, WORDS("disk0", "2G")), CTL_OK);
	assert_string_equal(asked, "{\"device\": \"disk0\", \"size\": "
				   "2147483648}");
	assert_int_equal(run(verb_resize, false, WORDS("disk0")), CTL_OK);
	assert_string_equal(asked, "{\"device\": \"disk0\"}");
}

static void shows(void **state)
{
	(void)state;
	assert_int_equal(run(verb_limit, false, WORDS()), CTL_OK);
	assert_string_equal(said, "disk0 bps=7 bps-burst=9\n"
				  "a\\x1bb no limit\n"
				  "net0 rx-bps=5 tx-pps=6\n");
	assert_int_equal(run(verb_limit, false, WORDS("net0")), CTL_OK);
	assert_string_equal(said, "net0 rx-bps=5 tx-pps=6\n");
	assert_int_equal(run(verb_limit, true, WORDS("disk0")), CTL_OK);
	assert_string_equal(said, "{\"device\":\"disk0\",\"inserted\":"
				  "{\"bps\":7,\"bps_max\":9}}\n");
}

static int open_all(void **state)
{
	(void)state;
	peer_open(&vm);
	add("query-block", NULL,
	    "[{\"device\": \"disk0\", \"inserted\": {\"bps\": 7, \"bps_max\": "
	    "9}}, {\"device\": \"a\\u001bb\"}]");
	add("x-carrel-query-nets", NULL,
	    "[{\"name\": \"net0\", \"rx-bps\": 5, \"tx-pps\": 6}]");
	add("block_set_io_throttle", any_throttle, "{}");
	add("x-carrel-net-limit", any_net, "{}");
	add("block_resize", any_size, "{}");
	peer_start(&vm);
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	peer_close(&vm);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals),
		cmocka_unit_test(sets),
		cmocka_unit_test(shows),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
