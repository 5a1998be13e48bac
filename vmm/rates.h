/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rates: how much a second a disk, or one direction of a network interface,
 * may move. From the user or a control client, checked against these bounds;
 * devices/limit.h holds a device to them.
 */
#ifndef CARREL_VMM_RATES_H
#define CARREL_VMM_RATES_H

#include <stdbool.h>
#include <stdint.h>

#define RATE_MAX (1ull << 40) /* of each number */

/*
 * 0: no limit. A burst is what may pass at once after a rest; 0, with a limit:
 * a tenth of what passes in a second. Without its limit it means nothing.
 */
struct rates {
	uint64_t bytes, bytes_burst;
	uint64_t ops, ops_burst; /* requests, or frames */
};

/* Is anything limited? A burst alone limits nothing. */
static inline bool rates_any(const struct rates *r)
{
	return r->bytes || r->ops;
}

#endif
