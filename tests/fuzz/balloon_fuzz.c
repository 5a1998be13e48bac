/* SPDX-License-Identifier: Apache-2.0 */
/*
 * balloon_fuzz: the input is guest memory with the rings of all queues, served
 * by the balloon's own handler in this thread. Memory stays as large as it is,
 * and what is not RAM stays as it was, whatever the requests say.
 */
#include <stdlib.h>
#include <sys/stat.h>

#include "devices/balloon.h"
#include "tests/bare_board.h"

#define RAM (64 * KIB)
#define ROM 0x80000ull
#define ROM_BYTES (16 * KIB)
#define ROUNDS 8
#define HEAD 6

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct world {
	struct bare_board board;
	struct event event;
	struct balloon balloon;
};

static struct world *world_open(void)
{
	struct world *w = calloc(1, sizeof(*w));

	CHECK(w);
	bare_board_open(&w->board, RAM);
	CHECK(!event_open(&w->event));
	CHECK(!gmem_add(&w->board.mem, (gpa_t){ ROM }, ROM_BYTES, GMEM_ROM,
			"rom"));
	CHECK(!gmem_fill(&w->board.mem, (gpa_t){ ROM }, 0xa5, ROM_BYTES));
	CHECK(!balloon_attach(&w->balloon, &w->board.pci, 8, &w->board.mem,
			      &w->board.irq, &w->event, NULL));
	return w;
}

/* In the place of the worker, which is held as no driver is there. */
static void serve(struct balloon *b)
{
	struct balloon_counts c;

	/* As if it were not: serve_all looks. */
	atomic_store(&b->vdev.queue[0].worker.held, false);
	for (int i = 0; i < ROUNDS; i++) {
		if (b->vdev.ops->serve_all(&b->vdev))
			break;
		balloon_count(b, &c);
		CHECK(c.actual_bytes <= RAM && c.target_bytes <= RAM);
		atomic_store(&b->stats_wanted, true);
	}
}

static void check_memory(const struct gmem *m)
{
	struct stat st;
	uint8_t byte;

	for (size_t i = 0; i < m->n; i++)
		CHECK(!fstat(m->r[i].fd, &st) &&
		      (uint64_t)st.st_size == m->r[i].size);
	for (uint64_t at = 0; at < ROM_BYTES; at += GMEM_PAGE)
		CHECK(!gmem_read(m, (gpa_t){ ROM + at }, &byte, 1) &&
		      byte == 0xa5);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct world *w;
	struct balloon *b;

	if (!w)
		w = world_open();
	if (len < HEAD)
		return 0;
	b = &w->balloon;
	b->vdev.ops->reset(&b->vdev);
	b->vdev.accepted = data[0] | VIRTIO_F_INDIRECT_DESC;
	(void)b->vdev.ops->config_write(&b->vdev, data[1], data + 2, 4);
	CHECK(!gmem_fill(&w->board.mem, (gpa_t){ 0 }, 0, RAM));
	CHECK(!gmem_load(&w->board.mem, (gpa_t){ 0 }, data + HEAD,
			 (size_t)min_u64(len - HEAD, RAM)));
	for (unsigned i = 0; i < BALLOON_QUEUES; i++) {
		const struct virtq_setup at = {
			16,
			{ 0x400ull * i },
			{ 0x400ull * i + 0x200 },
			{ 0x400ull * i + 0x300 },
		};

		CHECK(!virtq_open(&b->vdev.queue[i].ring, &w->board.mem, &at,
				  b->vdev.accepted));
		b->vdev.queue[i].enabled = true;
	}
	serve(b);
	check_memory(&w->board.mem);
	return 0;
}
