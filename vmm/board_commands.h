/* SPDX-License-Identifier: Apache-2.0 */
/*
 * board_commands: all commands of the control socket that are about devices of
 * the board.
 */
#ifndef CARREL_VMM_BOARD_COMMANDS_H
#define CARREL_VMM_BOARD_COMMANDS_H

#include "vmm/board.h"
#include "vmm/control.h"

/* The board stays the caller's and must outlive the socket. */
int board_commands_open(struct control *s, struct board *b) MUST_USE;

#endif
