/* SPDX-License-Identifier: Apache-2.0 */
/*
 * board: every device of the machine, attached by one visible line each. The
 * order is fixed, so that a device keeps its place on the PCI bus: entropy in
 * slot 1, disks from slot 2 on, the console in slot 18, the balloon in slot 19,
 * network interfaces from slot 20 on, the watchdog in slot 28, the socket
 * device in slot 29, a file system in slot 30.
 */
#include "vmm/board.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/board_map.h"
#include "vmm/board_parts.h"
#include "vmm/jail.h"
#include "vmm/log.h"

#define DEVFN(slot) ((uint8_t)((slot) << 3))
#define SLOT_RNG 1u
#define SLOT_DISK 2u
#define SLOT_CONSOLE 18u
#define SLOT_BALLOON 19u
#define SLOT_NET 20u
#define SLOT_WATCHDOG 28u
#define SLOT_VSOCK 29u
#define SLOT_FS 30u
#define QUEUES_DEFAULT 4u

static int fork_dialer(int *fd, const char *path, enum dial_how how,
		       int (*confine)(void *ctx), void *ctx)
{
	int rc = dial_fork(fd, path, how, confine, ctx);

	if (rc)
		log_error("socket '%s': no process that connects to it: %s",
			  path, strerror(-rc));
	return rc;
}

int board_dial(struct board_dials *d, const struct config *c,
	       int (*confine)(void *ctx), void *ctx)
{
	int rc = 0;

	d->vsock = d->fs = -1;
	for (size_t i = 0; i < CONFIG_DISKS; i++)
		d->disk[i] = -1;
	for (size_t i = 0; i < CONFIG_NETS; i++)
		d->net[i] = -1;
	if (c->vsock.on && c->vsock.path)
		rc = fork_dialer(&d->vsock, c->vsock.path, DIAL_NUMBERED,
				 confine, ctx);
	if (!rc && c->fs.on)
		rc = fork_dialer(&d->fs, c->fs.socket, DIAL_EXACT, confine,
				 ctx);
	for (size_t i = 0; !rc && i < c->n_disks; i++)
		if (c->disk[i].peer)
			rc = fork_dialer(&d->disk[i], c->disk[i].peer,
					 DIAL_EXACT, confine, ctx);
	for (size_t i = 0; !rc && i < c->n_nets; i++)
		if (c->net[i].passt)
			rc = fork_dialer(&d->net[i], c->net[i].passt,
					 DIAL_EXACT, confine, ctx);
	return rc;
}

static int open_chips(struct board *b, const struct config *c)
{
	const struct rtc_board memory = {
		.ram_low = gmem_ram_low(&b->vm->mem),
		.ram_high = gmem_ram_high(&b->vm->mem),
		.cpus = b->vm->cpus.n,
	};
	struct vm *vm = b->vm;
	int rc = pci_open(&b->pci, &vm->pio, &vm->mmio);

	if (rc)
		return rc;
	/* Firmware places the ECAM; a kernel expects it where MCFG says. */
	rc = q35_attach(&b->q35, &b->pci, &vm->irq, &vm->power,
			c->firmware ? 0 : BOARD_ECAM_BASE);
	b->has_q35 = !rc;
	if (rc)
		return rc;
	rc = rtc_attach(&b->rtc, &vm->pio, &vm->irq, &vm->ev, &memory);
	b->has_rtc = !rc;
	if (!rc)
		rc = bootmark_attach(&b->bootmark, &vm->pio);
	b->has_bootmark = !rc;
	if (rc)
		return rc;
	rc = pvpanic_attach(&b->pvpanic, &vm->pio, &vm->power);
	b->has_pvpanic = !rc;
	return rc;
}

static int open_fwcfg(struct board *b, const struct image *im)
{
	int rc;

	fwcfg_open(&b->fwcfg, &b->vm->mem);
	rc = fwcfg_add_image(&b->fwcfg, im);
	if (!rc)
		rc = fwcfg_attach(&b->fwcfg, &b->vm->pio);
	b->has_fwcfg = !rc;
	return rc;
}

static int open_serial(struct board *b, const struct config *c)
{
	int rc = chardev_open(&b->serial_end, "serial", &c->serial);

	if (rc)
		return rc;
	b->serial_end.power = &b->vm->power;
	rc = serial_attach(&b->serial, &b->vm->pio, &b->vm->irq, &b->vm->ev,
			   &b->serial_end);
	b->has_serial = !rc;
	if (rc)
		chardev_close(&b->serial_end);
	return rc;
}

/* Without --debugcon nobody answers at its port: firmware then keeps quiet. */
static int open_debugcon(struct board *b, const struct config *c)
{
	int rc;

	if (c->debugcon.end == END_NONE)
		return 0;
	rc = chardev_open(&b->debugcon_end, "debugcon", &c->debugcon);
	if (rc)
		return rc;
	rc = debugcon_attach(&b->debugcon, &b->vm->pio, &b->vm->ev,
			     &b->debugcon_end);
	b->has_debugcon = !rc;
	if (rc)
		chardev_close(&b->debugcon_end);
	return rc;
}

