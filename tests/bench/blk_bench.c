/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blk_bench FILE: requests a second of a disk's two possible engines, a thread
 * a queue with plain system calls (what devices/blk.c does; one queue and four)
 * and io_uring (one queue). The
 * guest is a thread that keeps a ring in memory full, as a driver would, and
 * sleeps on the interrupt; in brackets, interrupts a hundred requests. FILE is
 * overwritten; 256 MiB are enough.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>

#include "devices/blk.h"
#include "tests/bare_board.h"
#include "tests/bench/uring.h"

#define RAM (64 * MIB)
#define FILE_BYTES (256 * MIB)
#define RING 64u /* requests of one queue, at most */
#define QUEUES 4u
#define PART(q, off) (0x10000u * (q) + (off))
#define DESC(q) PART(q, 0x1000u)
#define AVAIL(q) PART(q, 0x2000u)
#define USED(q) PART(q, 0x3000u)
#define HEADERS(q) PART(q, 0x4000u) /* 16 bytes a request */
#define STATUSES(q) PART(q, 0x5000u)
#define DATA 0x100000u /* 128 KiB a request */
#define DATA_STEP 0x20000u
#define SECONDS 1.0
#define ROUNDS 5

struct load {
	const char *name;
	uint32_t bytes; /* a request */
	unsigned depth; /* requests in flight */
	bool write, direct;
};

struct rate {
	double requests, irqs; /* a second, and for each of those */
};

struct bench {
	struct bare_board board;
	struct blk disk;
	int irq_fd; /* what the guest sleeps on */
	_Atomic(uint64_t) irqs;
	const struct load *load;
	unsigned queues; /* that the guest uses */
	uint16_t offered[QUEUES], seen[QUEUES];
	/* The io_uring engine. */
	struct uring uring;
	struct virtq ring;
	struct chain chain[RING];
	struct iovec iov[RING];
	gpa_t status[RING];
	int kick_fd;
	uint64_t kicks;
	_Atomic(bool) stop;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void ring_bell(int fd)
{
	CHECK(write(fd, &(uint64_t){ 1 }, 8) == 8);
}

static void interrupt(void *ctx, const struct vqueue *q)
{
	struct bench *b = ctx;

	(void)q;
	b->irqs++;
	ring_bell(b->irq_fd);
}

static void config_interrupt(void *ctx)
{
	(void)ctx;
	CHECK(!"the device broke");
}

/* The guest's side. */

static gpa_t at(uint64_t v)
{
	return (gpa_t){ v };
}

static void put_desc(struct bench *b, uint64_t table, unsigned i, uint64_t addr,
		     uint32_t len, unsigned flags)
{
	struct vring_desc d = { addr, len, (uint16_t)flags, (uint16_t)(i + 1) };

	CHECK(!gmem_write(&b->board.mem, at(table + 16ull * i), &d, sizeof(d)));
}

/* Request i of a queue is the chain that starts at descriptor 3 * i. */
static void guest_prepare(struct bench *b, unsigned queues)
{
	const struct load *l = b->load;

	CHECK(!gmem_fill(&b->board.mem, at(0), 0, DATA));
	b->queues = queues;
	for (unsigned n = 0; n < l->depth; n++) {
		unsigned q = n % queues, i = n / queues;
		uint64_t t = DESC(q);

		put_desc(b, t, 3 * i, HEADERS(q) + 16 * i, 16, 1);
		put_desc(b, t, 3 * i + 1, DATA + DATA_STEP * n, l->bytes,
			 l->write ? 1 : 3);
		put_desc(b, t, 3 * i + 2, STATUSES(q) + i, 1, 2);
	}
}

static void guest_offer(struct bench *b, unsigned q, unsigned i)
{
	uint64_t places = FILE_BYTES / b->load->bytes;
	uint8_t h[16] = { b->load->write };
	uint16_t slot = b->offered[q] % 256;

	put_le64(h + 8, (uint64_t)random() % places * (b->load->bytes / 512));
	CHECK(!gmem_write(&b->board.mem, at(HEADERS(q) + 16 * i), h, 16));
	CHECK(!gmem_store16(&b->board.mem, at(AVAIL(q) + 4 + 2u * slot),
			    (uint16_t)(3 * i)));
	b->offered[q]++;
	CHECK(!gmem_store16(&b->board.mem, at(AVAIL(q) + 2), b->offered[q]));
}

/* Offers again all that came back; how many that were. */
static unsigned guest_collect(struct bench *b, unsigned q)
{
	struct vring_used_elem e;
	unsigned n = 0;
	uint8_t status;
	uint16_t idx;

	CHECK(!gmem_load16(&b->board.mem, at(USED(q) + 2), &idx));
	for (; b->seen[q] != idx; b->seen[q]++, n++) {
		uint64_t slot = b->seen[q] % 256;

		CHECK(!gmem_read(&b->board.mem, at(USED(q) + 4 + 8 * slot), &e,
				 sizeof(e)));
		CHECK(!gmem_read(&b->board.mem, at(STATUSES(q) + e.id / 3),
				 &status, 1));
		CHECK(status == 0);
		guest_offer(b, q, e.id / 3);
	}
	return n;
}

/* used_event: tell us of the next; then look once more, and kick. */
static unsigned guest_poll(struct bench *b, const int *kick_fd)
{
	unsigned sum = 0;

	for (unsigned q = 0; q < b->queues; q++) {
		unsigned n = guest_collect(b, q);

		CHECK(!gmem_store16(&b->board.mem, at(AVAIL(q) + 4 + 2 * 256),
				    b->seen[q]));
		atomic_thread_fence(memory_order_seq_cst);
		n += guest_collect(b, q);
		if (n)
			ring_bell(kick_fd[q]);
		sum += n;
	}
	return sum;
}

static struct rate guest_run(struct bench *b, const int *kick_fd)
{
	double start = now(), end = start + SECONDS;
	uint64_t total = 0, n;

