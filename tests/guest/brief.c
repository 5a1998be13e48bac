/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brief: a guest of one deed, started as firmware: it reads the first sector of
 * its disk, says how it begins, and powers off if the fifth byte is a P. Else
 * it sleeps, until somebody resets or ends the machine.
 */
#include "tests/guest/disk.h"

#define PM1_CONTROL 0x604 /* docs/memory-map.md */
#define SLP_EN 0x2000

void main(void);

void main(void)
{
	unsigned slot = find_disk();

	cfg_set(slot, 0x10, BAR);
	cfg_set(slot, 4, 6);
	msix_on(slot);
	start();
	read_sector();
	offer(0, 1);
	while (!get16(USED + 2))
		__asm__ volatile("pause");
	say("brief: sector ");
	say_hex(get32(DATA));
	say("\n");
	if (get8(DATA + 4) == 'P')
		out16(PM1_CONTROL, SLP_EN);
}
