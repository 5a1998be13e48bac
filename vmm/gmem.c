/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gmem: see the header. One function, region_of, decides whether a guest range
 * exists; everything else here goes through it.
 */
#include "vmm/gmem.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define POPULATE_WRITE 23 /* MADV_POPULATE_WRITE, newer than some headers */
#define STAT_BLOCK 512u /* of st_blocks, whatever st_blksize is */

static const struct gmem_region *region_of(const struct gmem *m, gpa_t at,
					   uint64_t len)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct gmem_region *r = &m->r[i];

		if (at.v >= r->base.v &&
		    range_ok(at.v - r->base.v, len, r->size))
			return r;
	}
	return NULL;
}

static bool overlaps(const struct gmem *m, uint64_t base, uint64_t size)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct gmem_region *r = &m->r[i];

		if (base < r->base.v + r->size && r->base.v < base + size)
			return true;
	}
	return false;
}

int gmem_add(struct gmem *m, gpa_t base, uint64_t size, enum gmem_kind kind,
	     const char *name)
{
	uint64_t end;
	void *host;
	int fd, rc;

	if (size == 0 || size % GMEM_PAGE || base.v % GMEM_PAGE ||
	    size > SIZE_MAX || !add_u64(base.v, size, &end))
		return -EINVAL;
	if (overlaps(m, base.v, size))
		return -EEXIST;
	if (m->n == GMEM_REGIONS)
		return -ENOSPC;
	fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	/* Another process may get it (vhost-user), and not cut it short. */
	if (ftruncate(fd, (off_t)size) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
		rc = -errno;
		goto fail;
	}
	host = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (host == MAP_FAILED) {
		rc = -errno;
		goto fail;
	}
	/*
	 * A guest's first touch of a page is a fault of ours, too. Where the
	 * host gives shared memory large pages on request, there are fewer;
	 * where it does not, nothing is lost.
	 */
	(void)madvise(host, (size_t)size, MADV_HUGEPAGE);
	m->r[m->n++] = (struct gmem_region){ .base = base,
					     .size = size,
					     .host = host,
					     .fd = fd,
					     .kind = kind,
					     .name = name };
	return 0;
fail:
	close(fd);
	return rc;
}

int gmem_open(struct gmem *m, uint64_t ram_bytes)
{
	uint64_t low = min_u64(ram_bytes, GMEM_LOW_MAX);
	uint64_t high = ram_bytes - low;
	int rc;

	*m = (struct gmem){ .n = 0 };
	rc = gmem_add(m, (gpa_t){ 0 }, low, GMEM_RAM, "ram");
	if (!rc && high)
		rc = gmem_add(m, (gpa_t){ GMEM_HIGH_BASE }, high, GMEM_RAM,
			      "ram-high");
	if (rc)
		gmem_close(m);
	return rc;
}

void gmem_close(struct gmem *m)
{
	while (m->n) {
		struct gmem_region *r = &m->r[--m->n];

		munmap(r->host, (size_t)r->size);
		close(r->fd);
		*r = (struct gmem_region){ .fd = -1 };
	}
}

/* All mappings of the file lose the pages, KVM's included. */
int gmem_discard(const struct gmem *m, gpa_t at, uint64_t len)
{
	const struct gmem_region *r = region_of(m, at, len);
	const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

	if (!r)
		return -EFAULT;
	if (r->kind == GMEM_ROM)
		return -EACCES;
	if (at.v % GMEM_PAGE || len % GMEM_PAGE)
		return -EINVAL;
	if (!len)
		return 0;
	return fallocate(r->fd, mode, (off_t)(at.v - r->base.v), (off_t)len)
		       ? -errno
		       : 0;
}

void gmem_small_pages(const struct gmem *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->r[i].kind == GMEM_RAM)
			(void)madvise(m->r[i].host, (size_t)m->r[i].size,
				      MADV_NOHUGEPAGE);
}

/* The guest may be writing these bytes: read each exactly once. */
static void copy_once(uint8_t *dst, const volatile uint8_t *src, size_t len)
{
	while (len--)
		*dst++ = *src++;
}

/* Small structures go byte by byte; bulk goes through memcpy, never re-read. */
static void copy_out(void *dst, const uint8_t *src, size_t len)
{
	if (len <= 64)
		copy_once(dst, src, len);
	else
		memcpy(dst, src, len);
}

int gmem_read(const struct gmem *m, gpa_t src, void *dst, size_t len)
{
	const struct gmem_region *r = region_of(m, src, len);

	if (!r)
		return -EFAULT;
	copy_out(dst, r->host + (src.v - r->base.v), len);
	return 0;
}

