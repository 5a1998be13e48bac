/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtq_fuzz: the input is the first pages of guest memory, rings included.
 * Whatever lies in them, a chain is short, its readable part comes first, and
 * what is turned into pointers lies in guest memory.
 */
#include <stdlib.h>

#include "devices/virtq.h"

#define RAM (32 * KIB)
#define ROUNDS 40 /* more than one turn of the largest ring here */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_iov(const struct chain *c, const struct gmem *m,
		      bool to_guest, uint64_t len)
{
	struct iovec iov[VIRTQ_SPANS];
	uint64_t sum = 0, first;
	int n;

	if (gmem_uaddr(m, (gpa_t){ 0 }, RAM, &first) ||
	    chain_iov(c, m, to_guest, iov, &n))
		return;
	CHECK(n == (to_guest ? c->n_in : c->n_out));
	for (int i = 0; i < n; i++) {
		uint64_t start = (uintptr_t)iov[i].iov_base;

		CHECK(range_ok(start - first, iov[i].iov_len, RAM));
		sum += iov[i].iov_len;
	}
	CHECK(sum == len);
}

static int serve(struct virtq *q, struct chain *c)
{
	uint8_t header[16];
	bool flag;
	gpa_t status;
	int rc = virtq_take(q, c);

	if (rc < 0)
		return rc;
	if (!rc)
		return virtq_notify_me(q, true, &flag) ? -1 : flag - 1;
	CHECK(c->n_out + c->n_in >= 1 && c->n_out + c->n_in <= VIRTQ_SPANS);
	(void)!chain_read(c, q->mem, header, sizeof(header));
	(void)!chain_cut_status(c, &status);
	check_iov(c, q->mem, false, chain_out_len(c));
	check_iov(c, q->mem, true, chain_in_len(c));
	(void)!chain_write(c, q->mem, header, sizeof(header));
	rc = virtq_give(q, c->head, 1);
	return rc ? rc : virtq_interrupt(q, &flag);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct gmem m;
	static struct chain c;
	struct virtq_setup at = { .desc = { 0 },
				  .avail = { 0x100 },
				  .used = { 0x140 } };
	uint64_t features = 0;
	struct virtq q = { 0 };

	if (!m.n && gmem_open(&m, RAM))
		abort();
	if (len < 2)
		return 0;
	at.size = (uint16_t)(1u << data[0] % 5);
	if (data[1] & 1)
		features |= VIRTIO_F_EVENT_IDX;
	if (data[1] & 2)
		features |= VIRTIO_F_INDIRECT_DESC;
	CHECK(!gmem_fill(&m, (gpa_t){ 0 }, 0, RAM));
	CHECK(!gmem_load(&m, (gpa_t){ 0 }, data + 2,
			 (size_t)min_u64(len - 2, RAM)));
	CHECK(!virtq_open(&q, &m, &at, features));
	for (int i = 0; i < ROUNDS && !serve(&q, &c); i++)
		;
	return 0;
}
