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
#define AHEAD (16 * PAGE)

static int watch(int uffd, uint64_t at, uint64_t len, uint64_t mode)
{
	struct uffdio_register r = { .range = { at, len }, .mode = mode };

	return stub_ioctl(uffd, UFFDIO_REGISTER, &r);
}

int view_trap(int uffd, void *at, uint64_t len)
{
	return watch(uffd, (uintptr_t)at, len,
		     UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_MINOR);
}

void view_arm(int uffd, struct block *b)
{
	(void)watch(uffd, b->at, b->len, UFFDIO_REGISTER_MODE_MISSING);
}

static void forget_entries(const struct block *b, uint64_t off, uint64_t len)
{
	(void)STUB(SYS_madvise, b->open + off, len, MADV_DONTNEED, 0, 0, 0);
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
	forget_entries(b, off, len);
}

void view_open(struct memory *m, struct block *b, uint64_t off, uint64_t len)
{
	set_all(m, b, off, len, VIEW_SHARED);
}

bool view_fault(struct memory *m, uint64_t address, struct fault *f)
{
	bool found = false;

	lock_take(&m->lock);
	for (unsigned i = 0; !found && i < m->blocks; i++) {
		struct block *b = &m->block[i];
		uint64_t open = (uintptr_t)b->open;
		bool host = address - b->at < b->len;

		found = host || address - open < b->len;
		if (found)
			*f = (struct fault){ b, address - (host ? b->at : open),
					     host };
	}
	lock_drop(&m->lock);
	f->off &= ~(PAGE - 1);
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

static void zero_page(struct memory *m, uint64_t at)
{
	struct uffdio_zeropage z = { .range = { at, PAGE } };

	if (stub_ioctl(m->uffd, UFFDIO_ZEROPAGE, &z))
		wake(m, at);
}

/* Lets a run of shared pages in; S may not have the first one yet. */
static void let_in(struct memory *m, const struct block *b, uint64_t off)
{
	uint64_t at = (uintptr_t)b->open + off, len = PAGE;
	struct uffdio_continue c;

	while (len < AHEAD && off + len < b->len &&
	       b->view[(off + len) / PAGE] == VIEW_SHARED)
		len += PAGE;
	c = (struct uffdio_continue){ .range = { at, len } };
	if (!stub_ioctl(m->uffd, UFFDIO_CONTINUE, &c) || c.mapped > 0)
		return;
	if (c.mapped == -EFAULT)
		zero_page(m, at);
	else
		wake(m, at);
}

void view_answer(struct memory *m, const struct fault *f, enum view to)
{
	struct block *b = f->b;
	uint8_t *v = &b->view[f->off / PAGE];

	lock_take(&m->lock);
	if (*v == VIEW_TRAPPED)
		set(m, b, f->off, to);
	if (*v == VIEW_SHARED)
		let_in(m, b, f->off);
	else
		wake(m, (uintptr_t)b->open + f->off);
	lock_drop(&m->lock);
}

/* Has the guest, or the secure processor, ever written there? */
static bool secret_exists(const struct block *b, uint64_t off)
{
	unsigned char in = 0;

	return !STUB(SYS_mincore, b->secret + off, PAGE, &in, 0, 0, 0) &&
	       (in & 1);
}

void view_answer_host(struct memory *m, const struct fault *f)
{
	struct block *b = f->b;
	uint64_t at = b->at + f->off;
	struct uffdio_copy c = { .dst = at, .src = (uintptr_t)m->page,
				 .len = PAGE };

	lock_take(&m->lock);
	if (b->view[f->off / PAGE] == VIEW_SHARED || !m->cipher ||
	    !secret_exists(b, f->off) ||
	    cipher_encrypt(m->cipher, b->dram + f->off, b->secret + f->off,
			   m->page, PAGE))
		zero_page(m, at);
	else if (stub_ioctl(m->uffd, UFFDIO_COPY, &c))
		wake(m, at);
	lock_drop(&m->lock);
}
