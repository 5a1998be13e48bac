/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rates_json: see the header.
 */
#include "vmm/rates_json.h"

#include <errno.h>

static int take(uint64_t *out, const char *name, const json_t *o,
		struct control_error *err)
{
	json_int_t v = json_integer_value(json_object_get(o, name));

	if (v < 0 || (uint64_t)v > RATE_MAX)
		return control_fail(err, -EINVAL,
				    "%s: %lld: accepted are 0 (no limit) to "
				    "%llu",
				    name, (long long)v, RATE_MAX);
	*out = (uint64_t)v;
	return 0;
}

int rates_from_json(struct rates *r, const struct rates_names *n,
		    const json_t *o, struct control_error *err)
{
	int rc = take(&r->bytes, n->bytes, o, err);

	if (!rc)
		rc = take(&r->bytes_burst, n->bytes_burst, o, err);
	if (!rc)
		rc = take(&r->ops, n->ops, o, err);
	if (!rc)
		rc = take(&r->ops_burst, n->ops_burst, o, err);
	if (rc)
		return rc;
	if (r->bytes_burst && !r->bytes)
		return control_fail(err, -EINVAL, "%s needs %s", n->bytes_burst,
				    n->bytes);
	if (r->ops_burst && !r->ops)
		return control_fail(err, -EINVAL, "%s needs %s", n->ops_burst,
				    n->ops);
	return 0;
}

static void put(json_t *o, const char *name, uint64_t v)
{
	json_object_set_new(o, name, json_integer((json_int_t)v));
}

void rates_to_json(json_t *o, const struct rates_names *n,
		   const struct rates *r)
{
	put(o, n->bytes, r->bytes);
	put(o, n->ops, r->ops);
	if (r->bytes_burst)
		put(o, n->bytes_burst, r->bytes_burst);
	if (r->ops_burst)
		put(o, n->ops_burst, r->ops_burst);
}
