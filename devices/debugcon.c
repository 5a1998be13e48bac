/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debugcon: see the header. Narrow writes only: a string write from the guest
 * arrives here one byte at a time.
 */
#include "devices/debugcon.h"

#include "vmm/board_map.h"
#include "vmm/log.h"
#include "vmm/timeline_once.h"

#define PRESENT 0xe9

/* A firmware that was built to talk says itself where it is. */
static void note_phase(const struct debugcon *d)
{
	static const struct {
		const char *text;
		enum timeline_once phase;
	} t[] = { { "DXE IPL Entry", ONCE_DXE }, { "[Bds] Entry", ONCE_BDS } };

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		if (d->len >= strlen(t[i].text) &&
		    !memcmp(d->line, t[i].text, strlen(t[i].text)))
			timeline_once(d->pio->timeline, t[i].phase,
				      "debug log");
}

static void line_send(struct debugcon *d)
{
	note_phase(d);
	if (chardev_write(d->end, d->line, d->len) < d->len && !d->warned) {
		d->warned = true;
		log_warn("debugcon: the other end stalls: output is lost");
	}
	d->len = 0;
}

static bool debugcon_read(void *dev, uint64_t off, uint8_t *buf, size_t len)
{
	(void)dev;
	(void)off;
	put_le(buf, len, PRESENT);
	return true;
}

static bool debugcon_write(void *dev, uint64_t off, const uint8_t *buf,
			   size_t len)
{
	struct debugcon *d = dev;

	(void)off;
	(void)len; /* 1: the claim is no longer */
	d->line[d->len++] = buf[0];
	if (buf[0] == '\n' || d->len == sizeof d->line)
		line_send(d);
	return true;
}

static const struct bus_ops debugcon_ops = {
	.name = "debugcon",
	.read = debugcon_read,
	.write = debugcon_write,
};

int debugcon_attach(struct debugcon *d, struct bus *pio, struct event *event,
		    struct chardev *end)
{
	int rc;

	*d = (struct debugcon){ .pio = pio, .end = end };
	rc = bus_claim(pio, BOARD_PORT_DEBUGCON, 1, &debugcon_ops, d);
	if (rc)
		return rc;
	rc = chardev_attach(end, event, pio->lock, NULL, NULL);
	if (rc)
		bus_release(pio, BOARD_PORT_DEBUGCON, d);
	return rc;
}

void debugcon_reset(struct debugcon *d)
{
	line_send(d);
}

void debugcon_close(struct debugcon *d)
{
	line_send(d);
	bus_release(d->pio, BOARD_PORT_DEBUGCON, d);
}
