/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ballooning: QMP's balloon and query-balloon, by which a client says how much
 * memory the guest shall have, and the event BALLOON_CHANGE (QEMU's
 * qapi/machine.json has the same).
 */
#ifndef CARREL_VMM_BALLOONING_H
#define CARREL_VMM_BALLOONING_H

#include "vmm/board.h"
#include "vmm/control.h"

/* The board stays the caller's and must outlive the socket, s the board. */
int ballooning_open(struct control *s, struct board *b) MUST_USE;

#endif
