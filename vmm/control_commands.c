/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each command is a few lines: names, arguments and results are QEMU's
 * (qapi/control.json, qapi/run-state.json, qapi/machine.json). Their context is
 * the control itself.
 */
#include "vmm/control_commands.h"

#include <errno.h>
#include <stdio.h>

#include "vmm/version.h"

/*
 * Clients compare this triple with QEMU releases to learn what they may ask
 * for; what we are is in "package".
 */
#define QEMU_MAJOR 10
#define QEMU_MINOR 0
#define QEMU_MICRO 0

json_t *control_version(void)
{
	return json_pack("{s:{s:i, s:i, s:i}, s:s}", "qemu", "micro",
			 QEMU_MICRO, "minor", QEMU_MINOR, "major", QEMU_MAJOR,
			 "package", "carrel " CARREL_VERSION);
}

/* Before negotiation control.c runs this command itself. */
static int qmp_capabilities(void *ctx, const json_t *args, json_t **ret,
			    struct control_error *err)
{
	(void)ctx;
	(void)args;
	(void)ret;
	err->class = "CommandNotFound";
	return control_fail(err, -EALREADY,
			    "Capabilities negotiation is already complete, "
			    "command ignored");
}

static int query_version(void *ctx, const json_t *args, json_t **ret,
			 struct control_error *err)
{
	(void)ctx;
	(void)args;
	(void)err;
	*ret = control_version();
	return 0;
}

static int query_commands(void *ctx, const json_t *args, json_t **ret,
			  struct control_error *err)
{
	const struct control *c = ctx;

	(void)args;
	(void)err;
	*ret = json_array();
	for (size_t i = 0; i < c->n_commands; i++)
		json_array_append_new(
			*ret, json_pack("{s:s}", "name", c->command[i].name));
	return 0;
}

static int query_status(void *ctx, const json_t *args, json_t **ret,
			struct control_error *err)
{
	const struct control *c = ctx;
	const char *status = c->vm->status(c->vm_ctx);

	(void)args;
	(void)err;
	*ret = json_pack("{s:s, s:b}", "status", status, "running",
			 strcmp(status, "running") == 0);
	return 0;
}

static int query_name(void *ctx, const json_t *args, json_t **ret,
		      struct control_error *err)
{
	const struct control *c = ctx;
	const char *name = c->vm->name(c->vm_ctx);

	(void)args;
	(void)err;
	if (name)
		*ret = json_pack("{s:s}", "name", name);
	return 0;
}

/* One socket of single-threaded cores, as the guest's CPUID says. */
static json_t *describe_cpu(const struct control *c, unsigned cpu)
{
	char path[32];

	snprintf(path, sizeof(path), "/machine/cpu[%u]", cpu);
	return json_pack("{s:i, s:{s:i, s:i, s:i}, s:s, s:i, s:s}", "thread-id",
			 (int)c->vm->cpu_thread(c->vm_ctx, cpu), "props",
			 "core-id", (int)cpu, "thread-id", 0, "socket-id", 0,
			 "qom-path", path, "cpu-index", (int)cpu, "target",
			 "x86_64");
}

static int query_cpus_fast(void *ctx, const json_t *args, json_t **ret,
			   struct control_error *err)
{
	const struct control *c = ctx;
	unsigned n = c->vm->cpus(c->vm_ctx);

	(void)args;
	(void)err;
	*ret = json_array();
	for (unsigned i = 0; i < n; i++)
		json_array_append_new(*ret, describe_cpu(c, i));
	return 0;
}

static int stop(void *ctx, const json_t *args, json_t **ret,
		struct control_error *err)
{
	const struct control *c = ctx;

	(void)args;
	(void)ret;
	return c->vm->stop(c->vm_ctx, err);
}

static int cont(void *ctx, const json_t *args, json_t **ret,
		struct control_error *err)
{
	const struct control *c = ctx;

	(void)args;
	(void)ret;
	return c->vm->cont(c->vm_ctx, err);
}

static int quit(void *ctx, const json_t *args, json_t **ret,
		struct control_error *err)
{
	const struct control *c = ctx;

	(void)args;
	(void)ret;
	(void)err;
	c->vm->quit(c->vm_ctx);
	return 0;
}

static int system_powerdown(void *ctx, const json_t *args, json_t **ret,
			    struct control_error *err)
{
	const struct control *c = ctx;

	(void)args;
	(void)ret;
	return c->vm->powerdown(c->vm_ctx, err);
}

static int system_reset(void *ctx, const json_t *args, json_t **ret,
			struct control_error *err)
{
	const struct control *c = ctx;

	(void)args;
	(void)ret;
	return c->vm->reset(c->vm_ctx, err);
}

static const struct control_arg capabilities_args[] = {
	{ "enable", CONTROL_LIST, true },
	{ 0 },
};

static const struct control_command commands[] = {
	{ "qmp_capabilities", capabilities_args, qmp_capabilities, NULL },
	{ "query-version", NULL, query_version, NULL },
	{ "query-commands", NULL, query_commands, NULL },
	{ "query-status", NULL, query_status, NULL },
	{ "query-name", NULL, query_name, NULL },
	{ "query-cpus-fast", NULL, query_cpus_fast, NULL },
	{ "stop", NULL, stop, NULL },
	{ "cont", NULL, cont, NULL },
	{ "quit", NULL, quit, NULL },
	{ "system_powerdown", NULL, system_powerdown, NULL },
	{ "system_reset", NULL, system_reset, NULL },
};

int control_commands_add(struct control *c)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		struct control_command cmd = commands[i];
		int rc;

		cmd.ctx = c;
		rc = control_register(c, &cmd);
		if (rc)
			return rc;
	}
	return 0;
}
