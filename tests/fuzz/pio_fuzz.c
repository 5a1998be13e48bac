/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pio_fuzz: the input is a list of port, configuration space and MMIO accesses
 * to the whole board, with the loop's handlers run in between. It must neither
 * crash nor hang, a guest may ask for nothing but a reset or power-off, and
 * after a reset the board is as new.
 */
#include <stdlib.h>
#include <unistd.h>

#include "devices/debugcon.h"
#include "devices/fwcfg.h"
#include "devices/q35.h"
#include "devices/rng.h"
#include "devices/rtc.h"
#include "devices/serial.h"
#include "vmm/board_map.h"

#define RAM (256 * KIB)
#define RNG_DEVFN 0x08
#define MCH_ID 0x29c08086u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct world {
	struct gmem mem;
	pthread_mutex_t lock;
	struct bus pio, mmio;
	struct irq irq;
	struct event event;
	struct power power;
	struct pci_bus pci;
	struct q35 q35;
	struct rng rng;
	struct fwcfg fwcfg;
	struct rtc rtc;
	struct chardev end[2];
	struct serial serial;
	struct debugcon debugcon;
};

enum { PORT, CONFIG, ECAM, BAR, DMA, POLL };

/* One access in the input. */
struct step {
	uint8_t what; /* bits 0-2 of the list above, 3-4 width, 5 write */
	uint16_t at;
	uint8_t value[8];
};
#define STEP_BYTES 11

/* Where ports are, so that most steps find somebody. */
static const struct {
	uint16_t base, size;
} ports[] = {
	{ BOARD_PORT_RTC, 2 },	    { BOARD_PORT_RESET_A, 1 },
	{ BOARD_PORT_KBC, 1 },	    { BOARD_PORT_SERIAL, 8 },
	{ BOARD_PORT_DEBUGCON, 1 }, { BOARD_PORT_FWCFG, BOARD_PORT_FWCFG_SIZE },
	{ BOARD_PORT_PCI_ADDR, 8 }, { BOARD_PMBASE, BOARD_PM_SIZE },
};

static const uint8_t devfns[] = { BOARD_DEVFN_MCH, BOARD_DEVFN_LPC, RNG_DEVFN,
				  RNG_DEVFN + 1 };

static void open_core(struct world *w)
{
	CHECK(!gmem_open(&w->mem, RAM));
	pthread_mutex_init(&w->lock, NULL);
	bus_open(&w->pio, &w->lock);
	bus_open(&w->mmio, &w->lock);
	CHECK(!irq_open(&w->irq, -1));
	CHECK(!event_open(&w->event));
	CHECK(!power_open(&w->power));
}

static struct world *world_open(void)
{
	static const uint8_t kernel[5000] = { 1, 2, 3 };
	static const struct rng_config cfg = { .platform = false };
	static const struct rtc_board board = { .ram_low = RAM, .cpus = 1 };
	static const struct config_port file = { .end = END_FILE,
						 .path = "/dev/null" };
	struct world *w = calloc(1, sizeof(*w));

	CHECK(w);
	open_core(w);
	CHECK(!pci_open(&w->pci, &w->pio, &w->mmio));
	CHECK(!q35_attach(&w->q35, &w->pci, &w->irq, &w->power, 0));
	CHECK(!rng_attach(&w->rng, &cfg, &w->pci, RNG_DEVFN, &w->mem, &w->irq,
			  NULL));
	fwcfg_open(&w->fwcfg, &w->mem);
	CHECK(!fwcfg_add(&w->fwcfg, 0x11, NULL, kernel, sizeof(kernel)));
	CHECK(!fwcfg_add(&w->fwcfg, 0, "etc/e820", kernel, 20));
	CHECK(!fwcfg_attach(&w->fwcfg, &w->pio));
	CHECK(!rtc_attach(&w->rtc, &w->pio, &w->irq, &w->event, &board));
	CHECK(!chardev_open(&w->end[0], "serial", &file));
	CHECK(!serial_attach(&w->serial, &w->pio, &w->irq, &w->event,
			     &w->end[0]));
	CHECK(!chardev_open(&w->end[1], "debugcon", &file));
	CHECK(!debugcon_attach(&w->debugcon, &w->pio, &w->event, &w->end[1]));
	return w;
}