static int put(const struct gmem *m, gpa_t dst, const void *src, size_t len,
	       bool loader)
{
	const struct gmem_region *r = region_of(m, dst, len);

	if (!r)
		return -EFAULT;
	if (r->kind == GMEM_ROM && !loader)
		return -EACCES;
	if (len)
		memcpy(r->host + (dst.v - r->base.v), src, len);
	return 0;
}

int gmem_write(const struct gmem *m, gpa_t dst, const void *src, size_t len)
{
	return put(m, dst, src, len, false);
}

int gmem_load(const struct gmem *m, gpa_t dst, const void *src, size_t len)
{
	return put(m, dst, src, len, true);
}

void gmem_populate(const struct gmem *m, gpa_t at, uint64_t len)
{
	const struct gmem_region *r = region_of(m, at, len);
	uint64_t from, to;

	if (!r)
		return;
	from = (at.v - r->base.v) / GMEM_PAGE * GMEM_PAGE;
	to = at.v - r->base.v + len;
	/* Before Linux 5.14 it cannot be asked for, and comes as it is used. */
	(void)madvise(r->host + from, (size_t)(to - from), POPULATE_WRITE);
}

int gmem_fill(const struct gmem *m, gpa_t dst, uint8_t byte, uint64_t len)
{
	const struct gmem_region *r = region_of(m, dst, len);

	if (!r)
		return -EFAULT;
	memset(r->host + (dst.v - r->base.v), byte, (size_t)len);
	return 0;
}

/* The 16-bit cell at a, or NULL with *rc set. */
static uint16_t *cell16(const struct gmem *m, gpa_t a, bool write, int *rc)
{
	const struct gmem_region *r = region_of(m, a, sizeof(uint16_t));

	*rc = -EFAULT;
	if (!r)
		return NULL;
	*rc = -EINVAL;
	if (a.v % sizeof(uint16_t))
		return NULL;
	*rc = -EACCES;
	if (write && r->kind == GMEM_ROM)
		return NULL;
	*rc = 0;
	return (uint16_t *)(void *)(r->host + (a.v - r->base.v));
}

int gmem_load16(const struct gmem *m, gpa_t src, uint16_t *v)
{
	int rc;
	const uint16_t *p = cell16(m, src, false, &rc);

	if (p)
		*v = __atomic_load_n(p, __ATOMIC_ACQUIRE);
	return rc;
}

int gmem_store16(const struct gmem *m, gpa_t dst, uint16_t v)
{
	int rc;
	uint16_t *p = cell16(m, dst, true, &rc);

	if (p)
		__atomic_store_n(p, v, __ATOMIC_RELEASE);
	return rc;
}

int gmem_iov(const struct gmem *m, gpa_t at, uint64_t len, bool to_guest,
	     struct iovec *out)
{
	const struct gmem_region *r = region_of(m, at, len);

	if (!r)
		return -EFAULT;
	if (to_guest && r->kind == GMEM_ROM)
		return -EACCES;
	*out = (struct iovec){ .iov_base = r->host + (at.v - r->base.v),
			       .iov_len = (size_t)len };
	return 0;
}

int gmem_uaddr(const struct gmem *m, gpa_t at, uint64_t len, uint64_t *uaddr)
{
	const struct gmem_region *r = region_of(m, at, len);

	if (!r)
		return -EFAULT;
	*uaddr = (uintptr_t)r->host + (at.v - r->base.v);
	return 0;
}

static uint64_t ram_on_side(const struct gmem *m, bool high)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < m->n; i++)
		if (m->r[i].kind == GMEM_RAM &&
		    (m->r[i].base.v >= GMEM_HIGH_BASE) == high)
			sum += m->r[i].size;
	return sum;
}

uint64_t gmem_ram_low(const struct gmem *m)
{
	return ram_on_side(m, false);
}

uint64_t gmem_ram_high(const struct gmem *m)
{
	return ram_on_side(m, true);
}

uint64_t gmem_bytes(const struct gmem *m)
{
	uint64_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		if (m->r[i].kind == GMEM_RAM)
			n += m->r[i].size;
	return n;
}

uint64_t gmem_resident(const struct gmem *m)
{
	uint64_t n = 0;
	struct stat st;

	for (size_t i = 0; i < m->n; i++)
		if (m->r[i].kind == GMEM_RAM && !fstat(m->r[i].fd, &st))
			n += (uint64_t)st.st_blocks * STAT_BLOCK;
	return n;
}
