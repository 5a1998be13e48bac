/* SPDX-License-Identifier: Apache-2.0 */
/*
 * board_commands: see the header.
 */
#include "vmm/board_commands.h"

#include "vmm/ballooning.h"
#include "vmm/disks.h"
#include "vmm/links.h"

int board_commands_open(struct control *s, struct board *b)
{
	int rc = disks_open(s, b);

	if (!rc)
		rc = links_open(s, b);
	return rc ? rc : ballooning_open(s, b);
}
