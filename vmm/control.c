/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request, from JSON to reply; and the socket's file. Error classes and
 * sentences are QEMU's wherever a client could be looking for them.
 */
#include "vmm/control.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "vmm/control_client.h"
#include "vmm/control_commands.h"
#include "vmm/log.h"

/* A client's words may have been cut in the middle of a character. */
static void ascii_only(char *text)
{
	for (; *text; text++)
		if (*text & 0x80)
			*text = '?';
}

json_t *control_text(const char *text)
{
	json_t *v = json_string(text);
	char *copy = v ? NULL : strdup(text);

	if (copy) {
		ascii_only(copy);
		v = json_string(copy);
	}
	free(copy);
	return v;
}

int control_fail(struct control_error *err, int rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err->desc, sizeof(err->desc), fmt, ap);
	va_end(ap);
	ascii_only(err->desc);
	return rc;
}

int control_no_device(struct control_error *err, const char *id)
{
	err->class = "DeviceNotFound";
	return control_fail(err, -ENODEV, "Device '%s' not found", id);
}

/* Arguments against a command's list. */

static const struct control_arg *arg_find(const struct control_arg *list,
					  const char *name)
{
	for (; list && list->name; list++)
		if (!strcmp(list->name, name))
			return list;
	return NULL;
}

static int arg_check(const struct control_arg *arg, const json_t *value,
		     struct control_error *err)
{
	static const char *const type_name[] = {
		[CONTROL_STRING] = "string",
		[CONTROL_UINT64] = "uint64",
		[CONTROL_LIST] = "array",
		[CONTROL_BOOL] = "boolean",
	};
	bool ok = false;

	switch (arg->type) {
	case CONTROL_STRING: ok = json_is_string(value); break;
	case CONTROL_UINT64:
		ok = json_is_integer(value) && json_integer_value(value) >= 0;
		break;
	case CONTROL_LIST: ok = json_is_array(value); break;
	case CONTROL_BOOL: ok = json_is_boolean(value); break;
	}
	if (ok)
		return 0;
	return control_fail(err, -EINVAL,
			    "Invalid parameter type for '%s', expected: %s",
			    arg->name, type_name[arg->type]);
}

static int args_check(const struct control_arg *list, json_t *args,
		      struct control_error *err)
{
	const struct control_arg *arg;
	const char *name;
	json_t *value;

	for (arg = list; arg && arg->name; arg++) {
		value = json_object_get(args, arg->name);
		if (!value && !arg->optional)
			return control_fail(err, -EINVAL,
					    "Parameter '%s' is missing",
					    arg->name);
		if (value && arg_check(arg, value, err))
			return -EINVAL;
	}
	json_object_foreach (args, name, value)
		if (!arg_find(list, name))
			return control_fail(err, -EINVAL,
					    "Parameter '%.64s' is unexpected",
					    name);
	return 0;
}

/* A request. */

/* No capability is offered, so none can be enabled. */
static int negotiate(struct control_client *cl, const json_t *args,
		     struct control_error *err)
{
	const json_t *enable = json_object_get(args, "enable");

	if (json_array_size(enable)) {
		const char *name = json_string_value(json_array_get(enable, 0));

		return control_fail(err, -EINVAL,
				    "Capability '%.64s' not available",
				    name ?: "?");
	}
	cl->negotiated = true;
	return 0;
}

static const struct control_command *command_find(const struct control *c,
						  const char *name)
{
	for (size_t i = 0; i < c->n_commands; i++)
		if (!strcmp(c->command[i].name, name))
			return &c->command[i];
	return NULL;
}

static int command_run(struct control_client *cl, const char *name,
		       json_t *args, json_t **ret, struct control_error *err)
{
	const struct control_command *cmd = command_find(cl->control, name);
	bool first = !strcmp(name, "qmp_capabilities");
	int rc;

	if (!cl->negotiated && !first) {
		err->class = "CommandNotFound";
		return control_fail(err, -EPROTO,
				    "Expecting capabilities negotiation with "
				    "'qmp_capabilities'");
	}
	if (!cmd) {
		err->class = "CommandNotFound";
		return control_fail(err, -ENOENT,
				    "The command %.64s has not been found",
				    name);
	}
	if (!cl->negotiated || !first) {
		rc = args_check(cmd->args, args, err);
		if (rc)
			return rc;
	}
	if (!cl->negotiated)
		return negotiate(cl, args, err);
	rc = cmd->run(cmd->ctx, args, ret, err);
	return rc && !err->desc[0] ? control_fail(err, rc, "%s", strerror(-rc))
				   : rc;
}

static int request_check(json_t *request, struct control_error *err)
{
	const char *name;
	json_t *value;

	json_object_foreach (request, name, value) {
		if (!strcmp(name, "execute")) {
			if (!json_is_string(value))
				return control_fail(err, -EINVAL,
						    "QMP input member 'execute'"
						    " must be a string");
		} else if (!strcmp(name, "arguments")) {
			if (!json_is_object(value))
				return control_fail(err, -EINVAL,
						    "QMP input member "
						    "'arguments' must be an "
						    "object");
		} else if (strcmp(name, "id")) {
			return control_fail(err, -EINVAL,
					    "QMP input member '%.64s' is "
					    "unexpected",
					    name);
		}
	}
	if (!json_object_get(request, "execute"))
		return control_fail(err, -EINVAL,
				    "QMP input lacks member 'execute'");
	return 0;
}

