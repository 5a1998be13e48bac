/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console: a virtio console with one port (virtio 1.2, 5.3): a doorbell for
 * some bytes, where a UART takes an exit a byte. The guest's side is hostile,
 * and so is the reader at the host's end. A driver spins until its output has
 * been taken, so a reader that is too slow for CONSOLE_PATIENCE_NS loses output
 * instead of stopping the guest.
 */
#ifndef CARREL_DEVICES_CONSOLE_H
#define CARREL_DEVICES_CONSOLE_H

#include "devices/chardev.h"
#include "devices/virtio_pci.h"

#define CONSOLE_PATIENCE_NS 1000000000ull

struct console_config {
	bool platform; /* VIRTIO_F_ACCESS_PLATFORM is required */
};

/* What it is attached to; stays where it is. */
struct console_board {
	struct pci_bus *pci;
	const struct gmem *mem;
	struct irq *irq;
	struct bus *bus; /* whose lock guards the device's configuration */
	struct event *ev;
	const struct worker_hooks *hooks;
};

struct console {
	struct vdev vdev;
	struct virtio_pci pci;
	const struct console_board *board;
	struct chardev *end;
	pthread_mutex_t lock; /* the end's */
	int window_fd; /* SIGWINCH; -1: the end is no terminal */
	/* The sending worker's own. */
	bool sending; /* its chain is not finished */
	bool told_size; /* the driver knows that there is one */
};

/*
 * end was opened, and is put into the loop here; it stays the caller's to
 * close, after console_close. 0, or -errno after one log line. *c must stay
 * where it is.
 */
int console_attach(struct console *c, const struct console_config *cfg,
		   const struct console_board *board, uint8_t devfn,
		   struct chardev *end) MUST_USE;
void console_close(struct console *c);

/* For stop and cont: between them no guest memory is touched. Counted. */
void console_pause(struct console *c);
void console_resume(struct console *c);

#endif
