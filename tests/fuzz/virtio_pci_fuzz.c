/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio_pci_fuzz: the input is a list of register accesses, at the BAR and in
 * configuration space, to an entropy device with its worker running. It must
 * neither crash nor hang, and be usable again after a reset.
 */
#include <stdlib.h>

#include "devices/rng.h"
#include "tests/bare_board.h"
#include "vmm/board_map.h"

#define RAM (64 * KIB)
#define BAR BOARD_MMIO_LOW_BASE
#define DEVFN 0x10
#define STATUS 20 /* device_status in the common configuration */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct world {
	struct bare_board board;
	struct rng rng;
};

/* One access in the input. */
struct step {
	uint16_t off;
	uint8_t how; /* bits 0-1 width, 2 write, 3 configuration space */
	uint8_t value[8];
};
#define STEP_BYTES 11

static struct world *world_open(void)
{
	static const struct rng_config cfg = { .platform = false };
	struct world *w = calloc(1, sizeof(*w));

	CHECK(w);
	bare_board_open(&w->board, RAM);
	CHECK(!rng_attach(&w->rng, &cfg, &w->board.pci, DEVFN, &w->board.mem,
			  &w->board.irq, NULL));
	return w;
}

static void cfg_access(struct world *w, unsigned off, bool write, uint8_t *buf,
		       size_t len)
{
	uint8_t at[4];
	uint64_t port = BOARD_PORT_PCI_DATA + (off & 3);

	put_le32(at, 1u << 31 | DEVFN << 8 | (off & 0xfc));
	bus_write(&w->board.pio, BOARD_PORT_PCI_ADDR, at, 4);
	if (write)
		bus_write(&w->board.pio, port, buf, len);
	else
		bus_read(&w->board.pio, port, buf, len);
}

static void place(struct world *w)
{
	uint8_t b[4];

	put_le32(b, BAR);
	cfg_access(w, 0x10, true, b, 4);
	put_le32(b, PCI_CMD_MEM | PCI_CMD_MASTER);
	cfg_access(w, PCI_COMMAND, true, b, 2);
}

static void one_step(struct world *w, const struct step *s)
{
	size_t len = (size_t)1 << (s->how & 3);
	uint8_t buf[8];

	bytes_copy(buf, sizeof(buf), s->value, sizeof(s->value));
	if (s->how & 8)
		cfg_access(w, s->off & 0xff, s->how & 4, buf,
			   len == 8 ? 4 : len);
	else if (s->how & 4)
		bus_write(&w->board.mmio, BAR + s->off, buf, len);
	else
		bus_read(&w->board.mmio, BAR + s->off, buf, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct world *w;
	uint8_t b = 0xff;

	if (!w)
		w = world_open();
	place(w);
	for (; len >= STEP_BYTES; data += STEP_BYTES, len -= STEP_BYTES) {
		struct step s = { .off = get_le16(data), .how = data[2] };

		bytes_copy(s.value, sizeof(s.value), data + 3, 8);
		one_step(w, &s);
	}
	pci_reset(&w->board.pci);
	place(w);
	bus_read(&w->board.mmio, BAR + STATUS, &b, 1);
	CHECK(b == 0);
	pci_reset(&w->board.pci);
	return 0;
}
