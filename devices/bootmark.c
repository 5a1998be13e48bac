/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bootmark: see the header. Nothing is there to be read.
 */
#include "devices/bootmark.h"

#include <stdio.h>

#include "vmm/board_map.h"
#include "vmm/timeline_once.h"

static void other(struct bootmark *b, uint8_t code)
{
	uint64_t *word = &b->seen[code / 64], bit = 1ull << code % 64;
	char text[8];

	if (*word & bit || b->n == BOOTMARK_MARKS)
		return;
	*word |= bit;
	b->n++;
	(void)snprintf(text, sizeof(text), "%u", code);
	timeline_moment(b->pio->timeline, TIMELINE_GUEST, "mark", text);
}

static bool bootmark_write(void *dev, uint64_t off, const uint8_t *buf,
			   size_t len)
{
	struct bootmark *b = dev;
	struct timeline *t = b->pio->timeline;

	(void)off;
	(void)len; /* 1: the claim is no longer */
	switch (buf[0]) {
	case BOOTMARK_KERNEL: timeline_once(t, ONCE_KERNEL, "mark 6"); break;
	case BOOTMARK_USER: timeline_once(t, ONCE_USER, "mark 7"); break;
	case BOOTMARK_READY: timeline_once(t, ONCE_READY, "mark 8"); break;
	default: other(b, buf[0]);
	}
	return true;
}

static const struct bus_ops bootmark_ops = {
	.name = "bootmark",
	.write = bootmark_write,
};

int bootmark_attach(struct bootmark *b, struct bus *pio)
{
	*b = (struct bootmark){ .pio = pio };
	return bus_claim(pio, BOARD_PORT_BOOTMARK, 1, &bootmark_ops, b);
}

void bootmark_close(struct bootmark *b)
{
	bus_release(b->pio, BOARD_PORT_BOOTMARK, b);
}
