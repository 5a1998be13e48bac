/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory: how a block comes to be, and what the secure processor does to one.
 * No call here may allocate or go through the C library's system calls: a
 * sandboxed program maps a device's memory from any thread.
 */
#include "sev/emu/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "sev/emu/stub.h"
#include "sev/emu/view.h"
#include "sev/emu/vma.h"

#define DRAM_FIRST (1ull << 32)
#define RW (PROT_READ | PROT_WRITE)
#define FEATURES                                                               \
	(UFFD_FEATURE_MISSING_SHMEM | UFFD_FEATURE_MINOR_SHMEM |               \
	 UFFD_FEATURE_THREAD_ID)

int memory_open(struct memory *m, const struct journal *log)
{
	struct uffdio_api api = { .api = UFFD_API, .features = FEATURES };
	int rc;

	*m = (struct memory){ .log = log, .next_dram = DRAM_FIRST };
	m->uffd = (int)STUB(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK, 0, 0, 0, 0,
			    0);
	if (m->uffd < 0)
		return m->uffd;
	rc = stub_ioctl(m->uffd, UFFDIO_API, &api);
	if (rc)
		stub_close(m->uffd);
	return rc;
}

static bool page_is_zero(const uint64_t *p)
{
	for (size_t i = 0; i < PAGE / sizeof *p; i++)
		if (p[i])
			return false;
	return true;
}

/*
 * Memory of the program's own becomes shared memory without a name, with the
 * same bytes at the same place.
 */
static uint8_t *replace(uint64_t at, uint64_t len, int prot)
{
	void *place = (void *)(uintptr_t)at;
	const uint8_t *old = place;
	int fd = -1;
	uint8_t *mine = stub_map_new(len, &fd);
	void *theirs = NULL;

	for (uint64_t i = 0; mine && i < len; i += PAGE)
		if (!page_is_zero((const uint64_t *)(const void *)(old + i)))
			bytes_copy(mine + i, PAGE, old + i, PAGE);
	if (mine)
		theirs = stub_map(place, len, prot, MAP_SHARED | MAP_FIXED, fd);
	if (fd >= 0)
		stub_close(fd);
	if (theirs)
		return mine;
	stub_unmap(mine, len);
	return NULL;
}

static uint8_t *map_plain(const struct vma *v, uint64_t at, uint64_t len)
{
	uint8_t *mine;

	if (!v->shared) /* what cannot be read cannot be copied */
		return v->prot & PROT_READ ? replace(at, len, v->prot) : NULL;
	mine = stub_map_again((void *)(uintptr_t)at, len, NULL);
	if (mine && STUB(SYS_mprotect, mine, len, RW, 0, 0, 0)) {
		stub_unmap(mine, len);
		return NULL;
	}
	return mine;
}

/* A dump or a child of the program has no business with this. */
static void *keep_out(void *p, size_t len)
{
	if (!p)
		return NULL;
	(void)STUB(SYS_madvise, p, len, MADV_DONTDUMP, 0, 0, 0);
	(void)STUB(SYS_madvise, p, len, MADV_DONTFORK, 0, 0, 0);
	return p;
}

static void unmake(const struct block *b)
{
	stub_unmap(b->plain, b->len);
	stub_unmap(b->open, b->len);
	stub_unmap(b->fill, b->len);
	stub_unmap(b->secret, b->len);
	stub_unmap(b->closed, b->len);
	stub_unmap(b->view, b->len / PAGE);
}

static int make(struct memory *m, const struct vma *v, uint64_t at,
		uint64_t len, struct block *out)
{
	struct block b = { .at = at, .len = len, .dram = m->next_dram };
	int rc = -ENOMEM;

	b.plain = keep_out(map_plain(v, at, len), len);
	if (b.plain)
		b.open = keep_out(stub_map_again(b.plain, len, NULL), len);
	if (b.open)
		b.fill = keep_out(stub_map_again(b.plain, len, NULL), len);
	if (b.fill)
		b.secret = keep_out(stub_map_new(len, NULL), len);
	if (b.secret)
		b.closed = keep_out(stub_map_again(b.secret, len, NULL), len);
	if (b.closed)
		b.view = stub_map(NULL, len / PAGE, RW,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1);
	if (b.view)
		rc = view_trap(m->uffd, b.open, len);
	if (!rc)
		rc = view_trap(m->uffd, b.fill, len);
	if (!rc)
		*out = b;
	else
		unmake(&b);
	return rc;
}

