/* SPDX-License-Identifier: Apache-2.0 */
/*
 * links: see the header.
 */
#include "vmm/links.h"

static const struct control_arg set_link_args[] = {
	{ "name", CONTROL_STRING, false },
	{ "up", CONTROL_BOOL, false },
	{ 0 },
};

static int set_link(void *ctx, const json_t *args, json_t **ret,
		    struct control_error *err)
{
	const char *name = json_string_value(json_object_get(args, "name"));
	int rc = board_set_link(ctx, name,
				json_is_true(json_object_get(args, "up")));

	(void)ret;
	if (!rc)
		return 0;
	err->class = "DeviceNotFound";
	return control_fail(err, rc, "Device '%s' not found", name);
}

int links_open(struct control *s, struct board *b)
{
	const struct control_command c = { "set_link", set_link_args, set_link,
					   b };

	return control_register(s, &c);
}
