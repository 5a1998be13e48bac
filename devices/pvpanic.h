/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pvpanic: one port by which the guest's kernel says that it panicked (QEMU's
 * docs/specs/pvpanic). Reading gives the events that are understood, writing
 * is an event. The guest may write at any time and as often as it likes; what
 * follows is vmm/mishap.c's to decide.
 */
#ifndef CARREL_DEVICES_PVPANIC_H
#define CARREL_DEVICES_PVPANIC_H

#include "vmm/bus.h"
#include "vmm/power.h"

#define PVPANIC_PANICKED 0x01u /* and nobody handles it */
#define PVPANIC_CRASHLOADED 0x02u /* and the guest starts its crash kernel */

struct pvpanic {
	struct bus *pio;
	struct power *power;
};

/* Claims the port; both are borrowed. */
int pvpanic_attach(struct pvpanic *p, struct bus *pio,
		   struct power *power) MUST_USE;
void pvpanic_close(struct pvpanic *p);

#endif
