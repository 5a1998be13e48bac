/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhost_msg: messages of the vhost-user protocol (QEMU, docs/interop/
 * vhost-user.rst), in the machine's own byte order as that says. What the peer
 * sends is hostile: it has to be the answer that was asked for, of the length
 * that belongs to it, with as many descriptors as belong to it. Anything else
 * is -EPROTO, and after that the connection is good for nothing.
 */
#ifndef CARREL_DEVICES_VHOST_MSG_H
#define CARREL_DEVICES_VHOST_MSG_H

#include <assert.h>
#include <stdint.h>

#include "vmm/num.h"

/* "Front-end message types" */
enum vhost_request {
	VHOST_GET_FEATURES = 1,
	VHOST_SET_FEATURES = 2,
	VHOST_SET_OWNER = 3,
	VHOST_SET_MEM_TABLE = 5,
	VHOST_SET_VRING_NUM = 8,
	VHOST_SET_VRING_ADDR = 9,
	VHOST_SET_VRING_BASE = 10,
	VHOST_GET_VRING_BASE = 11,
	VHOST_SET_VRING_KICK = 12,
	VHOST_SET_VRING_CALL = 13,
	VHOST_GET_PROTOCOL_FEATURES = 15,
	VHOST_SET_PROTOCOL_FEATURES = 16,
	VHOST_GET_QUEUE_NUM = 17,
	VHOST_SET_VRING_ENABLE = 18,
	VHOST_SET_BACKEND_REQ_FD = 21,
	VHOST_GET_CONFIG = 24,
	VHOST_GET_INFLIGHT_FD = 31,
	VHOST_SET_INFLIGHT_FD = 32,
};

/* "Back-end message types": the one that we let it send. */
#define VHOST_BACKEND_CONFIG_CHANGE 2

/* "Protocol features": those that we know what to do with. */
#define VHOST_P_MQ (1ull << 0)
#define VHOST_P_REPLY_ACK (1ull << 3)
#define VHOST_P_BACKEND_REQ (1ull << 5)
#define VHOST_P_CONFIG (1ull << 9)
#define VHOST_P_INFLIGHT (1ull << 12)
#define VHOST_F_PROTOCOL (1ull << 30) /* a feature: the peer has such */

/* "Header" */
#define VHOST_VERSION 1u
#define VHOST_REPLY (1u << 2)
#define VHOST_NEED_REPLY (1u << 3)

struct vhost_header {
	uint32_t request, flags, size; /* size: of the payload */
};
static_assert(sizeof(struct vhost_header) == 12, "Header");

struct vhost_state {
	uint32_t index, num;
};
static_assert(sizeof(struct vhost_state) == 8, "A vring state description");

struct vhost_addr {
	uint32_t index, flags;
	uint64_t desc, used, avail, log;
};
static_assert(sizeof(struct vhost_addr) == 40, "A vring address description");

#define VHOST_REGIONS 8

struct vhost_region {
	uint64_t guest, size, user, offset;
};

struct vhost_memory {
	uint32_t n, padding;
	struct vhost_region r[VHOST_REGIONS];
};
static_assert(sizeof(struct vhost_memory) == 8 + 32 * VHOST_REGIONS,
	      "Memory regions description");

#define VHOST_CONFIG_BYTES 64

struct vhost_config {
	uint32_t offset, size, flags;
	uint8_t bytes[VHOST_CONFIG_BYTES];
};
#define VHOST_CONFIG_HEAD 12u

struct vhost_inflight {
	uint64_t size, offset;
	uint16_t queues, queue_size;
	uint32_t padding;
};
static_assert(sizeof(struct vhost_inflight) == 24, "Inflight description");

union vhost_payload {
	uint64_t u64;
	struct vhost_state state;
	struct vhost_addr addr;
	struct vhost_memory memory;
	struct vhost_config config;
	struct vhost_inflight inflight;
};

/* On the wire h.size bytes of p follow h without a gap. */
struct vhost_msg {
	struct vhost_header h;
	union vhost_payload p;
};

/*
 * Is h the head of an answer to asked, with a payload of size bytes? Where the
 * peer may say by an empty payload that it cannot: -EOPNOTSUPP.
 */
int vhost_answer(const struct vhost_header *h, uint32_t asked,
		 uint32_t size) MUST_USE;

/*
 * A request of the peer's own: 0 for a change of the configuration, and whether
 * it wants an answer; no payload follows.
 */
int vhost_asked(const struct vhost_header *h, bool acks, bool *answer) MUST_USE;

/* The answers themselves, for what the peer chose in them. */
int vhost_config_ok(const struct vhost_config *asked,
		    const struct vhost_config *got) MUST_USE;
int vhost_inflight_ok(const struct vhost_inflight *asked,
		      const struct vhost_inflight *got, bool fd) MUST_USE;
int vhost_base_ok(const struct vhost_state *asked,
		  const struct vhost_state *got) MUST_USE;

#endif