static json_t *error_reply(const struct control_error *err)
{
	return json_pack("{s:{s:s, s:s}}", "error", "class",
			 err->class ?: "GenericError", "desc", err->desc);
}

void control_message(struct control_client *cl, const uint8_t *text, size_t len)
{
	struct control_error err = { 0 };
	json_t *request, *reply, *ret = NULL, *none = json_object();
	json_t *args = NULL, *id = NULL;
	const char *name;
	char why[200];
	int rc = -EINVAL;

	request = control_json_parse(text, len, why, sizeof(why));
	if (!request)
		control_fail(&err, rc, "%s", why);
	else if (!json_is_object(request))
		control_fail(&err, rc, "QMP input must be a JSON object");
	else
		rc = request_check(request, &err);
	if (!rc) {
		args = json_object_get(request, "arguments");
		name = json_string_value(json_object_get(request, "execute"));
		rc = command_run(cl, name, args ?: none, &ret, &err);
	}
	if (rc)
		reply = error_reply(&err);
	else
		reply = json_pack("{s:O}", "return", ret ?: none);
	id = json_object_get(request, "id");
	if (id && reply)
		json_object_set(reply, "id", id);
	control_send(cl, reply);
	json_decref(ret);
	json_decref(none);
	json_decref(request);
}

void control_refuse(struct control_client *cl, enum frame_step why)
{
	struct control_error err = { 0 };

	switch (why) {
	case FRAME_TOO_DEEP:
		control_fail(&err, 0,
			     "JSON nesting depth limit exceeded (%d levels)",
			     CONTROL_DEPTH_MAX);
		break;
	case FRAME_TOO_LONG:
		control_fail(&err, 0,
			     "JSON message size limit exceeded (%llu bytes)",
			     CONTROL_MESSAGE_MAX);
		break;
	default: control_fail(&err, 0, "JSON parse error, stray byte"); break;
	}
	control_send(cl, error_reply(&err));
}

json_t *control_greeting(void)
{
	return json_pack("{s:{s:o, s:[]}}", "QMP", "version", control_version(),
			 "capabilities");
}

/* Events. */

void control_event(struct control *c, const char *name, json_t *data)
{
	struct timespec now = { -1, 0 };
	long us = -1;
	json_t *event;

	if (!clock_gettime(CLOCK_REALTIME, &now))
		us = now.tv_nsec / 1000;
	event = json_pack("{s:{s:I, s:I}, s:s}", "timestamp", "seconds",
			  (json_int_t)now.tv_sec, "microseconds",
			  (json_int_t)us, "event", name);
	if (event && data)
		json_object_set(event, "data", data);
	for (size_t i = 0; event && i < CONTROL_CLIENTS; i++)
		if (c->client[i] && c->client[i]->negotiated)
			control_send(c->client[i], json_incref(event));
	json_decref(event);
	json_decref(data);
}

void control_event_cause(struct control *c, const char *name, bool guest,
			 const char *reason)
{
	control_event(
		c, name,
		json_pack("{s:b, s:s}", "guest", guest, "reason", reason));
}

int control_register(struct control *c, const struct control_command *cmd)
{
	if (command_find(c, cmd->name))
		return -EEXIST;
	if (c->n_commands == CONTROL_COMMANDS)
		return -ENOSPC;
	c->command[c->n_commands++] = *cmd;
	return 0;
}

int control_register_all(struct control *c, const struct control_command *cmd,
			 size_t n)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < n; i++)
		rc = control_register(c, &cmd[i]);
	return rc;
}

int control_take(struct control *c, struct event *e, int fd,
		 const struct control_vm *vm, void *ctx)
{
	int rc;

	*c = (struct control){ .fd = -1, .event = e, .vm = vm, .vm_ctx = ctx };
	/* jansson opens a source of randomness once: not in the sandbox. */
	json_object_seed(0);
	rc = control_commands_add(c);
	if (!rc)
		rc = acceptor_open(&c->acceptor, e, "control socket", fd,
				   control_client_open, c);
	if (rc) {
		log_error("control socket: %s", strerror(-rc));
		return rc;
	}
	c->fd = fd;
	return 0;
}

int control_open(struct control *c, struct event *e, const char *path,
		 const struct control_vm *vm, void *ctx)
{
	struct socket_file file;
	int fd, rc;

	*c = (struct control){ .fd = -1 };
	fd = socket_listen(&file, "control socket", path, CONTROL_CLIENTS);
	if (fd < 0)
		return fd;
	rc = control_take(c, e, fd, vm, ctx);
	if (rc) {
		socket_remove(&file);
		close(fd);
		return rc;
	}
	c->file = file;
	return 0;
}

void control_close(struct control *c)
{
	if (c->fd < 0)
		return;
	acceptor_close(&c->acceptor);
	socket_remove(&c->file);
	close(c->fd);
	c->fd = -1;
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		if (c->client[i])
			control_client_close(c->client[i]);
}
