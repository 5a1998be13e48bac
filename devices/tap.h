/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tap: queues of an existing tap interface as ends of a network device. The
 * kernel on the other side reads and writes guest memory by itself, so no byte
 * of a frame passes through here but where a guest's buffer is too small. It
 * also judges the headers, which the guest wrote: one that is wrong costs that
 * frame.
 */
#ifndef CARREL_DEVICES_TAP_H
#define CARREL_DEVICES_TAP_H

#include "devices/net_end.h"

#define TAP_QUEUES 8

/*
 * Opens n queues of the interface into end[], which is never created here. All
 * but the first are off. -errno after one log line.
 */
int tap_open(struct net_end **end, unsigned n, const char *name) MUST_USE;

/* The interface's own MTU; 0: nobody knows. */
unsigned tap_mtu(const char *name);

#endif
