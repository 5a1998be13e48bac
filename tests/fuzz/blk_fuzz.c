/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blk_fuzz: the input is guest memory with a ring of block requests, served by
 * the disk's own handler in this thread. The disk keeps its size, and one that
 * is read-only keeps its bytes, whatever the requests say.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devices/blk.h"
#include "tests/bare_board.h"

#define RAM (64 * KIB)
#define DISK (128 * KIB)
#define ROUNDS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct world {
	struct bare_board board;
	struct blk disk[2]; /* the second is read-only */
	int fd[2];
};

static void disk_open(struct world *w, unsigned i)
{
	char path[32];
	struct blk_config cfg = {
		.path = path, .id = "disk", .readonly = i, .queues = 1
	};

	w->fd[i] = memfd_create("disk", MFD_CLOEXEC);
	CHECK(w->fd[i] >= 0 && !ftruncate(w->fd[i], DISK));
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", w->fd[i]);
	CHECK(!blk_attach(&w->disk[i], &cfg, &w->board.pci,
			  (uint8_t)(8 * (i + 1)), &w->board.mem, &w->board.irq,
			  NULL));
}

static struct world *world_open(void)
{
	struct world *w = calloc(1, sizeof(*w));

	CHECK(w);
	bare_board_open(&w->board, RAM);
	disk_open(w, 0);
	disk_open(w, 1);
	return w;
}

/* In the place of the queue's worker, which is held as no driver is there. */
static void serve(struct blk *b, struct vqueue *q)
{
	for (int i = 0; i < ROUNDS; i++) {
		uint32_t written = 0;
		uint16_t head;
		uint64_t room;

		if (virtq_take(&q->ring, &q->chain) != 1)
			return;
		head = q->chain.head;
		room = chain_in_len(&q->chain);
		if (b->vdev.ops->request(&b->vdev, &q->chain, &written))
			return;
		CHECK(written <= room);
		if (virtq_give(&q->ring, head, written))
			return;
	}
}

/* A request or two, then they wait. */
static const struct rates no_limit, few = { .ops = 1, .ops_burst = 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct virtq_setup at = {
		16, { 0 }, { 0x200 }, { 0x300 }
	};
	static struct world *w;
	struct stat st;
	struct vqueue *q;
	struct blk *b;
	uint8_t byte;

	if (!w)
		w = world_open();
	if (len < 1)
		return 0;
	b = &w->disk[data[0] & 1];
	q = &b->vdev.queue[0];
	b->vdev.accepted = data[0] & 2 ? 1ull << 9 : 0; /* FLUSH */
	CHECK(!gmem_fill(&w->board.mem, (gpa_t){ 0 }, 0, RAM));
	CHECK(!gmem_load(&w->board.mem, (gpa_t){ 0 }, data + 1,
			 (size_t)min_u64(len - 1, RAM)));
	CHECK(!virtq_open(&q->ring, &w->board.mem, &at,
			  VIRTIO_F_INDIRECT_DESC));
	blk_set_limit(b, data[0] & 4 ? &few : &no_limit);
	serve(b, q);
	CHECK(!fstat(w->fd[data[0] & 1], &st) && st.st_size == DISK);
	/* The read-only disk began as zeroes. */
	CHECK(pread(w->fd[1], &byte, 1, data[len - 1] * 512) == 1);
	CHECK(byte == 0);
	return 0;
}
