/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verbs: a few lines each over one or more commands of the control socket.
 */
#include "vmm/ctl/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "vmm/ctl/show.h"
#include "vmm/log.h"
#include "vmm/size.h"

int verb_fail(const struct ctl *c, int rc)
{
	log_error("%s: %s", c->o.socket, c->q.why);
	return rc == -EREMOTEIO ? CTL_REFUSED : CTL_NO_VM;
}

/* Once. What is wrong with a verb's words has been said by then. */
static int connect_once(struct ctl *c)
{
	if (c->q.fd >= 0 || !qmp_open(&c->q, c->o.socket, c->o.timeout_s))
		return CTL_OK;
	log_error("%s", c->q.why);
	return CTL_NO_VM;
}

int verb_ask(struct ctl *c, const char *command, json_t *args, json_t **ret)
{
	int rc = connect_once(c);

	if (rc) {
		json_decref(args);
		return rc;
	}
	qmp_set_limit(&c->q, c->o.timeout_s);
	rc = qmp_command(&c->q, command, args, ret);
	return rc ? verb_fail(c, rc) : CTL_OK;
}

int verb_do(struct ctl *c, const char *command, json_t *args)
{
	json_t *ret;
	int status = verb_ask(c, command, args, &ret);

	if (status)
		return status;
	if (c->o.json)
		show_json(stdout, ret, false);
	json_decref(ret);
	return CTL_OK;
}

static int just_do(struct ctl *c, const char *command)
{
	return verb_do(c, command, NULL);
}

int verb_stop(struct ctl *c)
{
	return just_do(c, "stop");
}

int verb_cont(struct ctl *c)
{
	return just_do(c, "cont");
}

int verb_powerdown(struct ctl *c)
{
	return just_do(c, "system_powerdown");
}

int verb_reset(struct ctl *c)
{
	return just_do(c, "system_reset");
}

int verb_quit(struct ctl *c)
{
	return just_do(c, "quit");
}

/* The answers of several queries as members of one object. */
static int gather(struct ctl *c, json_t *all)
{
	static const char *const queries[] = {
		"query-version",
		"query-name",
		"query-status",
		"query-sev",
	};
	int status = CTL_OK;

	for (size_t i = 0; !status && i < ARRAY_LEN(queries); i++) {
		json_t *ret;

		status = verb_ask(c, queries[i], NULL, &ret);
		if (!status)
			json_object_set_new(all, strchr(queries[i], '-') + 1,
					    ret);
	}
	return status;
}

static void print_pair(const char *name, const char *value)
{
	printf("%-9s", name);
	show_text(stdout, value);
	putchar('\n');
}

static void print_sev(const json_t *sev)
{
	if (!json_is_true(json_object_get(sev, "enabled"))) {
		print_pair("sev:", "off");
		return;
	}
	printf("%-9son, policy 0x%llx, API %llu.%llu build %llu, state ",
	       "sev:", (unsigned long long)show_number(sev, "policy"),
	       (unsigned long long)show_number(sev, "api-major"),
	       (unsigned long long)show_number(sev, "api-minor"),
	       (unsigned long long)show_number(sev, "build-id"));
	show_text(stdout, show_string(sev, "state"));
	putchar('\n');
}

int verb_status(struct ctl *c)
{
	json_t *all = json_object();
	int status = gather(c, all);

	if (!status && c->o.json) {
		show_json(stdout, all, false);
	} else if (!status) {
		print_pair("name:",
			   show_string(json_object_get(all, "name"), "name"));
		print_pair(
			"status:",
			show_string(json_object_get(all, "status"), "status"));
		print_pair("version:",
			   show_string(json_object_get(all, "version"),
				       "package"));
		print_sev(json_object_get(all, "sev"));
	}
	json_decref(all);
	return status;
}

int verb_cpus(struct ctl *c)
{
	json_t *cpus, *cpu;
	size_t i;
	int status = verb_ask(c, "query-cpus-fast", NULL, &cpus);

	if (status)
		return status;
	if (c->o.json) {
		show_json(stdout, cpus, false);
	} else {
		printf("%3s %10s\n", "cpu", "thread");
		json_array_foreach(cpus, i, cpu) printf(
			"%3llu %10llu\n",
			(unsigned long long)show_number(cpu, "cpu-index"),
			(unsigned long long)show_number(cpu, "thread-id"));
	}
	json_decref(cpus);
	return CTL_OK;
}

