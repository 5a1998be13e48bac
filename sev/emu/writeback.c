/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writeback: see the header. A device may write to a page of S at any moment,
 * so a page goes in by userfaultfd, which refuses one that exists by then.
 */
#include "sev/emu/writeback.h"

#include <errno.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "sev/emu/stub.h"
#include "sev/emu/view.h"

/*
 * At most 2.5 MiB/s filled, and 160 MiB/s looked at: a few hundredths of a
 * processor. Asking which pages are there costs as much as filling some.
 */
#define TICK_MS 100
#define PAGES_A_TICK 64
#define STRETCH 512 /* pages looked at in one go */
#define STRETCHES_A_TICK 8

struct walker {
	struct memory *m;
	unsigned block;
	uint64_t off;
	uint8_t page[PAGE];
};

static bool insert(struct walker *w, struct block *b, uint64_t off)
{
	struct uffdio_copy c = { .dst = (uintptr_t)b->fill + off,
				 .src = (uintptr_t)w->page,
				 .len = PAGE };
	bool done = false;

	lock_take(&w->m->lock);
	if (b->view[off / PAGE] != VIEW_SHARED &&
	    !cipher_encrypt(w->m->cipher, b->dram + off, b->secret + off,
			    w->page, PAGE))
		done = !stub_ioctl(w->m->uffd, UFFDIO_COPY, &c);
	lock_drop(&w->m->lock);
	(void)STUB(SYS_madvise, b->fill + off, PAGE, MADV_DONTNEED, 0, 0, 0);
	return done;
}

static void residents(const void *at, uint64_t pages, uint8_t *in)
{
	if (STUB(SYS_mincore, at, pages * PAGE, in, 0, 0, 0))
		memset(in, 0, pages);
}

/* Looks at the next stretch; how many pages it filled. */
static unsigned stretch(struct walker *w, struct block *b, unsigned most)
{
	uint64_t pages = min_u64(STRETCH, (b->len - w->off) / PAGE), i;
	uint8_t secret[STRETCH], plain[STRETCH];
	unsigned n = 0;

	residents(b->secret + w->off, pages, secret);
	residents(b->plain + w->off, pages, plain);
	for (i = 0; i < pages && n < most; i++)
		if ((secret[i] & 1) && !(plain[i] & 1))
			n += insert(w, b, w->off + i * PAGE);
	w->off += i * PAGE;
	return n;
}

static void next_block(struct walker *w, unsigned blocks)
{
	w->block = (w->block + 1) % blocks;
	w->off = 0;
}

static void tick(struct walker *w)
{
	unsigned blocks = __atomic_load_n(&w->m->blocks, __ATOMIC_ACQUIRE);
	unsigned n = 0;

	for (int i = 0; blocks && i < STRETCHES_A_TICK; i++) {
		struct block *b = &w->m->block[w->block];

		n += stretch(w, b, PAGES_A_TICK - n);
		if (w->off == b->len)
			next_block(w, blocks);
		if (n == PAGES_A_TICK)
			break;
	}
}

static void *loop(void *arg)
{
	struct walker w = { .m = arg };

	while (!word_get(&w.m->over)) {
		word_wait(&w.m->over, 0, TICK_MS);
		if (__atomic_load_n(&w.m->running, __ATOMIC_ACQUIRE))
			tick(&w);
	}
	return NULL;
}

int writeback_start(struct memory *m, pthread_t *t)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = -pthread_create(t, NULL, loop, m);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}
