/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ballooning: see the header.
 */
#include "vmm/ballooning.h"

#include <errno.h>

static const struct control_arg balloon_args[] = {
	{ "value", CONTROL_UINT64, false },
	{ 0 },
};

static int none(struct control_error *err)
{
	err->class = "DeviceNotActive";
	return control_fail(err, -ENODEV,
			    "No balloon device has been activated");
}

static int balloon(void *ctx, const json_t *args, json_t **ret,
		   struct control_error *err)
{
	const json_t *value = json_object_get(args, "value");
	uint64_t bytes = (uint64_t)json_integer_value(value);

	(void)ret;
	if (!bytes)
		return control_fail(err, -EINVAL,
				    "Parameter 'value' expects a size: bytes "
				    "of memory that the guest shall have");
	return board_balloon(ctx, bytes) ? none(err) : 0;
}

static int query_balloon(void *ctx, const json_t *args, json_t **ret,
			 struct control_error *err)
{
	struct balloon_counts b;

	(void)args;
	board_count_balloon(ctx, &b);
	if (!b.on)
		return none(err);
	*ret = json_pack("{s:I}", "actual", (json_int_t)b.actual_bytes);
	return 0;
}

static void changed(void *ctx, uint64_t actual_bytes)
{
	control_event(ctx, "BALLOON_CHANGE",
		      json_pack("{s:I}", "actual", (json_int_t)actual_bytes));
}

int ballooning_open(struct control *s, struct board *b)
{
	const struct control_command commands[] = {
		{ "balloon", balloon_args, balloon, b },
		{ "query-balloon", NULL, query_balloon, b },
	};

	board_watch_balloon(b, changed, s);
	return control_register_all(s, commands, ARRAY_LEN(commands));
}
