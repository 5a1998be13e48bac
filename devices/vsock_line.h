/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vsock_line: the first line of a client of the vsock device's Unix socket,
 * "CONNECT PORT\n", as Firecracker and Cloud Hypervisor have it. Pure; the
 * bytes are whatever a process of the host's likes to send.
 */
#ifndef CARREL_DEVICES_VSOCK_LINE_H
#define CARREL_DEVICES_VSOCK_LINE_H

#include <stdint.h>

#include "vmm/num.h"

#define VSOCK_LINE_BYTES 19 /* "CONNECT 4294967295\n" */

/*
 * The port, and how many of the len bytes the line has: what follows is for the
 * guest. -EAGAIN: so far it could become such a line; -EINVAL: it cannot.
 */
int vsock_line_parse(const char *text, size_t len, uint32_t *port,
		     size_t *line_len) MUST_USE;

#endif
