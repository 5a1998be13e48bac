/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view: see the header.
 */
#include "sev/emu/view.h"

#include <errno.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "sev/emu/stub.h"

/* How many neighbours of a shared page are let in with it. */
#define AHEAD (512 * PAGE)

int view_trap(int uffd, void *at, uint64_t len)
{
	struct uffdio_register r = {
		.range = { (uintptr_t)at, len },
		.mode = UFFDIO_REGISTER_MODE_MISSING |
			UFFDIO_REGISTER_MODE_MINOR,
	};

	return stub_ioctl(uffd, UFFDIO_REGISTER, &r);
}

static void forget_entries(uint8_t *view, uint64_t off, uint64_t len)
{
	(void)STUB(SYS_madvise, view + off, len, MADV_DONTNEED, 0, 0, 0);
}

/* From now on accesses with the C-bit trap; or no longer, and go on. */
static void guard(struct memory *m, const struct block *b, uint64_t off,
		  uint64_t len)
{
	if (view_trap(m->uffd, b->closed + off, len))
		journal_line(m->log, "memory: shared pages are not guarded");
	forget_entries(b->closed, off, len);
}

static void unguard(struct memory *m, const struct block *b, uint64_t off,
		    uint64_t len)
{
	struct uffdio_range r = { (uintptr_t)b->closed + off, len };

	(void)stub_ioctl(m->uffd, UFFDIO_UNREGISTER, &r);
}

/* The new mapping replaces the old one in one step: no access falls between. */
static void map_secret(const struct block *b, uint64_t off)
{
	(void)stub_map_again(b->secret + off, PAGE, b->open + off);
}

/*
 * An access between the two calls would get an entry without being seen;
 * whoever wants the page trapped forgets entries afterwards.
 */
static void map_plain(struct memory *m, const struct block *b, uint64_t off)
{
	(void)stub_map_again(b->plain + off, PAGE, b->open + off);
	if (view_trap(m->uffd, b->open + off, PAGE))
		journal_line(m->log, "memory: a page cannot be trapped again");
}

static void set(struct memory *m, struct block *b, uint64_t off, enum view to)
{
	uint8_t *v = &b->view[off / PAGE];

	if (to == VIEW_PRIVATE && *v != VIEW_PRIVATE)
		map_secret(b, off);
	else if (to != VIEW_PRIVATE && *v == VIEW_PRIVATE)
		map_plain(m, b, off);
	*v = (uint8_t)to;
}

static void set_all(struct memory *m, struct block *b, uint64_t off,
		    uint64_t len, enum view to)
{
	for (uint64_t end = off + len; off < end; off += PAGE)
		set(m, b, off, to);
}

void view_close(struct memory *m, struct block *b, uint64_t off, uint64_t len)
{
	set_all(m, b, off, len, VIEW_TRAPPED);
	forget_entries(b->open, off, len);
	unguard(m, b, off, len);
}

void view_open(struct memory *m, struct block *b, uint64_t off, uint64_t len)
{
	guard(m, b, off, len);
	set_all(m, b, off, len, VIEW_SHARED);
}

void view_claim(struct memory *m, const struct fault *f)
{
	lock_take(&m->lock);
	if (f->b->view[f->off / PAGE] == VIEW_SHARED)
		view_close(m, f->b, f->off, PAGE);
	else
		unguard(m, f->b, f->off, PAGE);
	lock_drop(&m->lock);
}

bool view_fault(struct memory *m, uint64_t address, struct fault *f)
{
	bool found = false;

	lock_take(&m->lock);
	for (unsigned i = 0; !found && i < m->blocks; i++) {
		struct block *b = &m->block[i];
		uint64_t open = address - (uintptr_t)b->open;
		uint64_t closed = address - (uintptr_t)b->closed;

		found = open < b->len || closed < b->len;
		if (found)
			*f = (struct fault){ b,
					     min_u64(open, closed) &
						     ~(PAGE - 1),
					     closed < b->len };
	}
	lock_drop(&m->lock);
	return found;
}

enum view view_get(struct memory *m, const struct fault *f)
{
	enum view v;

	lock_take(&m->lock);
	v = f->b->view[f->off / PAGE];
	lock_drop(&m->lock);
	return v;
}

static void wake(struct memory *m, uint64_t at)
{
	struct uffdio_range r = { at, PAGE };

	(void)stub_ioctl(m->uffd, UFFDIO_WAKE, &r);
}

/*
 * Lets a run of shared pages in, those that S has and those it has not; stops
 * at a page that has been let in already.
 */
static void let_in(struct memory *m, const struct block *b, uint64_t off)
{
	uint64_t at = (uintptr_t)b->open + off, len = 0, done = 0;

	while (len < AHEAD && off + len < b->len &&
	       b->view[(off + len) / PAGE] == VIEW_SHARED)
		len += PAGE;
	while (done < len) {
		struct uffdio_range rest = { at + done, len - done };
		struct uffdio_continue c = { .range = rest };
		struct uffdio_zeropage z = { .range = rest };

		if (stub_ioctl(m->uffd, UFFDIO_CONTINUE, &c) && c.mapped <= 0) {
			if (c.mapped != -EFAULT)
				break;
			if (stub_ioctl(m->uffd, UFFDIO_ZEROPAGE, &z) &&
			    z.zeropage <= 0)
				break;
			c.mapped = z.zeropage;
		}
		done += (uint64_t)c.mapped;
	}
	if (!done)
		wake(m, at);
}

/* Sets a run of trapped pages, `most` at most. */
static void decide(struct memory *m, struct block *b, uint64_t off,
		   enum view to, unsigned most)
{
	uint64_t len = 0;

	while (len < most * PAGE && off + len < b->len &&
	       b->view[(off + len) / PAGE] == VIEW_TRAPPED)
		len += PAGE;
	if (to == VIEW_SHARED)
		view_open(m, b, off, len);
	else
		set_all(m, b, off, len, to);
}

void view_answer(struct memory *m, const struct fault *f, enum view to,
		 unsigned pages)
{
	struct block *b = f->b;

	lock_take(&m->lock);
	if (b->view[f->off / PAGE] == VIEW_TRAPPED)
		decide(m, b, f->off, to, pages);
	if (b->view[f->off / PAGE] == VIEW_SHARED)
		let_in(m, b, f->off);
	else
		wake(m, (uintptr_t)b->open + f->off);
	lock_drop(&m->lock);
}
