/* SPDX-License-Identifier: Apache-2.0 */
/*
 * owner_attest_test: the attestation against a VMM that lies, stalls, floods
 * or breaks off. Whatever it does, it must not see a secret packet, nor "cont",
 * before every check has passed.
 */
#include "sev/owner/attest.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sev/base64.h"
#include "sev/owner/measure.h"
#include "vmm/qmp.h"
#include "tests/unit/owner_rig.h"

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": []}}"
#define SEV(state, policy, minor)                                              \
	"{\"enabled\": true, \"api-major\": 0, \"api-minor\": " minor          \
	", \"build-id\": 15, \"policy\": " policy ", \"state\": \"" state      \
	"\", \"handle\": 1}"

/* What a server answers; NULL: what an honest one would. */
struct script {
	const char *name;
	const char *greeting, *sev, *measure, *inject, *cont;
	int rc; /* of the attestation */
	bool injected; /* the server sees a packet */
	bool started; /* and "cont" */
};

struct server {
	const struct script *s;
	int fd;
	char measurement[BASE64_SIZE(SEV_MEASUREMENT_LEN)];
	bool injected, started, capable;
};

static void say(const struct server *v, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		ssize_t n = send(v->fd, text, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

/* A "return" of its value, or as it is if it starts with '!'. */
static void answer(const struct server *v, json_int_t id, const char *value)
{
	char line[512];

	if (value[0] == '!') {
		say(v, value + 1);
		return;
	}
	snprintf(line, sizeof(line), "{\"return\": %s, \"id\": %lld}\n", value,
		 (long long)id);
	say(v, line);
}

static void handle(struct server *v, const char *name, json_int_t id)
{
	char m[128];

	snprintf(m, sizeof(m), "{\"data\": \"%s\"}", v->measurement);
	if (!strcmp(name, "qmp_capabilities")) {
		v->capable = true;
		answer(v, id, "{}");
	} else if (!strcmp(name, "query-sev")) {
		answer(v, id,
		       v->s->sev ? v->s->sev
				 : SEV("launch-secret", "305419889", "24"));
	} else if (!strcmp(name, "query-sev-launch-measure")) {
		answer(v, id, v->s->measure ? v->s->measure : m);
	} else if (!strcmp(name, "sev-inject-launch-secret")) {
		v->injected = true;
		answer(v, id, v->s->inject ? v->s->inject : "{}");
	} else if (!strcmp(name, "cont")) {
		v->started = true;
		answer(v, id, v->s->cont ? v->s->cont : "{}");
	}
}

static void *serve(void *arg)
{
	struct server *v = arg;
	FILE *in = fdopen(dup(v->fd), "r");
	char *line = NULL;
	size_t cap = 0;

	say(v, v->s->greeting ? v->s->greeting : GREETING "\n");
	say(v, "{\"event\": \"STOP\", \"timestamp\": {}}\n");
	while (getline(&line, &cap, in) > 0) {
		json_t *c = json_loads(line, 0, NULL);

		handle(v, json_string_value(json_object_get(c, "execute")),
		       json_integer_value(json_object_get(c, "id")));
		json_decref(c);
	}
	free(line);
	fclose(in);
	return NULL;
}

static struct secret_table table;

static struct attest_job job(const struct tk *tk)
{
	struct attest_job j = {
		.tk = tk,
		.table = &table,
		.policy = RIG_POLICY,
		.min_minor = 17,
		.timeout_s = 2,
	};

	rig_count(j.digest, sizeof(j.digest), 7);
	return j;
}

/* What the secure processor would say to an honest launch. */
static void honest(struct server *v, const struct attest_job *j, uint8_t minor)
{
	struct measure_input in = {
		.api_minor = minor,
		.build = 15,
		.policy = j->policy,
	};
	uint8_t m[SEV_MEASUREMENT_LEN];

	bytes_copy(in.digest, sizeof(in.digest), j->digest, sizeof(in.digest));
	rig_count(in.nonce, sizeof(in.nonce), 0x33);
	assert_int_equal(measure_make(m, j->tk, &in), 0);
	base64_encode(m, sizeof(m), v->measurement, sizeof(v->measurement));
}

static void run(const struct script *s, const struct attest_job *j,
		uint8_t minor)
{
	struct server v = { .s = s };
	struct qmp *q = malloc(sizeof(*q));
	pthread_t thread;
	int fds[2], rc;

	print_message("%s\n", s->name);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	v.fd = fds[1];
	honest(&v, j, minor);
	assert_int_equal(pthread_create(&thread, NULL, serve, &v), 0);
	rc = qmp_start(q, fds[0], j->timeout_s);
	if (!rc)
		rc = attest_dialogue(q, j);
	qmp_close(q);
	pthread_join(thread, NULL);
	close(v.fd);
	free(q);
	assert_int_equal(rc, s->rc);
	assert_int_equal(v.injected, s->injected);
	assert_int_equal(v.started, s->started);
}

#define ERROR(id, text)                                                        \
	"!{\"error\": {\"class\": \"GenericError\", \"desc\": \"" text         \
	"\"}, \"id\": " id "}\n"

static const struct script refusals[] = {
	{ .name = "greeting is none",
	  .greeting = "{\"return\": {}}\n",
	  .rc = -EPROTO },
	{ .name = "greeting is no JSON",
	  .greeting = "SSH-2.0\n",
	  .rc = -EPROTO },
	{ .name = "not under SEV",
	  .sev = "{\"enabled\": false}",
	  .rc = -EBADMSG },
	{ .name = "SEV says nothing", .sev = "{}", .rc = -EBADMSG },
	{ .name = "SEV is a list", .sev = "[1]", .rc = -EBADMSG },
	{ .name = "SEV-SNP",
	  .sev = "{\"enabled\": true, \"sev-type\": \"sev-snp\", "
		 "\"policy\": 305419889, \"state\": \"launch-secret\", "
		 "\"api-major\": 1, \"api-minor\": 55, \"build-id\": 1}",
	  .rc = -EBADMSG },
	{ .name = "already running",
	  .sev = SEV("running", "305419889", "24"),
	  .rc = -EBADMSG },
	{ .name = "policy allows debugging",
	  .sev = SEV("launch-secret", "305419888", "24"),
	  .rc = -EBADMSG },
	{ .name = "policy equal in 8 bits only",
	  .sev = SEV("launch-secret", "113", "24"),
	  .rc = -EBADMSG },
	{ .name = "policy beyond 32 bits",
	  .sev = SEV("launch-secret", "4600387185", "24"),
	  .rc = -EBADMSG },
	{ .name = "API too old",
	  .sev = SEV("launch-secret", "305419889", "16"),
	  .rc = -EBADMSG },
	{ .name = "API is no byte",
	  .sev = SEV("launch-secret", "305419889", "280"),
	  .rc = -EBADMSG },
	{ .name = "API is another than measured",
	  .sev = SEV("launch-secret", "305419889", "25"),
	  .rc = -EBADMSG },
	{ .name = "measurement is missing", .measure = "{}", .rc = -EBADMSG },
	{ .name = "measurement is no base64",
	  .measure = "{\"data\": \"?\"}",
	  .rc = -EBADMSG },
	{ .name = "measurement is short",
	  .measure = "{\"data\": \"AAAA\"}",
	  .rc = -EBADMSG },
	{ .name = "measurement is another",
	  .measure = "{\"data\": \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		     "AAAAAAAAAAAAAAAAAAAAAA\"}",
	  .rc = -EBADMSG },
	{ .name = "query refused",
	  .sev = ERROR("2", "SEV is not\\nenabled"),
	  .rc = -EREMOTEIO },
	{ .name = "measurement refused",
	  .measure = ERROR("3", "no"),
	  .rc = -EREMOTEIO },
	{ .name = "another command's answer",
	  .sev = "!{\"return\": {}, \"id\": 1}\n",
	  .rc = -EPROTO },
	{ .name = "answer without an id",
	  .sev = "!{\"return\": {}}\n",
	  .rc = -EPROTO },
	{ .name = "neither return nor error",
	  .sev = "!{\"id\": 2}\n",
	  .rc = -EPROTO },
	{ .name = "same key twice",
	  .sev = "!{\"id\": 2, \"return\": {}, \"return\": {}}\n",
	  .rc = -EPROTO },
	{ .name = "no answer", .sev = "!", .rc = -ETIMEDOUT },
	{ .name = "half an answer",
	  .measure = "!{\"return\": {\"data\":",
	  .rc = -ETIMEDOUT },
	{ .name = "secret refused",
	  .inject = ERROR("4", "bad MAC"),
	  .rc = -EREMOTEIO,
	  .injected = true },
	{ .name = "start refused",
	  .cont = ERROR("5", "no"),
	  .rc = -EREMOTEIO,
	  .injected = true,
	  .started = true },
};

static void nothing_on_doubt(void **state)
{
	const struct tk tk = rig_tk();
	struct attest_job j = job(&tk);

	(void)state;
	j.timeout_s = 1;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		run(&refusals[i], &j, 24);
}

static void owner_differs(void **state)
{
	static const struct script s = { .name = "other keys", .rc = -EBADMSG };
	struct tk tk = rig_tk(), other = rig_tk();
	struct attest_job j = job(&tk), k;
	struct server v = { .s = &s };

	(void)state;
	/* The launch is honest, but not the one that this owner expects. */
	other.tik[3] ^= 4;
	k = job(&other);
	honest(&v, &k, 24);
	assert_true(strlen(v.measurement) == 64);
	j.digest[0] ^= 1;
	{
		char text[128];
		struct script t = { .name = "another digest", .rc = -EBADMSG };

		k = job(&tk);
		honest(&v, &k, 24);
		snprintf(text, sizeof(text), "{\"data\": \"%s\"}",
			 v.measurement);
		t.measure = text;
		run(&t, &j, 24);
		t.name = "other transport keys";
		k = job(&other);
		run(&t, &k, 24);
	}
}

static void floods(void **state)
{
	const struct tk tk = rig_tk();
	struct attest_job j = job(&tk);
	struct script s = { .name = "a line without an end", .rc = -EPROTO };
	size_t room = QMP_LINE_MAX + 64, len = 0;
	char *text = malloc(room);

	(void)state;
	memset(text, ' ', room - 1);
	text[0] = '!';
	text[room - 1] = '\0';
	s.sev = text;
	run(&s, &j, 24);
	s.name = "events for ever";
	text[0] = '!';
	for (len = 1; len + 16 < room;)
		len += (size_t)snprintf(text + len, room - len,
					"{\"event\": \"X\"}\n");
	run(&s, &j, 24);
	s.name = "deeply nested";
	memset(text + 1, '[', 1000);
	snprintf(text + 1001, room - 1001, "\n");
	run(&s, &j, 24);
	free(text);
}

static void honest_launches(void **state)
{
	static const struct script s = {
		.name = "all as it should be",
		.injected = true,
		.started = true,
	};
	static const struct script old = {
		.name = "before API 0.17, which the owner accepts",
		.sev = SEV("launch-secret", "305419889", "16"),
		.injected = true,
		.started = true,
	};
	const struct tk tk = rig_tk();
	struct attest_job j = job(&tk);

	(void)state;
	run(&s, &j, 24);
	j.min_minor = 0;
	run(&old, &j, 16);
}

static void no_server(void **state)
{
	const struct tk tk = rig_tk();
	struct attest_job j = job(&tk);
	char longer[200];

	(void)state;
	j.socket = "/nonexistent/socket";
	assert_int_equal(attest_run(&j), -ENOENT);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	j.socket = longer;
	assert_int_equal(attest_run(&j), -ENAMETOOLONG);
}

/* The socket appears while the owner waits for it: nothing is lost. */
static void late_server(void **state)
{
	static const struct script s = {
		.name = "a late one",
		.injected = true,
		.started = true,
	};
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const struct tk tk = rig_tk();
	struct attest_job j = job(&tk);
	struct server v = { .s = &s };
	pid_t child;

	(void)state;
	snprintf(to.sun_path, sizeof(to.sun_path), "/tmp/owner_late_%d",
		 (int)getpid());
	honest(&v, &j, 24);
	child = fork();
	if (!child) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		usleep(300 * 1000);
		if (bind(fd, (struct sockaddr *)&to, sizeof(to)))
			_exit(1);
		usleep(200 * 1000); /* refuses meanwhile */
		if (listen(fd, 1))
			_exit(1);
		v.fd = accept(fd, NULL, NULL);
		serve(&v);
		_exit(v.started ? 0 : 1);
	}
	j.socket = to.sun_path;
	assert_int_equal(attest_run(&j), -ENOENT);
	j.wait_s = 20;
	assert_int_equal(attest_run(&j), 0);
	unlink(to.sun_path);
	{
		int status;

		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
	}
}

static int setup(void **state)
{
	(void)state;
	secret_table_init(&table);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_on_doubt),
		cmocka_unit_test(owner_differs),
		cmocka_unit_test(floods),
		cmocka_unit_test(no_server),
		cmocka_unit_test(late_server),
		cmocka_unit_test(honest_launches),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