	b->irqs = 0;
	for (unsigned q = 0; q < QUEUES; q++)
		b->offered[q] = b->seen[q] = 0;
	for (unsigned i = 0; i < b->load->depth; i++)
		guest_offer(b, i % b->queues, i / b->queues);
	for (unsigned q = 0; q < b->queues; q++)
		ring_bell(kick_fd[q]);
	while (now() < end) {
		unsigned done = guest_poll(b, kick_fd);

		total += done;
		if (!done)
			CHECK(read(b->irq_fd, &n, 8) == 8);
	}
	return (struct rate){ (double)total / (now() - start),
			      (double)b->irqs / (double)total };
}

/* The engines. */

static struct virtq_setup setup(unsigned q)
{
	return (struct virtq_setup){ 256, at(DESC(q)), at(AVAIL(q)),
				     at(USED(q)) };
}

static struct rate run_threads(struct bench *b)
{
	struct vdev *d = &b->disk.vdev;
	int kick_fd[QUEUES];
	struct rate rate;

	vdev_set_status(d, 3);
	vdev_accept(d, 0, (uint32_t)VIRTIO_F_EVENT_IDX | 1u << 9);
	vdev_accept(d, 1, 1);
	vdev_set_status(d, 11);
	for (unsigned q = 0; q < b->queues; q++) {
		struct virtq_setup s = setup(q);

		vdev_setup_queue(d, q, &s);
		vdev_enable_queue(d, q);
		kick_fd[q] = d->queue[q].worker.kick_fd;
	}
	vdev_set_status(d, 15);
	rate = guest_run(b, kick_fd);
	vdev_reset(d);
	return rate;
}

static void uring_kick(struct bench *b)
{
	struct io_uring_sqe e = { .opcode = IORING_OP_READ,
				  .fd = b->kick_fd,
				  .addr = (uintptr_t)&b->kicks,
				  .len = 8,
				  .user_data = RING };

	uring_put(&b->uring, &e);
}

static void uring_take(struct bench *b)
{
	struct io_uring_sqe e = { .fd = b->disk.file.fd, .len = 1 };
	struct chain tmp;
	unsigned i;
	uint8_t h[16];
	int n;

	while (virtq_take(&b->ring, &tmp) == 1) {
		i = tmp.head / 3;
		b->chain[i].head = tmp.head;
		CHECK(!chain_read(&tmp, &b->board.mem, h, 16));
		CHECK(!chain_cut_status(&tmp, &b->status[i]));
		CHECK(!chain_iov(&tmp, &b->board.mem, h[0] == 0, &b->iov[i],
				 &n));
		e.opcode = h[0] ? IORING_OP_WRITEV : IORING_OP_READV;
		e.off = get_le64(h + 8) * 512;
		e.addr = (uintptr_t)&b->iov[i];
		e.user_data = i;
		uring_put(&b->uring, &e);
	}
}

static void uring_done(struct bench *b, const struct io_uring_cqe *e)
{
	uint64_t i = e->user_data;
	uint8_t ok = 0;
	bool irq;

	CHECK(e->res == (int)b->load->bytes);
	CHECK(!gmem_write(&b->board.mem, b->status[i], &ok, 1));
	CHECK(!virtq_give(&b->ring, b->chain[i].head, 1));
	CHECK(!virtq_interrupt(&b->ring, &irq));
	if (irq)
		interrupt(b, NULL);
}

static void *uring_main(void *arg)
{
	struct bench *b = arg;
	struct io_uring_cqe e;
	unsigned flight = 0;
	bool more;

	uring_kick(b);
	while (!b->stop || flight) {
		uint16_t before = b->ring.taken;

		uring_take(b);
		CHECK(!virtq_notify_me(&b->ring, true, &more));
		flight += (uint16_t)(b->ring.taken - before);
		if (more && !b->stop)
			continue;
		uring_wait(&b->uring);
		while (uring_get(&b->uring, &e)) {
			if (e.user_data == RING) {
				uring_kick(b);
				continue;
			}
			uring_done(b, &e);
			flight--;
		}
	}
	return NULL;
}

static struct rate run_uring(struct bench *b)
{
	struct virtq_setup s = setup(0);
	pthread_t t;
	struct rate rate;