int verb_counters(struct ctl *c)
{
	json_t *ret;
	int status = verb_ask(c, "x-carrel-counters", NULL, &ret);

	if (status)
		return status;
	show_json(stdout, ret, !c->o.json);
	json_decref(ret);
	return CTL_OK;
}

static void print_mib(const char *name, const json_t *o, const char *key)
{
	if (json_object_get(o, key))
		printf("%-11s%8llu MiB\n", name,
		       (unsigned long long)show_number(o, key) / MIB);
}

static int show_balloon(struct ctl *c)
{
	const json_t *o, *stats;
	json_t *ret;
	int status = verb_ask(c, "x-carrel-counters", NULL, &ret);

	if (status)
		return status;
	o = json_object_get(ret, "balloon");
	stats = json_object_get(o, "stats");
	if (!o) {
		log_error("%s: the VM has no balloon (carrel run --balloon)",
			  c->o.socket);
		status = CTL_REFUSED;
	} else if (c->o.json) {
		show_json(stdout, o, false);
	} else {
		print_mib("has:", o, "actual-bytes");
		print_mib("shall have:", o, "target-bytes");
		print_mib("free:", stats, "stat-free-memory");
		print_mib("available:", stats, "stat-available-memory");
	}
	json_decref(ret);
	return status;
}

int verb_balloon(struct ctl *c)
{
	uint64_t bytes;

	if (!c->o.n_words)
		return show_balloon(c);
	if (!size_parse(c->o.word[0], &bytes) || !bytes || bytes > INT64_MAX) {
		log_error("balloon \"%.64s\": accepted is the memory that the "
			  "guest shall have, in bytes or with K, M, G or T",
			  c->o.word[0]);
		return CTL_USAGE;
	}
	return verb_do(c, "balloon",
		       json_pack("{s:I}", "value", (json_int_t)bytes));
}

/* The text as it is, but for what only a terminal would take note of. */
int verb_metrics(struct ctl *c)
{
	const char *text;
	json_t *ret;
	int status = verb_ask(c, "x-carrel-metrics", NULL, &ret);

	if (status)
		return status;
	text = show_string(ret, "text");
	if (!text) {
		log_error("x-carrel-metrics: the answer has no text");
		status = CTL_NO_VM;
	}
	if (c->o.json)
		show_json(stdout, ret, false);
	for (const char *end; !c->o.json && text && *text; text = end + 1) {
		char *line;

		end = strchrnul(text, '\n');
		line = strndup(text, (size_t)(end - text));
		show_text(stdout, line);
		putchar('\n');
		free(line);
		if (!*end)
			break;
	}
	json_decref(ret);
	return status;
}

/* Any command, with its arguments as JSON; what it returns is printed. */
int verb_command(struct ctl *c)
{
	json_t *args = NULL, *ret;
	json_error_t error;
	int status;

	if (c->o.n_words > 1) {
		args = json_loads(c->o.word[1], JSON_REJECT_DUPLICATES, &error);
		if (!json_is_object(args)) {
			log_error("\"%.200s\": arguments are a JSON object%s%s",
				  c->o.word[1], args ? "" : ": ",
				  args ? "" : error.text);
			json_decref(args);
			return CTL_USAGE;
		}
	}
	status = verb_ask(c, c->o.word[0], args, &ret);
	if (status)
		return status;
	show_json(stdout, ret, !c->o.json);
	json_decref(ret);
	return CTL_OK;
}

/* Prints an event; true: it was the last that a VM has. */
static bool print_event(const struct ctl *c, const json_t *event)
{
	const char *name = show_string(event, "event");

	if (c->o.json)
		show_json(stdout, event, false);
	else
		show_event(stdout, event);
	fflush(stdout);
	return name && !strcmp(name, "SHUTDOWN");
}

int verb_watch(struct ctl *c)
{
	bool over = false;
	json_t *event;
	int rc = connect_once(c);

	if (rc)
		return rc;
	qmp_set_limit(&c->q, 0);
	while (!(rc = qmp_event(&c->q, &event))) {
		over |= print_event(c, event);
		json_decref(event);
		if (ferror(stdout))
			return CTL_OK; /* main says so */
	}
	/* A VM closes the connection after its last event. */
	return over && rc == -ECONNRESET ? CTL_OK : verb_fail(c, rc);
}
