/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vsock_table: every connection of a vsock device, found by slot or by its two
 * ports, those that have a packet for the guest in the order of their turn, and
 * those that wait for something in the order of their deadlines. Fixed in size:
 * neither the guest nor clients can make it grow.
 */
#ifndef CARREL_DEVICES_VSOCK_TABLE_H
#define CARREL_DEVICES_VSOCK_TABLE_H

#include "devices/vsock_conn.h"

#define VSOCK_CONNS 1024
#define VSOCK_BUCKETS 1024

/* How long a client may take to name a port, and the guest to answer. */
#define VSOCK_PATIENCE_NS 10000000000ull

TAILQ_HEAD(conn_list, conn);
LIST_HEAD(conn_bucket, conn);

struct vsock_table {
	struct conn *slot; /* VSOCK_CONNS */
	unsigned used;
	unsigned free_at; /* where to look for a free one first */
	uint32_t next_port; /* of the host's, for the next CONNECT */
	struct conn_list turns, deadlines;
	struct conn_bucket bucket[VSOCK_BUCKETS];
};

int table_open(struct vsock_table *t) MUST_USE;
void table_close(struct vsock_table *t); /* hangs up on everybody */

/* A slot with nothing but that state and that descriptor; NULL: full. */
struct conn *table_new(struct vsock_table *t, enum conn_state state,
		       int fd) MUST_USE;
void table_free(struct vsock_table *t, struct conn *c);

/* A slot's number, as an event or the dialer names it, and back (NULL: gone) */
uint64_t table_tag(const struct vsock_table *t, const struct conn *c);
struct conn *table_tagged(const struct vsock_table *t, uint64_t tag);

/* Its ports are known now; or no longer its own. */
void table_name(struct vsock_table *t, struct conn *c, uint32_t host_port,
		uint32_t guest_port);
void table_unname(struct vsock_table *t, struct conn *c);
struct conn *table_find(const struct vsock_table *t, uint32_t host_port,
			uint32_t guest_port);

/* A port of the host's that no other connection to guest_port has. */
uint32_t table_host_port(struct vsock_table *t, uint32_t guest_port);

/* Puts c in line, if it has a packet for the guest and is not in yet. */
void table_pend(struct vsock_table *t, struct conn *c);
struct conn *table_next(struct vsock_table *t); /* NULL: nobody's turn */

/* It is given up on unless table_arrived comes first. */
void table_expect(struct vsock_table *t, struct conn *c, uint64_t now_ns);
void table_arrived(struct vsock_table *t, struct conn *c);
/* The one that is overdue; NULL: none. */
struct conn *table_overdue(const struct vsock_table *t, uint64_t now_ns);
/* Milliseconds to the first deadline, at least 1; -1: there is none. */
int table_patience(const struct vsock_table *t, uint64_t now_ns);
/* Nobody could have answered for so long: all deadlines are that much later. */
void table_postpone(struct vsock_table *t, uint64_t ns);

#endif
