/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uring: just enough of io_uring, by its system calls alone, for blk_bench to
 * compare with. One thread, one ring; an entry is taken, filled in and goes
 * out with the next wait.
 */
#ifndef CARREL_TESTS_BENCH_URING_H
#define CARREL_TESTS_BENCH_URING_H

#include <errno.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vmm/num.h"

struct uring {
	int fd;
	unsigned waiting; /* filled in, not yet submitted */
	unsigned *sq_tail, *sq_mask, *sq_array;
	unsigned *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
};

static inline void *uring_map(int fd, size_t len, off_t what)
{
	return mmap(NULL, len, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_POPULATE, fd, what);
}

static inline int uring_open(struct uring *u, unsigned entries)
{
	struct io_uring_params p = { 0 };
	uint8_t *sq, *cq;

	u->fd = (int)syscall(SYS_io_uring_setup, entries, &p);
	if (u->fd < 0)
		return -errno;
	sq = uring_map(u->fd, p.sq_off.array + p.sq_entries * sizeof(unsigned),
		       IORING_OFF_SQ_RING);
	cq = uring_map(u->fd,
		       p.cq_off.cqes +
			       p.cq_entries * sizeof(struct io_uring_cqe),
		       IORING_OFF_CQ_RING);
	u->sqe = uring_map(u->fd, p.sq_entries * sizeof(struct io_uring_sqe),
			   IORING_OFF_SQES);
	CHECK(sq != MAP_FAILED && cq != MAP_FAILED);
	CHECK((void *)u->sqe != MAP_FAILED);
	u->waiting = 0;
	u->sq_tail = (unsigned *)(void *)(sq + p.sq_off.tail);
	u->sq_mask = (unsigned *)(void *)(sq + p.sq_off.ring_mask);
	u->sq_array = (unsigned *)(void *)(sq + p.sq_off.array);
	u->cq_head = (unsigned *)(void *)(cq + p.cq_off.head);
	u->cq_tail = (unsigned *)(void *)(cq + p.cq_off.tail);
	u->cq_mask = (unsigned *)(void *)(cq + p.cq_off.ring_mask);
	u->cqe = (struct io_uring_cqe *)(void *)(cq + p.cq_off.cqes);
	return 0;
}

/* The caller never has more in flight than entries. */
static inline void uring_put(struct uring *u, const struct io_uring_sqe *e)
{
	unsigned tail = *u->sq_tail, slot = tail & *u->sq_mask;

	u->sqe[slot] = *e;
	u->sq_array[slot] = slot;
	__atomic_store_n(u->sq_tail, tail + 1, __ATOMIC_RELEASE);
	u->waiting++;
}

/* Submits what waits and sleeps until one completion is there. */
static inline void uring_wait(struct uring *u)
{
	long n = syscall(SYS_io_uring_enter, u->fd, u->waiting, 1,
			 IORING_ENTER_GETEVENTS, NULL, 0);

	if (n > 0)
		u->waiting -= (unsigned)n;
}

static inline bool uring_get(struct uring *u, struct io_uring_cqe *e)
{
	unsigned head = *u->cq_head;

	if (head == __atomic_load_n(u->cq_tail, __ATOMIC_ACQUIRE))
		return false;
	*e = u->cqe[head & *u->cq_mask];
	__atomic_store_n(u->cq_head, head + 1, __ATOMIC_RELEASE);
	return true;
}

#endif