static int open_console(struct board *b, const struct config *c)
{
	const struct console_config cc = { .platform = c->sev.on };
	int rc;

	if (c->console.end == END_NONE)
		return 0;
	rc = chardev_open(&b->console_end, "console", &c->console);
	if (rc)
		return rc;
	b->console_end.power = &b->vm->power;
	rc = console_attach(&b->console, &cc, &b->console_board,
			    DEVFN(SLOT_CONSOLE), &b->console_end);
	b->has_console = !rc;
	if (rc)
		chardev_close(&b->console_end);
	return rc;
}

static int open_rng(struct board *b, const struct config *c)
{
	const struct rng_config rc_cfg = { .platform = c->sev.on };
	int rc;

	if (!c->rng)
		return 0;
	rc = rng_attach(&b->rng, &rc_cfg, &b->pci, DEVFN(SLOT_RNG), &b->vm->mem,
			&b->vm->irq, &b->hooks);
	b->has_rng = !rc;
	return rc;
}

static int open_watchdog(struct board *b, const struct config *c)
{
	int rc;

	if (c->watchdog == WATCHDOG_OFF)
		return 0;
	rc = i6300esb_attach(&b->watchdog, &b->pci, DEVFN(SLOT_WATCHDOG),
			     &b->vm->ev, &b->vm->power);
	b->has_watchdog = !rc;
	return rc;
}

static int open_balloon(struct board *b, const struct config *c)
{
	int rc;

	if (!c->balloon)
		return 0;
	rc = balloon_attach(&b->balloon, &b->pci, DEVFN(SLOT_BALLOON),
			    &b->vm->mem, &b->vm->irq, &b->vm->ev, &b->hooks);
	b->has_balloon = !rc;
	return rc;
}

static unsigned queues_default(const struct config *c)
{
	return (unsigned)min_u64(c->cpus, QUEUES_DEFAULT);
}

/* A device that another process serves. */
static int open_peer(struct board *b, const struct vhost_kind *kind,
		     const struct vhost_user_config *cfg, unsigned slot)
{
	struct vhost_user *v = calloc(1, sizeof(*v));
	int rc = v ? vhost_user_attach(v, kind, cfg, &b->vhost_board,
				       DEVFN(slot))
		   : -ENOMEM;

	if (rc)
		free(v);
	else
		b->peer[b->n_peers++] = v;
	return rc;
}

static int open_disk(struct board *b, const struct config *c, size_t i,
		     int dial_fd)
{
	const struct config_disk *d = &c->disk[i];
	const struct vhost_user_config vc = {
		.path = d->peer,
		.id = d->id,
		.queues = d->queues,
		.cpus = queues_default(c),
		.dial_fd = dial_fd,
		.platform = c->sev.on,
	};
	const struct blk_config bc = {
		.path = d->path,
		.id = d->id,
		.readonly = d->readonly,
		.queues = d->queues ? d->queues : queues_default(c),
		.platform = c->sev.on,
		.rates = d->rates,
	};
	int rc;

	if (d->peer)
		return open_peer(b, &vhost_disk, &vc, SLOT_DISK + (unsigned)i);
	rc = blk_attach(&b->disk[b->n_disks], &bc, &b->pci,
			DEVFN(SLOT_DISK + i), &b->vm->mem, &b->vm->irq,
			&b->hooks);
	if (!rc)
		b->n_disks++;
	return rc;
}

static int open_fs(struct board *b, const struct config *c, int dial_fd)
{
	const struct vhost_user_config vc = {
		.path = c->fs.socket,
		.id = "fs",
		.queues = c->fs.queues,
		.cpus = queues_default(c),
		.tag = c->fs.tag,
		.dial_fd = dial_fd,
		.platform = c->sev.on,
	};

	return c->fs.on ? open_peer(b, &vhost_fs, &vc, SLOT_FS) : 0;
}

static int open_net(struct board *b, const struct config *c, size_t i,
		    int dial_fd)
{
	const struct config_net *n = &c->net[i];
	const struct net_config nc = {
		.tap = n->tap,
		.passt = n->passt,
		.id = n->id,
		.mac = n->mac,
		.pairs = n->queues ? n->queues : 1,
		.mtu = n->mtu,
		.dial_fd = dial_fd,
		.vhost = config_no_vhost(n) ? VHOST_OFF : n->vhost,
		.platform = c->sev.on,
		.rx = n->rx,
		.tx = n->tx,
	};
	int rc =
		net_attach(&b->net[i], &nc, &b->net_board, DEVFN(SLOT_NET + i));

	if (!rc)
		b->n_nets = i + 1;
	return rc;
}

