/* SPDX-License-Identifier: Apache-2.0 */
/*
 * board_parts: what a board consists of, for board.c, which makes it, and
 * board_run.c, which does to all of it what happens to a machine. Nobody else
 * includes it.
 */
#ifndef CARREL_VMM_BOARD_PARTS_H
#define CARREL_VMM_BOARD_PARTS_H

#include "devices/balloon.h"
#include "devices/blk.h"
#include "devices/bootmark.h"
#include "devices/chardev.h"
#include "devices/console.h"
#include "devices/debugcon.h"
#include "devices/dial.h"
#include "devices/fwcfg.h"
#include "devices/i6300esb.h"
#include "devices/net.h"
#include "devices/pci.h"
#include "devices/pvpanic.h"
#include "devices/q35.h"
#include "devices/rng.h"
#include "devices/rtc.h"
#include "devices/serial.h"
#include "devices/vhost_user.h"
#include "devices/vhost_vsock.h"
#include "devices/vsock.h"
#include "vmm/board.h"

#define PEERS (CONFIG_DISKS + 1)

struct board {
	struct vm *vm;
	bool bounces; /* virtio drivers copy through shared pages */
	struct pci_bus pci;
	struct q35 q35;
	struct fwcfg fwcfg;
	struct rtc rtc;
	struct bootmark bootmark;
	struct chardev serial_end, debugcon_end, console_end;
	struct serial serial;
	struct debugcon debugcon;
	struct console console;
	struct console_board console_board;
	bool has_console;
	struct pvpanic pvpanic;
	struct i6300esb watchdog;
	struct balloon balloon;
	struct rng rng;
	struct blk disk[CONFIG_DISKS];
	size_t n_disks; /* those that we serve ourselves */
	struct vhost_user *peer[PEERS]; /* those of others, and a file system */
	size_t n_peers;
	struct vhost_board vhost_board;
	struct net net[CONFIG_NETS];
	size_t n_nets;
	struct net_board net_board;
	struct vsock vsock;
	struct vhost_vsock vhost_vsock; /* instead */
	bool has_vhost_vsock;
	bool has_vsock, has_pvpanic, has_watchdog, has_balloon;
	bool has_q35, has_fwcfg, has_rtc, has_bootmark, has_serial,
		has_debugcon, has_rng;
	struct worker_hooks hooks, vsock_hooks, vhost_hooks, kernel_hooks;
};

#endif
