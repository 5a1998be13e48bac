/* SPDX-License-Identifier: Apache-2.0 */
/*
 * carrelctl: talks to a VM over its control socket. This file is its list of
 * verbs.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "vmm/ctl/limits.h"
#include "vmm/ctl/timeline.h"
#include "vmm/ctl/top.h"
#include "vmm/ctl/verbs.h"
#include "vmm/log.h"
#include "vmm/version.h"

static const struct verb {
	const char *name, *words;
	size_t min, max; /* words that it takes */
	int (*run)(struct ctl *c);
	const char *help;
} verbs[] = {
	{ "status", "", 0, 0, verb_status, "what the VM is doing" },
	{ "stop", "", 0, 0, verb_stop, "stop its CPUs" },
	{ "cont", "", 0, 0, verb_cont, "start them, or go on" },
	{ "powerdown", "", 0, 0, verb_powerdown, "press the power button" },
	{ "reset", "", 0, 0, verb_reset, "reset the machine" },
	{ "quit", "", 0, 0, verb_quit, "end it at once" },
	{ "cpus", "", 0, 0, verb_cpus, "its CPUs and their threads" },
	{ "limit", "[NAME [LIMIT=N]...]", 0, OPTIONS_WORDS, verb_limit,
	  "how fast disks and networks may be" },
	{ "resize", "NAME [SIZE]", 1, 2, verb_resize,
	  "make a disk larger, or see that its file is" },
	{ "counters", "", 0, 0, verb_counters, "what it did so far" },
	{ "metrics", "", 0, 0, verb_metrics, "the same as OpenMetrics text" },
	{ "top", "", 0, 0, verb_top, "how fast its counters grow" },
	{ "timeline", "", 0, 0, verb_timeline, "what took its time so far" },
	{ "balloon", "[SIZE]", 0, 1, verb_balloon,
	  "how much memory it has; or shall have" },
	{ "command", "NAME [JSON]", 1, 2, verb_command,
	  "any command of the control socket" },
	{ "watch", "", 0, 0, verb_watch, "its events, until it ends" },
};

static int usage(FILE *to)
{
	fputs("usage: carrelctl [FLAG]... {NAME | --socket PATH} VERB\n"
	      "       carrelctl {version | help | --version | --help}\n\n",
	      to);
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		fprintf(to, "  %-10s%-20s %s\n", verbs[i].name, verbs[i].words,
			verbs[i].help);
	fputs("\n"
	      "  --socket PATH       control socket of the VM\n"
	      "  --json              print JSON, one value a line\n"
	      "  --svg FILE          of timeline: draw it into a file\n"
	      "  --timeout SECONDS   for each answer; default 10\n"
	      "  --interval SECONDS  between two tables of top; default 2\n"
	      "  --count N           how many of them; default: no end\n"
	      "  --help              print this\n"
	      "  --version           print the version\n"
	      "\n"
	      "NAME is the VM whose socket is NAME.sock in the user's or the\n"
	      "system's directory for them; with a slash in it, a path.\n\n"
	      "Exit status: 0 done, 1 usage, 2 no VM answers, 3 the VM "
	      "refused.\n",
	      to);
	return to == stdout ? CTL_OK : CTL_USAGE;
}

static const struct verb *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

/* Results that reached nobody must not look like a success. */
static int flush(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	log_error("cannot write to standard output: %s", strerror(errno));
	return status ? status : CTL_NO_VM;
}

static int run(struct ctl *c, const struct verb *v)
{
	int status = v->run(c);

	qmp_close(&c->q);
	return flush(status);
}

static int start(struct ctl *c)
{
	const struct verb *v;

	if (c->o.help || (c->o.verb && !strcmp(c->o.verb, "help")))
		return flush(usage(stdout));
	if (c->o.version || (c->o.verb && !strcmp(c->o.verb, "version"))) {
		puts("carrelctl " CARREL_VERSION);
		return flush(CTL_OK);
	}
	if (!c->o.socket[0])
		return usage(stderr);
	if (!c->o.verb) {
		log_error("%s: what is to be done with it? Name a verb, see "
			  "carrelctl help",
			  c->o.socket);
		return CTL_USAGE;
	}
	v = find(c->o.verb);
	if (!v) {
		log_error("\"%.64s\" is no verb; see carrelctl help",
			  c->o.verb);
		return CTL_USAGE;
	}
	if (c->o.n_words < v->min || c->o.n_words > v->max) {
		log_error("%s takes %s", v->name,
			  v->max ? v->words : "no further word");
		return CTL_USAGE;
	}
	return run(c, v);
}

int main(int argc, char **argv)
{
	struct ctl *c = calloc(1, sizeof(*c));
	int status;

	log_program("carrelctl");
	if (!c)
		return CTL_NO_VM;
	/* A pager that ends is no reason to die without a word. */
	signal(SIGPIPE, SIG_IGN);
	c->q.fd = -1;
	status = options_parse(&c->o, argc, argv) ? CTL_USAGE : start(c);
	free(c);
	return status;
}
