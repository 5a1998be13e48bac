/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disks: QMP's commands about disks that run: query-block, block_resize and
 * block_set_io_throttle (QEMU's qapi/block.json and block-core.json have the
 * same). A client's numbers are checked here, before a device sees them.
 */
#ifndef CARREL_VMM_DISKS_H
#define CARREL_VMM_DISKS_H

#include "vmm/board.h"
#include "vmm/control.h"

/* The board stays the caller's and must outlive the socket. */
int disks_open(struct control *s, struct board *b) MUST_USE;

#endif