void memory_close(struct memory *m)
{
	for (unsigned i = 0; i < m->blocks; i++)
		unmake(&m->block[i]);
	m->blocks = 0;
	stub_close(m->uffd);
}

static struct block *find(struct memory *m, uint64_t at, uint64_t len,
			  bool *overlaps)
{
	*overlaps = false;
	for (unsigned i = 0; i < m->blocks; i++) {
		struct block *b = &m->block[i];

		if (at >= b->at && range_ok(at - b->at, len, b->len))
			return b;
		if (at < b->at ? b->at - at < len : at - b->at < b->len)
			*overlaps = true;
	}
	return NULL;
}

static int adopt(struct memory *m, uint64_t at, uint64_t len, bool exact,
		 struct block **out)
{
	uint64_t end;
	struct vma v;
	bool overlaps;
	int rc;

	*out = find(m, at, len, &overlaps);
	if (*out)
		return 0;
	if (!add_u64(at, len, &end) || !align_up(end, PAGE, &end))
		return -EINVAL;
	at &= ~(PAGE - 1);
	rc = vma_find(at, end - at, &v);
	if (!rc && (overlaps || m->blocks == MEMORY_BLOCKS))
		rc = -ENOSPC;
	if (!rc && v.shared && !exact) {
		at = v.start;
		end = v.end;
	}
	if (!rc)
		rc = make(m, &v, at, end - at, &m->block[m->blocks]);
	journal_line(m->log, "memory at=0x%llx bytes=%llu shared=%d error=%d",
		     (unsigned long long)at, (unsigned long long)(end - at),
		     !rc && v.shared, rc);
	if (rc)
		return rc;
	*out = &m->block[m->blocks];
	m->next_dram += (*out)->len;
	__atomic_store_n(&m->blocks, m->blocks + 1, __ATOMIC_RELEASE);
	return 0;
}

int memory_adopt(struct memory *m, uint64_t at, uint64_t len, bool exact,
		 struct block **b, uint64_t *off)
{
	int rc;

	lock_take(&m->lock);
	rc = adopt(m, at, len, exact, b);
	lock_drop(&m->lock);
	if (!rc)
		*off = at - (*b)->at;
	return rc;
}

void memory_run(struct memory *m)
{
	bool key;

	lock_take(&m->lock);
	key = m->cipher != NULL;
	lock_drop(&m->lock);
	__atomic_store_n(&m->running, key, __ATOMIC_RELEASE);
}

int memory_read_plain(void *ctx, uint64_t at, uint8_t *to, size_t len)
{
	(void)ctx;
	return stub_copy_in(to, at, len);
}

int memory_write_plain(void *ctx, uint64_t at, const uint8_t *p, size_t len)
{
	(void)ctx;
	return stub_copy_out(at, p, len);
}

int memory_read_private(void *ctx, struct cipher *key, uint64_t at, uint8_t *to,
			size_t len)
{
	struct memory *m = ctx;
	struct block *b;
	uint64_t off;
	int rc = memory_adopt(m, at, len, false, &b, &off);

	if (rc)
		return rc;
	lock_take(&m->lock);
	for (size_t i = 0; !rc && i < len; i += CIPHER_BLOCK, off += 16) {
		if (b->view[off / PAGE] != VIEW_SHARED)
			bytes_copy(to + i, len - i, b->secret + off, 16);
		else
			rc = cipher_decrypt(key, b->dram + off, b->plain + off,
					    to + i, CIPHER_BLOCK);
	}
	lock_drop(&m->lock);
	return rc;
}

int memory_write_private(void *ctx, struct cipher *key, uint64_t at,
			 const uint8_t *p, size_t len)
{
	struct memory *m = ctx;
	struct block *b;
	uint64_t off, first, end;
	int rc = memory_adopt(m, at, len, false, &b, &off);

	if (rc)
		return rc;
	lock_take(&m->lock);
	m->cipher = key;
	bytes_copy(b->secret + off, b->len - off, p, len);
	rc = cipher_encrypt(key, b->dram + off, p, b->plain + off, len);
	first = off & ~(PAGE - 1);
	end = off + len;
	if (!rc && align_up(end, PAGE, &end))
		view_close(m, b, first, end - first);
	lock_drop(&m->lock);
	return rc;
}
