/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control_commands: the commands every VM has, over struct control_vm. Only
 * control.c includes this.
 */
#ifndef CARREL_VMM_CONTROL_COMMANDS_H
#define CARREL_VMM_CONTROL_COMMANDS_H

#include "vmm/control.h"

/* Registers them. */
int control_commands_add(struct control *c) MUST_USE;

/* What query-version returns and the greeting shows. New reference. */
json_t *control_version(void) MUST_USE;

#endif
