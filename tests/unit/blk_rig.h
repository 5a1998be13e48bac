/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blk_rig: a disk on the board of virtio_rig, its file, and a driver's request.
 * The file on the host is the independent witness.
 */
#ifndef CARREL_TESTS_UNIT_BLK_RIG_H
#define CARREL_TESTS_UNIT_BLK_RIG_H

#include "tests/unit/virtio_rig.h"

#include <stdio.h>
#include <stdlib.h>

#include "devices/blk.h"

#define F_RO (1ull << 5)
#define F_FLUSH (1ull << 9)
#define FEATURES                                                               \
	(VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | F_FLUSH | 1ull << 12 |  \
	 1ull << 13 | 1ull << 14)
#define DISK_BYTES (256 * KIB)
#define SECTORS (DISK_BYTES / 512)

/* Where the pieces of a request lie. */
#define HEADER RIG_DATA
#define STATUS (RIG_DATA + 0x100)
#define DATA (RIG_DATA + 0x1000)
#define NO_STATUS 0xee

#define W VRING_DESC_WRITE
#define N VRING_DESC_NEXT

struct world {
	struct rig rig;
	struct blk blk;
	char path[32];
	int fd; /* the witness */
};

static inline struct world *world_open(bool readonly, unsigned queues)
{
	static struct world w;
	struct blk_config cfg = {
		.id = "disk-under-test-0123456", /* longer than 20 */
		.readonly = readonly,
		.queues = queues,
	};
	uint8_t b[DISK_BYTES];

	rig_open(&w.rig);
	(void)snprintf(w.path, sizeof(w.path), "/tmp/blk_test.XXXXXX");
	w.fd = mkstemp(w.path);
	assert_true(w.fd >= 0);
	for (size_t i = 0; i < sizeof(b); i++)
		b[i] = (uint8_t)(i / 512 + i % 512 * 3 + 1);
	assert_int_equal(pwrite(w.fd, b, sizeof(b), 0), sizeof(b));
	cfg.path = w.path;
	assert_int_equal(blk_attach(&w.blk, &cfg, &w.rig.pci, RIG_DEVFN,
				    &w.rig.mem, &w.rig.irq, NULL),
			 0);
	rig_place(&w.rig);
	rig_msix(&w.rig, &w.blk.pci.msix);
	return &w;
}

static inline int setup(void **state)
{
	struct world *w = world_open(false, 2);

	*state = w;
	rig_start(&w->rig, FEATURES, 2);
	return 0;
}

static inline int setup_readonly(void **state)
{
	struct world *w = world_open(true, 1);

	*state = w;
	rig_start(&w->rig, VIRTIO_F_VERSION_1 | F_RO, 1);
	return 0;
}

static inline int teardown(void **state)
{
	struct world *w = *state;

	blk_close(&w->blk);
	rig_close(&w->rig);
	close(w->fd);
	unlink(w->path);
	return 0;
}

static inline void put_header(struct rig *r, uint32_t type, uint64_t sector)
{
	uint8_t h[16] = { 0 }, none = NO_STATUS;

	put_le32(h, type);
	put_le64(h + 8, sector);
	assert_int_equal(gmem_write(&r->mem, at(HEADER), h, 16), 0);
	assert_int_equal(gmem_write(&r->mem, at(STATUS), &none, 1), 0);
}

static inline uint8_t get_status(struct rig *r)
{
	uint8_t s;

	assert_int_equal(gmem_read(&r->mem, at(STATUS), &s, 1), 0);
	return s;
}

/* Header, data (if len) and status as three buffers; the status byte. */
static inline uint8_t request(struct rig *r, uint16_t q, uint32_t type,
			      uint64_t sector, uint32_t len, bool to_guest,
			      uint32_t *used)
{
	put_header(r, type, sector);
	rig_desc(r, RIG_DESC(q), 0, HEADER, 16, N, len ? 1 : 2);
	rig_desc(r, RIG_DESC(q), 1, DATA, len, to_guest ? N | W : N, 2);
	rig_desc(r, RIG_DESC(q), 2, STATUS, 1, W, 0);
	rig_offer(r, q, 0);
	rig_kick(r, q);
	assert_true(rig_wait(r, q, used));
	assert_int_equal(rig_status(r), 15);
	return get_status(r);
}

#endif
