/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pvpanic: see the header.
 */
#include "devices/pvpanic.h"

#include "vmm/board_map.h"

static bool pvpanic_read(void *dev, uint64_t off, uint8_t *buf, size_t len)
{
	(void)dev;
	(void)off;
	put_le(buf, len, PVPANIC_PANICKED | PVPANIC_CRASHLOADED);
	return true;
}

/* Bits that we have not offered are none of our business. */
static bool pvpanic_write(void *dev, uint64_t off, const uint8_t *buf,
			  size_t len)
{
	struct pvpanic *p = dev;

	(void)off;
	(void)len;
	if (buf[0] & PVPANIC_PANICKED)
		power_panic(p->power);
	if (buf[0] & PVPANIC_CRASHLOADED)
		power_note(p->power, POWER_NOTE_CRASHLOADED);
	return true;
}

static const struct bus_ops pvpanic_ops = {
	.name = "pvpanic",
	.read = pvpanic_read,
	.write = pvpanic_write,
};

int pvpanic_attach(struct pvpanic *p, struct bus *pio, struct power *power)
{
	*p = (struct pvpanic){ .pio = pio, .power = power };
	return bus_claim(pio, BOARD_PORT_PVPANIC, 1, &pvpanic_ops, p);
}

void pvpanic_close(struct pvpanic *p)
{
	bus_release(p->pio, BOARD_PORT_PVPANIC, p);
}
