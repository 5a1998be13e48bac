/* SPDX-License-Identifier: Apache-2.0 */
/*
 * board: the explicit list of devices, attached one line each. board.c and
 * board_ask.c are, with main.c, the only files of vmm/ that see devices/; the
 * rest of the VMM knows a board by the few things that happen to all devices at
 * once, or that the control socket wants of one.
 */
#ifndef CARREL_VMM_BOARD_H
#define CARREL_VMM_BOARD_H

#include "vmm/config.h"
#include "vmm/counter.h"
#include "vmm/image.h"
#include "vmm/vm.h"

struct board;

/*
 * Ends of the processes that connect while the guest runs (devices/dial.h), -1
 * where there is none. Each is closed by its device.
 */
struct board_dials {
	int vsock, fs, disk[CONFIG_DISKS], net[CONFIG_NETS];
};

/*
 * Forks those that c asks for, before anything is opened; confine runs in each.
 * -errno after a log line.
 */
int board_dial(struct board_dials *d, const struct config *c,
	       int (*confine)(void *ctx), void *ctx) MUST_USE;

/* What devices get from outside. */
struct board_host {
	/* In each data-path thread before it works: the sandbox of its role */
	void (*enter_worker)(void *ctx, int role);
	void *ctx;
	const struct board_dials *dials;
};

/*
 * Makes and attaches every device that c asks for; the image's items become
 * fw_cfg's. 0, or -errno after a log line.
 */
int board_open(struct board **out, struct vm *vm, const struct config *c,
	       const struct image *im, const struct board_host *host) MUST_USE;
void board_close(struct board *b); /* restores the terminal; NULL is fine */

/* Data paths rest: after pause no device touches guest memory. */
void board_pause(struct board *b);
void board_resume(struct board *b);

/* Every device back to power-on; paused, vCPUs parked. */
void board_reset(struct board *b);

/* What devices did so far. */
struct board_counts {
	size_t n_disks, n_nets;
	struct disk_counts disk[CONFIG_DISKS];
	struct net_counts net[CONFIG_NETS];
	bool has_vsock;
	struct vsock_counts vsock;
	/* By virtio devices of a SEV guest: its driver copied all of it. */
	uint64_t bounce_bytes;
};
void board_count(const struct board *b, struct board_counts *out);

/* A disk or a network interface as it is now. */
struct board_disk {
	const char *id, *path; /* path: of a peer's socket, if it is a peer's */
	bool readonly;
	bool peer; /* another process serves it: no limit, no resize here */
	uint64_t bytes;
	struct rates rates;
};
struct board_net {
	const char *id, *peer;
	bool up;
	bool vhost; /* the host's kernel serves its queues: no limits here */
	struct rates rx, tx;
};

/* The one of this index; false: there are fewer. */
bool board_disk(struct board *b, size_t i, struct board_disk *out);
bool board_net(struct board *b, size_t i, struct board_net *out);

/*
 * By control commands. -ENODEV: none has this name; -EOPNOTSUPP: a limit, where
 * the kernel serves its queues; else as blk_resize.
 */
int board_limit_disk(struct board *b, const char *id,
		     const struct rates *r) MUST_USE;
int board_limit_net(struct board *b, const char *id, const struct rates *rx,
		    const struct rates *tx) MUST_USE;
int board_resize_disk(struct board *b, const char *id, uint64_t bytes,
		      uint64_t *found) MUST_USE;

/* QMP's balloon: memory that the guest shall have. -ENODEV: no balloon. */
int board_balloon(struct board *b, uint64_t bytes) MUST_USE;

/* out->on is false: there is none. */
void board_count_balloon(struct board *b, struct balloon_counts *out);

/* Main thread: whom to tell how much the guest has outside the balloon. */
void board_watch_balloon(struct board *b,
			 void (*changed)(void *ctx, uint64_t actual_bytes),
			 void *ctx);

/* QMP's set_link. -ENODEV: no network interface has this name. */
int board_set_link(struct board *b, const char *id, bool up) MUST_USE;

/* The ACPI power button (system_powerdown, SIGTERM). */
void board_power_button(struct board *b);

#endif