static void loop_over(void *ctx, int fd, uint32_t events)
{
	(void)fd;
	(void)events;
	event_stop(ctx);
}

/* One round of the loop, ended by a pipe that can always be written to. */
static void poll_once(struct world *w)
{
	int fd[2];

	CHECK(!pipe(fd));
	CHECK(!event_add(&w->event, fd[1], EPOLLOUT, loop_over, &w->event));
	CHECK(!event_run(&w->event));
	event_remove(&w->event, fd[1]);
	close(fd[0]);
	close(fd[1]);
}

static void access_bus(struct bus *b, uint64_t at, bool write,
		       const uint8_t value[8], size_t len)
{
	uint8_t buf[8];

	bytes_copy(buf, sizeof(buf), value, 8);
	if (write)
		bus_write(b, at, buf, len);
	else
		bus_read(b, at, buf, len);
}

static void config_step(struct world *w, const struct step *s, bool write,
			size_t len)
{
	uint8_t at[4];
	uint8_t devfn = devfns[(s->at >> 8) % ARRAY_LEN(devfns)];

	put_le32(at, 1u << 31 | (uint32_t)devfn << 8 | (s->at & 0xfc));
	bus_write(&w->pio, BOARD_PORT_PCI_ADDR, at, 4);
	access_bus(&w->pio, BOARD_PORT_PCI_DATA + (s->at & 3u), write, s->value,
		   len);
}

static uint32_t bar_of(struct world *w)
{
	return get_le32(&w->rng.pci.pci.cfg[0x10]);
}

static void one_step(struct world *w, const struct step *s)
{
	size_t len = (size_t)1 << (s->what >> 3 & 3);
	bool write = s->what & 0x20;
	size_t i = (s->at >> 8) % ARRAY_LEN(ports);
	uint8_t devfn = devfns[(s->at >> 12) % ARRAY_LEN(devfns)];

	switch (s->what & 7) {
	case PORT:
		access_bus(&w->pio,
			   (uint16_t)(ports[i].base +
				      (s->at & 0xff) % (ports[i].size + 1)),
			   write, s->value, len == 8 ? 4 : len);
		break;
	case CONFIG: config_step(w, s, write, len == 8 ? 4 : len); break;
	case ECAM:
		access_bus(&w->mmio,
			   BOARD_ECAM_BASE + ((uint64_t)devfn << 12) +
				   (s->at & 0xfff),
			   write, s->value, len);
		break;
	case BAR:
		access_bus(&w->mmio, (uint64_t)bar_of(w) + s->at, write,
			   s->value, len);
		break;
	case DMA:
		(void)!gmem_write(&w->mem, (gpa_t){ s->at }, s->value, 8);
		break;
	case POLL: poll_once(w); break;
	default: access_bus(&w->pio, s->at, write, s->value, 1); break;
	}
}

static void reset(struct world *w)
{
	uint8_t b[4];
	const char *why;
	enum power_request what = power_take(&w->power, &why);

	CHECK(what == POWER_NONE || what == POWER_OFF || what == POWER_RESET);
	pci_reset(&w->pci);
	q35_reset(&w->q35);
	rtc_reset(&w->rtc);
	fwcfg_reset(&w->fwcfg);
	serial_reset(&w->serial);
	debugcon_reset(&w->debugcon);
	CHECK(w->mmio.n == 0);
	CHECK(w->irq.level == 0);
	put_le32(b, 1u << 31);
	bus_write(&w->pio, BOARD_PORT_PCI_ADDR, b, 4);
	bus_read(&w->pio, BOARD_PORT_PCI_DATA, b, 4);
	CHECK(get_le32(b) == MCH_ID);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct world *w;

	if (!w)
		w = world_open();
	for (; len >= STEP_BYTES; data += STEP_BYTES, len -= STEP_BYTES) {
		struct step s = { .what = data[0], .at = get_le16(data + 1) };

		bytes_copy(s.value, sizeof(s.value), data + 3, 8);
		one_step(w, &s);
	}
	reset(w);
	return 0;
}
