/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vsock_table: see the header. All deadlines are equally far away when they
 * are set, so the list of them is in order without sorting.
 */
#include "devices/vsock_table.h"

#include <errno.h>
#include <stdlib.h>

#include "vmm/clock.h"

/* Host ports of clients: 2^30 to 2^31, where Firecracker has them, too. */
#define PORT_FIRST 0x40000000u
#define PORT_LAST 0x7fffffffu

int table_open(struct vsock_table *t)
{
	*t = (struct vsock_table){ .next_port = PORT_FIRST };
	TAILQ_INIT(&t->turns);
	TAILQ_INIT(&t->deadlines);
	for (size_t i = 0; i < VSOCK_BUCKETS; i++)
		LIST_INIT(&t->bucket[i]);
	t->slot = calloc(VSOCK_CONNS, sizeof(t->slot[0]));
	return t->slot ? 0 : -ENOMEM;
}

void table_close(struct vsock_table *t)
{
	for (size_t i = 0; t->slot && i < VSOCK_CONNS; i++)
		if (t->slot[i].state != CONN_FREE)
			conn_hang_up(&t->slot[i]);
	free(t->slot);
	t->slot = NULL;
}

struct conn *table_new(struct vsock_table *t, enum conn_state state, int fd)
{
	if (t->used == VSOCK_CONNS)
		return NULL;
	for (;;) {
		struct conn *c = &t->slot[t->free_at];

		t->free_at = (t->free_at + 1) % VSOCK_CONNS;
		if (c->state != CONN_FREE)
			continue;
		*c = (struct conn){ .state = state, .gen = c->gen, .fd = fd };
		t->used++;
		return c;
	}
}

void table_free(struct vsock_table *t, struct conn *c)
{
	CHECK(c->state != CONN_FREE);
	conn_hang_up(c);
	table_unname(t, c);
	table_arrived(t, c);
	if (c->pending)
		TAILQ_REMOVE(&t->turns, c, by_turn);
	*c = (struct conn){ .gen = c->gen + 1, .fd = -1 };
	t->used--;
}

uint64_t table_tag(const struct vsock_table *t, const struct conn *c)
{
	return (uint64_t)c->gen << 32 | (uint64_t)(c - t->slot);
}

struct conn *table_tagged(const struct vsock_table *t, uint64_t tag)
{
	uint32_t i = (uint32_t)tag;

	if (i >= VSOCK_CONNS || t->slot[i].state == CONN_FREE ||
	    t->slot[i].gen != tag >> 32)
		return NULL;
	return &t->slot[i];
}

/*
 * A guest that knows this sum can have all its connections in one bucket; with
 * VSOCK_CONNS of them a walk costs less than the packet that caused it.
 */
static size_t bucket_of(uint32_t host_port, uint32_t guest_port)
{
	return (host_port * 31 + guest_port) % VSOCK_BUCKETS;
}

void table_name(struct vsock_table *t, struct conn *c, uint32_t host_port,
		uint32_t guest_port)
{
	c->host_port = host_port;
	c->guest_port = guest_port;
	c->named = true;
	LIST_INSERT_HEAD(&t->bucket[bucket_of(host_port, guest_port)], c,
			 by_ports);
}

void table_unname(struct vsock_table *t, struct conn *c)
{
	(void)t;
	if (c->named)
		LIST_REMOVE(c, by_ports);
	c->named = false;
}

struct conn *table_find(const struct vsock_table *t, uint32_t host_port,
			uint32_t guest_port)
{
	struct conn *c;

	LIST_FOREACH(c, &t->bucket[bucket_of(host_port, guest_port)], by_ports)
	if (c->host_port == host_port && c->guest_port == guest_port)
		return c;
	return NULL;
}

uint32_t table_host_port(struct vsock_table *t, uint32_t guest_port)
{
	uint32_t port;

	/* At most VSOCK_CONNS can be taken. */
	do {
		port = t->next_port;
		t->next_port = port == PORT_LAST ? PORT_FIRST : port + 1;
	} while (table_find(t, port, guest_port));
	return port;
}

void table_pend(struct vsock_table *t, struct conn *c)
{
	if (c->pending || conn_next(c) == VSOCK_OP_INVALID)
		return;
	c->pending = true;
	TAILQ_INSERT_TAIL(&t->turns, c, by_turn);
}

struct conn *table_next(struct vsock_table *t)
{
	struct conn *c = TAILQ_FIRST(&t->turns);

	if (!c)
		return NULL;
	TAILQ_REMOVE(&t->turns, c, by_turn);
	c->pending = false;
	return c;
}

void table_expect(struct vsock_table *t, struct conn *c, uint64_t now_ns)
{
	table_arrived(t, c);
	c->deadline_ns = now_ns + VSOCK_PATIENCE_NS;
	TAILQ_INSERT_TAIL(&t->deadlines, c, by_deadline);
}

void table_arrived(struct vsock_table *t, struct conn *c)
{
	if (c->deadline_ns)
		TAILQ_REMOVE(&t->deadlines, c, by_deadline);
	c->deadline_ns = 0;
}

struct conn *table_overdue(const struct vsock_table *t, uint64_t now_ns)
{
	struct conn *c = TAILQ_FIRST(&t->deadlines);

	return c && c->deadline_ns <= now_ns ? c : NULL;
}

int table_patience(const struct vsock_table *t, uint64_t now_ns)
{
	const struct conn *c = TAILQ_FIRST(&t->deadlines);

	if (!c)
		return -1;
	if (c->deadline_ns <= now_ns)
		return 1;
	return (int)((c->deadline_ns - now_ns) / CLOCK_NS_PER_MS) + 1;
}

void table_postpone(struct vsock_table *t, uint64_t ns)
{
	struct conn *c;

	TAILQ_FOREACH(c, &t->deadlines, by_deadline)
	c->deadline_ns += ns;
}
