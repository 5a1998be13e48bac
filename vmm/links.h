/* SPDX-License-Identifier: Apache-2.0 */
/*
 * links: commands about network interfaces that run: QMP's set_link, by which a
 * client takes a cable out and puts it back (QEMU's qapi/net.json has the same
 * command), and what QEMU lacks: limits, and a list of them.
 */
#ifndef CARREL_VMM_LINKS_H
#define CARREL_VMM_LINKS_H

#include "vmm/board.h"
#include "vmm/control.h"

/* The board stays the caller's and must outlive the socket. */
int links_open(struct control *s, struct board *b) MUST_USE;

#endif
