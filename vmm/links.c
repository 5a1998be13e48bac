/* SPDX-License-Identifier: Apache-2.0 */
/*
 * links: see the header.
 */
#include "vmm/links.h"

#include <errno.h>

#include "vmm/rates_json.h"

static const struct control_arg set_link_args[] = {
	{ "name", CONTROL_STRING, false },
	{ "up", CONTROL_BOOL, false },
	{ 0 },
};

static const struct control_arg limit_args[] = {
	{ "name", CONTROL_STRING, false },
	{ "rx-bps", CONTROL_UINT64, true },
	{ "rx-bps-burst", CONTROL_UINT64, true },
	{ "rx-pps", CONTROL_UINT64, true },
	{ "rx-pps-burst", CONTROL_UINT64, true },
	{ "tx-bps", CONTROL_UINT64, true },
	{ "tx-bps-burst", CONTROL_UINT64, true },
	{ "tx-pps", CONTROL_UINT64, true },
	{ "tx-pps-burst", CONTROL_UINT64, true },
	{ 0 },
};

static const struct rates_names rx_names = { "rx-bps", "rx-bps-burst", "rx-pps",
					     "rx-pps-burst" };
static const struct rates_names tx_names = { "tx-bps", "tx-bps-burst", "tx-pps",
					     "tx-pps-burst" };

static const char *name_of(const json_t *args)
{
	return json_string_value(json_object_get(args, "name"));
}

static int found(int rc, const json_t *args, struct control_error *err)
{
	return rc ? control_no_device(err, name_of(args)) : 0;
}

static int set_link(void *ctx, const json_t *args, json_t **ret,
		    struct control_error *err)
{
	bool up = json_is_true(json_object_get(args, "up"));

	(void)ret;
	return found(board_set_link(ctx, name_of(args), up), args, err);
}

static int set_limit(void *ctx, const json_t *args, json_t **ret,
		     struct control_error *err)
{
	struct rates rx, tx;
	int rc = rates_from_json(&rx, &rx_names, args, err);

	(void)ret;
	if (!rc)
		rc = rates_from_json(&tx, &tx_names, args, err);
	if (rc)
		return rc;
	rc = board_limit_net(ctx, name_of(args), &rx, &tx);
	if (rc == -EOPNOTSUPP)
		return control_fail(err, rc,
				    "Device '%s' is served by the host's "
				    "kernel, which keeps to no limits: it "
				    "takes a start with vhost=off",
				    name_of(args));
	return found(rc, args, err);
}

static int query(void *ctx, const json_t *args, json_t **ret,
		 struct control_error *err)
{
	struct board_net n;

	(void)args;
	(void)err;
	*ret = json_array();
	for (size_t i = 0; board_net(ctx, i, &n); i++) {
		json_t *o = json_pack("{s:s, s:o, s:b, s:b}", "name", n.id,
				      "peer", control_text(n.peer), "up", n.up,
				      "vhost", n.vhost);

		rates_to_json(o, &rx_names, &n.rx);
		rates_to_json(o, &tx_names, &n.tx);
		json_array_append_new(*ret, o);
	}
	return 0;
}

int links_open(struct control *s, struct board *b)
{
	const struct control_command commands[] = {
		{ "set_link", set_link_args, set_link, b },
		{ "x-carrel-net-limit", limit_args, set_limit, b },
		{ "x-carrel-query-nets", NULL, query, b },
	};

	return control_register_all(s, commands, ARRAY_LEN(commands));
}
