/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writeback: see the header. A device may write to a page of S at any moment,
 * so a page goes in by userfaultfd, which refuses one that exists by then.
 */
#include "sev/emu/writeback.h"

#include <errno.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "sev/emu/stub.h"
#include "sev/emu/view.h"

/* About 2.5 MiB/s: a few hundredths of a processor. */
#define TICK_MS 100
#define PAGES_A_TICK 64
#define STRETCH 512 /* pages looked at in one go */

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

/* One tick's work: at most once around all blocks. */
static void tick(struct walker *w)
{
	unsigned blocks = __atomic_load_n(&w->m->blocks, __ATOMIC_ACQUIRE);
	unsigned n = 0, ends = 0;

	while (blocks && n < PAGES_A_TICK && ends <= blocks) {
		struct block *b;

		w->block %= blocks;
		b = &w->m->block[w->block];
		if (w->off < b->len) {
			n += stretch(w, b, PAGES_A_TICK - n);
			continue;
		}
		w->off = 0;
		w->block++;
		ends++;
	}
}

static void *loop(void *arg)
{
	struct walker w = { .m = arg };
	uint32_t never = 0;

	for (;;) {
		word_wait(&never, 0, TICK_MS);
		if (__atomic_load_n(&w.m->running, __ATOMIC_ACQUIRE))
			tick(&w);
	}
	return NULL;
}

int writeback_start(struct memory *m)
{
	sigset_t all, before;
	pthread_t t;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = -pthread_create(&t, NULL, loop, m);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!rc)
		pthread_detach(t);
	return rc;
}
