/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rates_json: limits as a client of the control socket sends and reads them.
 * Its numbers are hostile.
 */
#ifndef CARREL_VMM_RATES_JSON_H
#define CARREL_VMM_RATES_JSON_H

#include "vmm/control_command.h"
#include "vmm/rates.h"

/* What the members are called. */
struct rates_names {
	const char *bytes, *bytes_burst, *ops, *ops_burst;
};

/*
 * A member that is missing counts as 0. -EINVAL, err filled: too large, or a
 * burst without its limit.
 */
int rates_from_json(struct rates *r, const struct rates_names *n,
		    const json_t *o, struct control_error *err) MUST_USE;

/* Into o; bursts only if they were given. */
void rates_to_json(json_t *o, const struct rates_names *n,
		   const struct rates *r);

#endif
