/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vsock_host: the vsock device's side towards the host: clients of its Unix
 * socket, the dialer's answers, and which sockets are ready. Clients are
 * hostile: they may come in any number, say nothing, stall or go. Used by the
 * worker alone; nothing here touches guest memory.
 */
#ifndef CARREL_DEVICES_VSOCK_HOST_H
#define CARREL_DEVICES_VSOCK_HOST_H

#include "devices/vsock.h"

/* Opens the Unix socket at v->path and what waits for it; -errno, logged. */
int host_open(struct vsock *v) MUST_USE;
void host_close(struct vsock *v);

/* Waits up to that many milliseconds (-1: for ever), and takes in the news. */
void host_poll(struct vsock *v, int timeout_ms);

/* How long it may wait at most. */
int host_patience(const struct vsock *v);

/* Gives up on those who took too long. */
void host_expire(struct vsock *v);

/* The guest's REQUEST for a port of the host's. */
void host_dial(struct vsock *v, const struct vsock_header *h);

/* The guest is done with it, the host has not taken everything yet. */
void host_drain(struct vsock *v, struct conn *c);

/* Hangs up on the host, and lets the guest hear of it by RST. */
void host_reset(struct vsock *v, struct conn *c);

/* A slot is done with. */
void host_free(struct vsock *v, struct conn *c);

/* The guest's driver is gone: with it everything that it knew of. */
void host_cut(struct vsock *v);

#endif