	CHECK(!uring_open(&b->uring, 2 * RING));
	CHECK(!virtq_open(&b->ring, &b->board.mem, &s, VIRTIO_F_EVENT_IDX));
	b->kick_fd = eventfd(0, EFD_CLOEXEC);
	b->stop = false;
	CHECK(!pthread_create(&t, NULL, uring_main, b));
	rate = guest_run(b, &b->kick_fd);
	b->stop = true;
	ring_bell(b->kick_fd);
	pthread_join(t, NULL);
	close(b->kick_fd);
	close(b->uring.fd);
	return rate;
}

static void set_direct(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	CHECK(!fcntl(fd, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT));
}

static struct rate best(struct rate a, struct rate b)
{
	return a.requests > b.requests ? a : b;
}

static void print(struct rate r)
{
	printf(" %9.0f (%3.0f)", r.requests, 100 * r.irqs);
}

/* The best of some rounds, taken in turns: other work disturbs all alike. */
static void compare(struct bench *b, const struct load *l)
{
	struct rate one = { 0 }, four = { 0 }, uring = { 0 };

	b->load = l;
	set_direct(b->disk.file.fd, l->direct);
	for (int i = 0; i < ROUNDS; i++) {
		guest_prepare(b, 1);
		one = best(one, run_threads(b));
		guest_prepare(b, 1);
		uring = best(uring, run_uring(b));
		if (l->depth < QUEUES)
			continue;
		guest_prepare(b, QUEUES);
		four = best(four, run_threads(b));
	}
	printf("%-30s", l->name);
	print(one);
	print(four);
	print(uring);
	puts("");
	(void)fflush(stdout);
}

static void bench_open(struct bench *b, const char *path)
{
	struct blk_config cfg = { .path = path,
				  .id = "bench",
				  .queues = QUEUES };
	int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	CHECK(fd >= 0 && !posix_fallocate(fd, 0, FILE_BYTES));
	bare_board_open(&b->board, RAM);
	CHECK(!blk_attach(&b->disk, &cfg, &b->board.pci, 8, &b->board.mem,
			  &b->board.irq, NULL));
	vdev_set_master(&b->disk.vdev, true);
	b->irq_fd = eventfd(0, EFD_CLOEXEC);
	b->disk.vdev.transport = (struct vdev_transport){
		.queue_interrupt = interrupt,
		.config_interrupt = config_interrupt,
		.ctx = b,
	};
	/* Written once, so that reads find blocks and the cache is warm. */
	for (uint64_t off = 0; off < FILE_BYTES; off += MIB) {
		struct iovec v;
		struct backing_span s = { &v, 1, off };

		CHECK(!gmem_iov(&b->board.mem, at(DATA), MIB, false, &v));
		CHECK(!backing_write(&b->disk.file, &s));
	}
	CHECK(!backing_flush(&b->disk.file));
	close(fd);
}

int main(int argc, char **argv)
{
	static const struct load loads[] = {
		{ "cached read 4 KiB, depth 1", 4096, 1, false, false },
		{ "cached read 4 KiB, depth 32", 4096, 32, false, false },
		{ "cached read 128 KiB, depth 8", 131072, 8, false, false },
		{ "cached write 4 KiB, depth 32", 4096, 32, true, false },
		{ "direct read 4 KiB, depth 1", 4096, 1, false, true },
		{ "direct read 4 KiB, depth 32", 4096, 32, false, true },
		{ "direct read 128 KiB, depth 8", 131072, 8, false, true },
	};
	static struct bench b;

	if (argc != 2)
		return 1;
	bench_open(&b, argv[1]);
	printf("%-30s %15s %15s %15s\n", "requests a second", "1 thread",
	       "4 threads", "io_uring");
	for (size_t i = 0; i < ARRAY_LEN(loads); i++)
		compare(&b, &loads[i]);
	return 0;
}
