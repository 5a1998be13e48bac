/* SPDX-License-Identifier: Apache-2.0 */
/*
 * board_devices: what a board is made of, for the two files that are about it:
 * board.c, which attaches devices, and board_ask.c, which asks and tells them.
 */
#ifndef CARREL_VMM_BOARD_DEVICES_H
#define CARREL_VMM_BOARD_DEVICES_H

#include "devices/balloon.h"
#include "devices/blk.h"
#include "devices/bootmark.h"
#include "devices/chardev.h"
#include "devices/console.h"
#include "devices/debugcon.h"
#include "devices/fwcfg.h"
#include "devices/i6300esb.h"
#include "devices/net.h"
#include "devices/pci.h"
#include "devices/pvpanic.h"
#include "devices/q35.h"
#include "devices/rng.h"
#include "devices/rtc.h"
#include "devices/serial.h"
#include "devices/vsock.h"
#include "vmm/config.h"
#include "vmm/vm.h"

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
	size_t n_disks;
	struct net net[CONFIG_NETS];
	size_t n_nets;
	struct net_board net_board;
	struct vsock vsock;
	bool has_vsock, has_pvpanic, has_watchdog, has_balloon;
	bool has_q35, has_fwcfg, has_rtc, has_bootmark, has_serial,
		has_debugcon, has_rng;
	struct worker_hooks hooks, vsock_hooks;
};

#endif
