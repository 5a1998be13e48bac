/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options: flags anywhere, then the VM and the verb.
 */
#include "vmm/ctl/options.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "vmm/log.h"

#define SECONDS_MAX 86400
#define COUNT_MAX 1000000000

/* No letters: getopt's word for one that is no flag is the letter itself. */
enum flag { SOCKET = 256, JSON, SVG, TIMEOUT, INTERVAL, COUNT, HELP, VERSION };

static const struct option flags[] = {
	{ "socket", required_argument, NULL, SOCKET },
	{ "json", no_argument, NULL, JSON },
	{ "svg", required_argument, NULL, SVG },
	{ "timeout", required_argument, NULL, TIMEOUT },
	{ "interval", required_argument, NULL, INTERVAL },
	{ "count", required_argument, NULL, COUNT },
	{ "help", no_argument, NULL, HELP },
	{ "version", no_argument, NULL, VERSION },
	{ 0 },
};

static int take_number(unsigned *out, const char *flag, const char *text,
		       unsigned max)
{
	uint64_t v;

	if (!decimal_u64(text, max, &v) || v < 1) {
		log_error("--%s \"%s\": accepted are 1 to %u", flag, text, max);
		return -EINVAL;
	}
	*out = (unsigned)v;
	return 0;
}

static int take_path(struct options *o, const char *path)
{
	size_t len = strlen(path);

	if (!len || len >= sizeof(o->socket)) {
		log_error("--socket \"%.200s\": a socket's path has 1 to %zu "
			  "bytes",
			  path, sizeof(o->socket) - 1);
		return -EINVAL;
	}
	bytes_copy(o->socket, sizeof(o->socket), path, len + 1);
	return 0;
}

static int take_flag(struct options *o, int flag)
{
	switch (flag) {
	case SOCKET: return take_path(o, optarg);
	case JSON: o->json = true; return 0;
	case SVG: o->svg = optarg; return 0;
	case TIMEOUT:
		return take_number(&o->timeout_s, "timeout", optarg,
				   SECONDS_MAX);
	case INTERVAL:
		return take_number(&o->interval_s, "interval", optarg,
				   SECONDS_MAX);
	case COUNT: return take_number(&o->count, "count", optarg, COUNT_MAX);
	case VERSION: o->version = true; return 0;
	default: o->help = true; return 0;
	}
}

/*
 * A name with a slash is a path; any other is looked for among the user's VMs,
 * then among the system's (docs/service.md).
 */
static int take_name(struct options *o, const char *name)
{
	const char *run = getenv("XDG_RUNTIME_DIR");
	int n;

	if (strchr(name, '/'))
		return take_path(o, name);
	if (run && run[0] == '/') {
		n = snprintf(o->socket, sizeof(o->socket), "%s/carrel/%s.sock",
			     run, name);
		if (n > 0 && (size_t)n < sizeof(o->socket) &&
		    !access(o->socket, F_OK))
			return 0;
	}
	n = snprintf(o->socket, sizeof(o->socket), "/run/carrel/%s.sock", name);
	if (n > 0 && (size_t)n < sizeof(o->socket))
		return 0;
	log_error("\"%.64s...\" is too long for the name of a VM", name);
	return -EINVAL;
}

static bool needs_no_vm(const char *word)
{
	return !strcmp(word, "help") || !strcmp(word, "version");
}

/* It may become a part of a command, which is JSON. */
static int check_text(const char *word)
{
	json_t *v = json_string(word);

	json_decref(v);
	if (v)
		return 0;
	log_error("\"%.64s\": is no text in UTF-8", word);
	return -EINVAL;
}

static int take_words(struct options *o, int n, char **word)
{
	int rc = 0;

	if (n && !o->socket[0] && !needs_no_vm(word[0])) {
		rc = take_name(o, word[0]);
		n--;
		word++;
	}
	for (int i = 0; !rc && i < n; i++)
		rc = check_text(word[i]);
	if (n)
		o->verb = *word++;
	for (int i = 1; !rc && i < n; i++) {
		if (o->n_words == OPTIONS_WORDS) {
			log_error("\"%.64s\": a word too many", *word);
			return -EINVAL;
		}
		o->word[o->n_words++] = *word++;
	}
	return rc;
}

/* Of several letters in one word, getopt is not yet behind that word. */
static int not_a_flag(const char *word)
{
	const char letter[] = { '-', (char)optopt, '\0' };

	log_error("%.64s: not a flag, or not to be written so; see carrelctl "
		  "help",
		  optopt && optopt < SOCKET ? letter : word);
	return -EINVAL;
}

int options_parse(struct options *o, int argc, char **argv)
{
	int flag, rc = 0;

	*o = (struct options){ .timeout_s = 10, .interval_s = 2 };
	optind = 0; /* glibc: from the start, however often */
	opterr = 0;
	while (!rc && (flag = getopt_long(argc, argv, ":", flags, NULL)) >= 0) {
		if (flag == ':') {
			log_error("%s needs a value", argv[optind - 1]);
			rc = -EINVAL;
		} else if (flag == '?') {
			rc = not_a_flag(argv[optind - 1]);
		} else {
			rc = take_flag(o, flag);
		}
	}
	return rc ? rc : take_words(o, argc - optind, argv + optind);
}
