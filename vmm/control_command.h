/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control_command: what a command of the control socket is, for those who add
 * some (sev/qmp.c does). Arguments come from a client and are hostile: their
 * names and types have been checked when a command sees them, their values not.
 */
#ifndef CARREL_VMM_CONTROL_COMMAND_H
#define CARREL_VMM_CONTROL_COMMAND_H

#include <jansson.h>

#include "vmm/num.h"

/* A refusal as the client sees it: QEMU's error class and a sentence. */
struct control_error {
	const char *class; /* static; NULL: "GenericError" */
	char desc[320];
};

/* Fills desc; returns rc so that a handler can end with it. */
int control_fail(struct control_error *err, int rc, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* The same, as QEMU says it, where no device has a name. -ENODEV. */
int control_no_device(struct control_error *err, const char *id);

/*
 * A string for a reply of what may be no UTF-8, as a path on the host: then '?'
 * is in the place of each byte that is not ASCII. New reference, or NULL: no
 * memory.
 */
json_t *control_text(const char *text) MUST_USE;

enum control_type {
	CONTROL_STRING,
	CONTROL_UINT64,
	CONTROL_LIST,
	CONTROL_BOOL
};

struct control_arg {
	const char *name; /* NULL ends a list */
	enum control_type type;
	bool optional;
};

/*
 * A command. Before the handler is called, args has been checked against the
 * list: no unknown name, none missing, every type right. The handler sets *ret
 * (a new reference; left alone: the empty object) and returns 0, or fills err
 * and returns -errno. It must not block.
 */
struct control_command {
	const char *name;
	const struct control_arg *args; /* NULL: takes none */
	int (*run)(void *ctx, const json_t *args, json_t **ret,
		   struct control_error *err);
	void *ctx;
};

#endif
