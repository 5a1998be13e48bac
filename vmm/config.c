/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config: defaults, the verb, and what others ask of a config.
 */
#include "vmm/config.h"

#include <errno.h>
#include <string.h>

#include "vmm/config_table.h"
#include "vmm/log.h"

static const struct config defaults = {
	.memory = 512 * MIB,
	.cpus = 1,
	.serial = { .end = END_UNSET },
	.sandbox = true,
	.sev = { .kernel_hashes = true,
		 .cbitpos = -1,
		 .reduced_phys_bits = -1 },
};

bool config_ends(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len > n && !strcmp(text + len - n, end);
}

bool config_inherits(const struct config *c)
{
	return c->control && !strcmp(c->control, CONFIG_INHERITED);
}

/* What the kernel does to queues of its own is as the kernel has it. */
const char *config_no_vhost(const struct config_net *n)
{
	if (!n->tap)
		return "passt is no interface of the kernel's";
	return rates_any(&n->rx) || rates_any(&n->tx)
		       ? "the kernel keeps to no limits"
		       : NULL;
}

/* Flags of run; --help among them turns the verb into help. */
static int parse_run(struct config *c, int argc, char **argv)
{
	uint32_t given[CONFIG_ROWS] = { 0 };
	int rc = config_read_flags(c, argc, argv, given);

	if (rc || c->verb != CONFIG_RUN)
		return rc;
	/* The terminal belongs to one of them. */
	if (c->serial.end == END_UNSET)
		c->serial.end = c->console.end == END_STDIO ? END_NONE
							    : END_STDIO;
	return config_check(c, given);
}

static int parse_verb(struct config *c, int argc, char **argv)
{
	static const struct {
		const char *word;
		enum config_verb verb;
	} verbs[] = {
		{ "run", CONFIG_RUN },		 { "version", CONFIG_VERSION },
		{ "--version", CONFIG_VERSION }, { "help", CONFIG_HELP },
		{ "--help", CONFIG_HELP },
	};

	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(verbs); i++) {
		if (strcmp(argv[1], verbs[i].word))
			continue;
		c->verb = verbs[i].verb;
		if (c->verb == CONFIG_RUN)
			return parse_run(c, argc - 2, argv + 2);
		return 0;
	}
	if (argc > 1)
		log_error("command \"%s\": accepted are run, version and help",
			  argv[1]);
	else
		log_error("no command: accepted are run, version and help");
	return -EINVAL;
}

int config_parse(struct config *c, int argc, char **argv)
{
	int rc;

	*c = defaults;
	rc = parse_verb(c, argc, argv);
	if (!rc)
		return 0;
	config_close(c);
	return -EINVAL;
}
