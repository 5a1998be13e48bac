/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vsock_packet: numbers and wire structures of the virtio socket device
 * (virtio 1.2, 5.10). Every host that runs SEV guests is little-endian, as is
 * virtio. Nothing here is trusted or checked: users cite and check.
 */
#ifndef CARREL_DEVICES_VSOCK_PACKET_H
#define CARREL_DEVICES_VSOCK_PACKET_H

#include <assert.h>
#include <stdint.h>

/* Queues (5.10.2). */
#define VSOCK_RX 0
#define VSOCK_TX 1
#define VSOCK_EVENT 2
#define VSOCK_QUEUES 3

/* The host's address (5.10.4); a guest's is from 3 up. */
#define VSOCK_HOST_CID 2

/* Packet types (5.10.6): sequential packets are not offered. */
#define VSOCK_TYPE_STREAM 1

/* Operations (5.10.6). */
enum vsock_op {
	VSOCK_OP_INVALID,
	VSOCK_OP_REQUEST,
	VSOCK_OP_RESPONSE,
	VSOCK_OP_RST,
	VSOCK_OP_SHUTDOWN,
	VSOCK_OP_RW,
	VSOCK_OP_CREDIT_UPDATE,
	VSOCK_OP_CREDIT_REQUEST,
	VSOCK_OPS
};

/* Flags of SHUTDOWN (5.10.6.5): the sender will not receive, not send. */
#define VSOCK_SHUT_RCV 1u
#define VSOCK_SHUT_SEND 2u
#define VSOCK_SHUT_BOTH (VSOCK_SHUT_RCV | VSOCK_SHUT_SEND)

/* Events (5.10.6.7). */
#define VSOCK_EVENT_TRANSPORT_RESET 0

struct vsock_header {
	uint64_t src_cid, dst_cid;
	uint32_t src_port, dst_port;
	uint32_t len; /* of the payload that follows */
	uint16_t type, op;
	uint32_t flags;
	/* 5.10.6.3: room that the sender has, and what it has taken out. */
	uint32_t buf_alloc, fwd_cnt;
} __attribute__((packed));
static_assert(sizeof(struct vsock_header) == 44, "virtio 1.2, 5.10.6");

struct vsock_event {
	uint32_t id;
};
static_assert(sizeof(struct vsock_event) == 4, "virtio 1.2, 5.10.6.7");

#endif