static int open_vhost_vsock(struct board *b, const struct config *c)
{
	const struct vhost_vsock_config vc = { .cid = c->vsock.cid,
					       .platform = c->sev.on };
	int rc = vhost_vsock_attach(&b->vhost_vsock, &vc, &b->pci,
				    DEVFN(SLOT_VSOCK), &b->vm->mem, &b->vm->irq,
				    &b->kernel_hooks);

	b->has_vhost_vsock = !rc;
	return rc;
}

static int open_vsock(struct board *b, const struct config *c, int dial_fd)
{
	const struct vsock_config vc = {
		.cid = c->vsock.cid,
		.path = c->vsock.path,
		.dial_fd = dial_fd,
		.platform = c->sev.on,
	};
	int rc;

	if (!c->vsock.on)
		return 0;
	if (c->vsock.vhost)
		return open_vhost_vsock(b, c);
	rc = vsock_attach(&b->vsock, &vc, &b->pci, DEVFN(SLOT_VSOCK),
			  &b->vm->mem, &b->vm->irq, &b->vsock_hooks);
	b->has_vsock = !rc;
	return rc;
}

int board_open(struct board **out, struct vm *vm, const struct config *c,
	       const struct image *im, const struct board_host *host)
{
	struct board *b = calloc(1, sizeof(*b));
	int rc;

	if (!b)
		return -ENOMEM;
	b->vm = vm;
	b->bounces = c->sev.on;
	b->hooks = (struct worker_hooks){ host->enter_worker, host->ctx,
					  JAIL_WORKER };
	b->vsock_hooks = (struct worker_hooks){ host->enter_worker, host->ctx,
						JAIL_VSOCK };
	b->vhost_hooks = (struct worker_hooks){ host->enter_worker, host->ctx,
						JAIL_VHOST };
	b->kernel_hooks = (struct worker_hooks){ host->enter_worker, host->ctx,
						 JAIL_KERNEL };
	b->vhost_board = (struct vhost_board){ &b->pci,	 &vm->mem,
					       &vm->irq, &vm->pio,
					       &vm->ev,	 &b->vhost_hooks };
	b->net_board = (struct net_board){ &b->pci,	    &vm->mem, &vm->irq,
					   &vm->pio,	    &vm->ev,  &b->hooks,
					   &b->kernel_hooks };
	b->console_board =
		(struct console_board){ &b->pci,  &vm->mem, &vm->irq,
					&vm->pio, &vm->ev,  &b->hooks };
	*out = b;
	rc = open_chips(b, c);
	if (!rc && c->firmware)
		rc = open_fwcfg(b, im);
	if (!rc)
		rc = open_serial(b, c);
	if (!rc)
		rc = open_debugcon(b, c);
	if (!rc)
		rc = open_console(b, c);
	if (!rc)
		rc = open_rng(b, c);
	if (!rc)
		rc = open_balloon(b, c);
	if (!rc)
		rc = open_watchdog(b, c);
	for (size_t i = 0; !rc && i < c->n_disks; i++)
		rc = open_disk(b, c, i, host->dials->disk[i]);
	for (size_t i = 0; !rc && i < c->n_nets; i++)
		rc = open_net(b, c, i, host->dials->net[i]);
	if (!rc)
		rc = open_vsock(b, c, host->dials->vsock);
	if (!rc)
		rc = open_fs(b, c, host->dials->fs);
	if (rc)
		log_error("the board is not complete: %s", strerror(-rc));
	return rc;
}

void board_close(struct board *b)
{
	if (!b)
		return;
	if (b->has_vsock)
		vsock_close(&b->vsock);
	if (b->has_vhost_vsock)
		vhost_vsock_close(&b->vhost_vsock);
	while (b->n_nets)
		net_close(&b->net[--b->n_nets]);
	while (b->n_peers) {
		vhost_user_close(b->peer[--b->n_peers]);
		free(b->peer[b->n_peers]);
	}
	while (b->n_disks)
		blk_close(&b->disk[--b->n_disks]);
	if (b->has_watchdog)
		i6300esb_close(&b->watchdog);
	if (b->has_balloon)
		balloon_close(&b->balloon);
	if (b->has_rng)
		rng_close(&b->rng);
	if (b->has_console) {
		console_close(&b->console);
		chardev_close(&b->console_end);
	}
	if (b->has_debugcon) {
		debugcon_close(&b->debugcon);
		chardev_close(&b->debugcon_end);
	}
	if (b->has_serial) {
		serial_close(&b->serial);
		chardev_close(&b->serial_end);
	}
	if (b->has_fwcfg)
		fwcfg_close(&b->fwcfg);
	if (b->has_bootmark)
		bootmark_close(&b->bootmark);
	if (b->has_pvpanic)
		pvpanic_close(&b->pvpanic);
	if (b->has_rtc)
		rtc_close(&b->rtc);
	if (b->has_q35)
		q35_close(&b->q35);
	free(b);
}
