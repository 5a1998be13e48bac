/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vsock_conn: one connection between a Unix socket and a port of the guest's:
 * how much either side may still send, what waits in between, and which ends
 * are shut. The guest's numbers are claims: what it says of its own room can
 * only slow or lose its own data, what it sends beyond ours is refused. The
 * process at the Unix socket may stall or go at any time. Used by the vsock
 * device's worker alone.
 */
#ifndef CARREL_DEVICES_VSOCK_CONN_H
#define CARREL_DEVICES_VSOCK_CONN_H

#include <sys/queue.h>
#include <sys/uio.h>

#include "devices/virtq.h"
#include "devices/vsock_packet.h"

/* What the guest may send and the host has not taken yet, at most. */
#define VSOCK_BUF (128 * KIB)
/* Of one packet to the guest; a driver's buffer is mostly smaller. */
#define VSOCK_PAYLOAD_MAX (64 * KIB)

enum conn_state {
	CONN_FREE,
	CONN_LINE, /* a client has not said yet which port: no guest's affair */
	CONN_ASKED, /* the guest is asked to take it */
	CONN_DIALED, /* the guest asked; the dialer connects */
	CONN_OPEN,
	CONN_DRAIN, /* the guest is done with it; its last bytes go out */
	CONN_RESET, /* no host side any more; the guest is yet to hear of it */
	CONN_STATES
};

struct conn {
	enum conn_state state;
	uint32_t gen; /* changes with each use of the slot */
	int fd; /* -1: none */
	uint32_t host_port, guest_port;
	/* Towards the guest (5.10.6.3): its room, what it took, what we sent */
	uint32_t peer_room, peer_taken, sent;
	/* From the guest: received, given to the host, the guest knows of */
	uint32_t received, given, told;
	uint8_t *buf; /* received and not given: a ring; NULL: empty */
	size_t at, len;
	bool readable, writable; /* until fd says EAGAIN */
	bool eof; /* the client sends no more */
	bool gone; /* nor does it read */
	uint32_t guest_shut, told_shut; /* VSOCK_SHUT_*: heard, and said */
	bool ask, answer; /* a REQUEST, a RESPONSE is to be sent */
	bool credit_due; /* a CREDIT_UPDATE is */
	bool credit_asked; /* a CREDIT_REQUEST was; no answer yet */
	bool named; /* its ports are in the table */
	bool pending; /* is in the table's list of those with a packet */
	uint64_t deadline_ns; /* 0: none */
	TAILQ_ENTRY(conn) by_turn, by_deadline;
	LIST_ENTRY(conn) by_ports;
};

/* Bytes that the guest has room for. */
uint32_t conn_credit(const struct conn *c);

/* Any packet of the guest's on this connection: its side of the credit. */
void conn_hear(struct conn *c, const struct vsock_header *h);

/*
 * The guest's len bytes of payload, which the chain has: to the host as far as
 * it takes them, the rest into the buffer. -EPROTO: more than there was room
 * for; -ENOMEM: none for a buffer; others break the device.
 */
int conn_take(struct conn *c, struct chain *chain, const struct gmem *mem,
	      uint32_t len) MUST_USE;

/* The buffer to the host, as far as it goes. */
void conn_flush(struct conn *c);

/* What the guest shut is shut at the host once the buffer is empty. */
void conn_pass_shut(struct conn *c);

/* The host reads no more: what waits, and what comes, counts as given. */
void conn_lose_reader(struct conn *c);

/* Up to iov's bytes from the host: how many; 0: none now, or no more. */
size_t conn_read(struct conn *c, const struct iovec *iov, int n);

/* The packet that the guest is to get next; VSOCK_OP_INVALID: none. */
enum vsock_op conn_next(const struct conn *c);

/* The SHUTDOWN flags that describe the host's side. */
uint32_t conn_host_shut(const struct conn *c);

/* That packet was put into h, but for addresses and payload. */
void conn_said(struct conn *c, enum vsock_op op, uint32_t len,
	       struct vsock_header *h);

/* The host's side: closed, and what it had not taken is gone. */
void conn_hang_up(struct conn *c);

#endif
