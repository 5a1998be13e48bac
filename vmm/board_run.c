/* SPDX-License-Identifier: Apache-2.0 */
/*
 * board_run: what happens to a board while its machine runs: it rests, goes on,
 * is reset.
 */
#include "vmm/board.h"

#include "vmm/board_parts.h"

void board_pause(struct board *b)
{
	if (b->has_rng)
		rng_pause(&b->rng);
	if (b->has_console)
		console_pause(&b->console);
	if (b->has_balloon)
		balloon_pause(&b->balloon);
	if (b->has_watchdog)
		i6300esb_pause(&b->watchdog);
	for (size_t i = 0; i < b->n_disks; i++)
		blk_pause(&b->disk[i]);
	for (size_t i = 0; i < b->n_peers; i++)
		vhost_user_pause(b->peer[i]);
	for (size_t i = 0; i < b->n_nets; i++)
		net_pause(&b->net[i]);
	if (b->has_vsock)
		vsock_pause(&b->vsock);
	if (b->has_vhost_vsock)
		vhost_vsock_pause(&b->vhost_vsock);
}

void board_resume(struct board *b)
{
	if (b->has_rng)
		rng_resume(&b->rng);
	if (b->has_console)
		console_resume(&b->console);
	if (b->has_balloon)
		balloon_resume(&b->balloon);
	if (b->has_watchdog)
		i6300esb_resume(&b->watchdog);
	for (size_t i = 0; i < b->n_disks; i++)
		blk_resume(&b->disk[i]);
	for (size_t i = 0; i < b->n_peers; i++)
		vhost_user_resume(b->peer[i]);
	for (size_t i = 0; i < b->n_nets; i++)
		net_resume(&b->net[i]);
	if (b->has_vsock)
		vsock_resume(&b->vsock);
	if (b->has_vhost_vsock)
		vhost_vsock_resume(&b->vhost_vsock);
}

void board_reset(struct board *b)
{
	bus_lock(&b->vm->pio);
	pci_reset(&b->pci); /* virtio and the watchdog are reset by it */
	q35_reset(&b->q35);
	rtc_reset(&b->rtc);
	if (b->has_fwcfg)
		fwcfg_reset(&b->fwcfg);
	serial_reset(&b->serial);
	if (b->has_debugcon)
		debugcon_reset(&b->debugcon);
	bus_unlock(&b->vm->pio);
}

void board_power_button(struct board *b)
{
	q35_power_button(&b->q35);
}
