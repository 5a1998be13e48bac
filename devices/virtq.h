/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtq: the device's side of one split virtqueue (virtio 1.2, 2.7). Both the
 * rings and the descriptors are the guest's to rewrite at any moment, so we
 * keep our positions in our own memory, read each descriptor once, and bound
 * every walk. Any refusal means a broken driver: the caller breaks the device.
 * One thread at a time uses a queue.
 */
#ifndef CARREL_DEVICES_VIRTQ_H
#define CARREL_DEVICES_VIRTQ_H

#include "devices/virtio.h"
#include "vmm/counter.h"
#include "vmm/gmem.h"

#define VIRTQ_SIZE_MAX 256
#define VIRTQ_SPANS VIRTQ_SIZE_MAX /* of one chain, indirect or not */

/* What the driver wrote into the transport's registers. */
struct virtq_setup {
	uint16_t size;
	gpa_t desc, avail, used;
};

struct virtq {
	const struct gmem *mem;
	struct virtq_setup at;
	bool event_idx, indirect; /* negotiated */
	uint16_t taken; /* avail index of the next chain to take */
	uint16_t filled; /* our used index, with entries not yet shown */
	uint16_t published; /* our used index, as the driver sees it */
	uint16_t told; /* used index when we last thought of that */
	uint64_t out_len; /* readable bytes of the chain taken last */
	struct counter moved; /* bytes of buffers given back: read, written */
};

/* A piece of guest memory: not yet checked, gmem does that when it is used. */
struct span {
	gpa_t at;
	uint32_t len;
};

/*
 * One request: spans the device reads, then spans it writes. The functions
 * below eat from both ends, so first and n_* shrink as a request is parsed.
 */
struct chain {
	uint16_t head;
	uint16_t first; /* the first readable span not yet eaten */
	uint16_t n_out; /* readable spans from first on */
	uint16_t n_in; /* writable spans after those */
	struct span s[VIRTQ_SPANS];
};

/*
 * *q is new, but for what it counted. features: what was negotiated. -EINVAL:
 * the size is no power of two up to VIRTQ_SIZE_MAX, or an address is unaligned;
 * -EFAULT: a ring is not in RAM.
 */
int virtq_open(struct virtq *q, const struct gmem *mem,
	       const struct virtq_setup *at, uint64_t features) MUST_USE;

/*
 * Takes the next chain: 1, or 0 when the driver has offered no more. -EBADMSG:
 * index, order, length or flags are wrong; -ELOOP: too long; -EFAULT.
 */
int virtq_take(struct virtq *q, struct chain *c) MUST_USE;

/*
 * Puts the chain taken last back, before any other is taken or given: the next
 * virtq_take reads it anew.
 */
void virtq_untake(struct virtq *q);

/*
 * Another one has served the ring up to position at of both rings, and nothing
 * is in flight: go on there.
 */
void virtq_seek(struct virtq *q, uint16_t at);

/*
 * Fills the next used entry, which the driver does not see yet; publish shows
 * it all that were filled, at once.
 */
int virtq_fill(struct virtq *q, uint16_t head, uint32_t written) MUST_USE;
int virtq_publish(struct virtq *q) MUST_USE;

/* Both. Gives a chain back: written bytes at the start of its writable part. */
int virtq_give(struct virtq *q, uint16_t head, uint32_t written) MUST_USE;

/* Does the driver want to hear of what was given back since last asked? */
int virtq_interrupt(struct virtq *q, bool *yes) MUST_USE;

/*
 * Asks for a notification of the next chain (on), or for peace while we are
 * taking anyway. After asking, *more says that one had slipped in before.
 */
int virtq_notify_me(struct virtq *q, bool on, bool *more) MUST_USE;

/* Bytes left to read, and room left to write. */
uint64_t chain_out_len(const struct chain *c);
uint64_t chain_in_len(const struct chain *c);

/* Copies the next len readable bytes out; -EBADMSG: there are fewer. */
int chain_read(struct chain *c, const struct gmem *mem, void *dst,
	       size_t len) MUST_USE;

/* Passes over the next len readable bytes; -EBADMSG: there are fewer. */
int chain_skip(struct chain *c, uint64_t len) MUST_USE;

/* Fills the first len writable bytes, for short answers; once a chain. */
int chain_write(const struct chain *c, const struct gmem *mem, const void *src,
		size_t len) MUST_USE;

/* Cuts off the last writable byte, where a status goes; -EBADMSG: none. */
int chain_cut_status(struct chain *c, gpa_t *status) MUST_USE;

/*
 * The readable (or, to_guest, the writable) spans that are left, as checked
 * iovecs for the kernel to copy from or to. iov has room for VIRTQ_SPANS.
 */
int chain_iov(const struct chain *c, const struct gmem *mem, bool to_guest,
	      struct iovec *iov, int *n) MUST_USE;

#endif
