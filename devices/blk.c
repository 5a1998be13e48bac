/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blk: see the header. Each queue's worker serves its requests one after the
 * other with plain system calls; a guest that wants depth has several queues.
 * io_uring was measured (tests/bench/blk_bench.c, docs/storage.md): much alike
 * from the page cache, up to nine times as fast where one queue has many
 * uncached reads in flight, and unfit for a thread whose every system call is
 * to be filtered.
 */
#include "devices/blk.h"

#include <errno.h>

#include "vmm/clock.h"
#include "vmm/log.h"

/* Feature bits (5.2.3). */
#define F_SEG_MAX (1ull << 2)
#define F_RO (1ull << 5)
#define F_BLK_SIZE (1ull << 6)
#define F_FLUSH (1ull << 9)
#define F_TOPOLOGY (1ull << 10)
#define F_MQ (1ull << 12)
#define F_DISCARD (1ull << 13)
#define F_WRITE_ZEROES (1ull << 14)

/* A guest on a full disk must not fill the log as well. */
#define FAILURES_LOGGED 8

/* Request types and status values (5.2.6). */
#define T_IN 0
#define T_OUT 1
#define T_FLUSH 4
#define T_GET_ID 8
#define T_DISCARD 11
#define T_WRITE_ZEROES 13
#define S_OK 0
#define S_IOERR 1
#define S_UNSUPP 2

/* Limits that we name in the configuration and hold drivers to. */
#define REQUEST_MAX GIB /* OVMF asks for no more; a stop waits for one */
#define SEG_MAX 126 /* with header and status: half a ring */
#define PHYS_BLOCK_EXP 3 /* 4096: what file systems allocate in */
#define PHYS_BLOCK_SECTORS 8
#define DISCARD_SEGS 16
#define DISCARD_SECTORS 0x200000u /* 1 GiB */
#define ZERO_SEGS 1
#define ZERO_SECTORS 0x10000u /* 32 MiB: it may have to be written out */

struct request_header {
	uint32_t type;
	uint32_t reserved;
	uint64_t sector;
};
static_assert(sizeof(struct request_header) == 16, "virtio 1.2, 5.2.6");

/* What DISCARD and WRITE_ZEROES carry. */
struct request_range {
	uint64_t sector;
	uint32_t sectors;
	uint32_t flags;
};
static_assert(sizeof(struct request_range) == 16, "virtio 1.2, 5.2.6");
#define RANGE_UNMAP 1u

struct config_space {
	uint64_t capacity;
	uint32_t size_max, seg_max;
	uint16_t cylinders;
	uint8_t heads, sectors;
	uint32_t blk_size;
	uint8_t physical_block_exp, alignment_offset;
	uint16_t min_io_size;
	uint32_t opt_io_size;
	uint8_t writeback, unused0;
	uint16_t num_queues;
	uint32_t max_discard_sectors, max_discard_seg;
	uint32_t discard_sector_alignment;
	uint32_t max_write_zeroes_sectors, max_write_zeroes_seg;
	uint8_t write_zeroes_may_unmap, unused1[3];
} __attribute__((packed));
static_assert(sizeof(struct config_space) == 60, "virtio 1.2, 5.2.4");
static_assert(sizeof(struct config_space) <= VDEV_CONFIG, "room for it");

static uint64_t capacity(const struct blk *b)
{
	return atomic_load_explicit(&b->file.bytes, memory_order_relaxed) /
	       BACKING_SECTOR;
}

/*
 * What the guest learns of rc is a bit; why it is, a full disk for one, is the
 * host's to see.
 */
static uint8_t status_of(struct blk *b, const char *what, int rc)
{
	unsigned n;

	if (!rc)
		return S_OK;
	n = atomic_fetch_add(&b->failures, 1) + 1;
	if (n <= FAILURES_LOGGED)
		log_warn("%s: %s: %s%s", b->vdev.label, what, strerror(-rc),
			 n == FAILURES_LOGGED ? " (last such line)" : "");
	return rc == -EOPNOTSUPP ? S_UNSUPP : S_IOERR;
}

/* A number of whole sectors that are on the disk, and not too many? */
static bool place_ok(const struct blk *b, uint64_t sector, uint64_t len)
{
	return len % BACKING_SECTOR == 0 && len <= REQUEST_MAX &&
	       range_ok(sector, len / BACKING_SECTOR, capacity(b));
}

/* Does the limit let a request pass? -EAGAIN: not now, and it will wait. */
static int toll(struct blk *b, struct chain *c, uint64_t bytes)
{
	struct limit_meter *m = &b->counts[vdev_queue_of(&b->vdev, c)].meter;
	uint64_t now, wait;

	if (!limit_matters(&b->limit, m))
		return 0;
	now = clock_ns();
	wait = limit_take(&b->limit, m, now, min_u64(bytes, REQUEST_MAX));
	return wait ? vdev_wait_until(&b->vdev, c, now + wait) : 0;
}

/*
 * The handlers: an error breaks the device, *status is for the driver. done
 * counts the bytes they put at the start of the writable part.
 */
static int do_in(struct blk *b, struct chain *c, uint64_t sector,
		 uint64_t *done, uint8_t *status)
{
	struct iovec iov[VIRTQ_SPANS];
	struct backing_span s = { iov, 0, sector * BACKING_SECTOR };
	uint64_t len = chain_in_len(c);
	int rc;

	rc = chain_iov(c, b->vdev.mem, true, iov, &s.n);
	if (rc)
		return rc;
	*status = S_IOERR;
	if (!place_ok(b, sector, len))
		return 0;
	rc = toll(b, c, len);
	if (rc)
		return rc;
	rc = backing_try_read(&b->file, &s);
	if (rc == -EAGAIN) {
		rc = vdev_will_wait(c);
		if (rc)
			return rc;
		rc = backing_read(&b->file, &s);
	}
	*status = status_of(b, "read", rc);
	*done = rc ? 0 : len;
	return 0;
}

static int do_out(struct blk *b, struct chain *c, uint64_t sector,
		  uint8_t *status)
{
	struct iovec iov[VIRTQ_SPANS];
	struct backing_span s = { iov, 0, sector * BACKING_SECTOR };
	/* 5.2.6.2: a driver that knows no flush expects a write-through disk */
	bool through = !(b->vdev.accepted & F_FLUSH);
	int rc;

	rc = chain_iov(c, b->vdev.mem, false, iov, &s.n);
	if (rc)
		return rc;
	*status = S_IOERR;
	if (b->file.readonly || !place_ok(b, sector, chain_out_len(c)))
		return 0;
	rc = toll(b, c, chain_out_len(c));
	if (rc)
		return rc;
	rc = backing_try_write(&b->file, &s);
	if (rc == -EAGAIN || (!rc && through)) {
		rc = vdev_will_wait(c);
		if (rc)
			return rc;
		rc = backing_write(&b->file, &s);
		if (!rc && through)
			rc = backing_flush(&b->file);
	}
	*status = status_of(b, "write", rc);
	return 0;
}

static int flush(struct blk *b, struct chain *c, uint8_t *status)
{
	int rc = vdev_will_wait(c);

	if (!rc)
		*status = status_of(b, "flush", backing_flush(&b->file));
	return rc;
}

static int do_flush(struct blk *b, struct chain *c, uint8_t *status)
{
	int rc = toll(b, c, 0);

	return rc ? rc : flush(b, c, status);
}

static int do_get_id(struct blk *b, struct chain *c, uint64_t *done,
		     uint8_t *status)
{
	size_t len = (size_t)min_u64(chain_in_len(c), sizeof(b->id));
	int rc = chain_write(c, b->vdev.mem, b->id, len);

	if (rc)
		return rc;
	*done = len;
	*status = S_OK;
	return 0;
}

static uint8_t one_range(struct blk *b, uint32_t type,
			 const struct request_range *r)
{
	bool unmap = r->flags & RANGE_UNMAP;
	uint64_t off, len;

	/* 5.2.6.2: unknown flags, and unmap in a discard, are not supported. */
	if (r->flags & ~RANGE_UNMAP || (type == T_DISCARD && unmap))
		return S_UNSUPP;
	if (r->sectors > (type == T_DISCARD ? DISCARD_SECTORS : ZERO_SECTORS))
		return S_IOERR;
	if (!range_ok(r->sector, r->sectors, capacity(b)))
		return S_IOERR;
	if (!r->sectors)
		return S_OK;
	off = r->sector * BACKING_SECTOR;
	len = (uint64_t)r->sectors * BACKING_SECTOR;
	if (type == T_DISCARD)
		return status_of(b, "discard",
				 backing_discard(&b->file, off, len));
	return status_of(b, "write zeroes",
			 backing_zero(&b->file, off, len, unmap));
}

/* What may have to be written: a discard is none of it. */
static uint64_t bytes_of(const struct request_range *r, size_t n)
{
	uint64_t sum = 0;

	while (n--)
		sum += (uint64_t)r[n].sectors * BACKING_SECTOR;
	return sum;
}

static int do_ranges(struct blk *b, struct chain *c, uint32_t type,
		     uint8_t *status)
{
	struct request_range r[DISCARD_SEGS];
	uint64_t len = chain_out_len(c);
	size_t n = (size_t)len / sizeof(r[0]);
	int rc;

	*status = S_IOERR;
	if (b->file.readonly || !len || len % sizeof(r[0]) ||
	    n > (type == T_DISCARD ? DISCARD_SEGS : ZERO_SEGS))
		return 0;
	rc = chain_read(c, b->vdev.mem, r, (size_t)len);
	if (!rc)
		rc = toll(b, c, type == T_WRITE_ZEROES ? bytes_of(r, n) : 0);
	if (!rc)
		rc = vdev_will_wait(c);
	if (rc)
		return rc;
	*status = S_OK;
	for (size_t i = 0; i < n && *status == S_OK; i++)
		*status = one_range(b, type, &r[i]);
	if (*status == S_OK && !(b->vdev.accepted & F_FLUSH))
		return flush(b, c, status);
	return 0;
}

static int dispatch(struct blk *b, struct chain *c,
		    const struct request_header *h, uint64_t *done,
		    uint8_t *status)
{
	switch (h->type) {
	case T_IN: return do_in(b, c, h->sector, done, status);
	case T_OUT: return do_out(b, c, h->sector, status);
	case T_FLUSH: return do_flush(b, c, status);
	case T_GET_ID: return do_get_id(b, c, done, status);
	case T_DISCARD:
	case T_WRITE_ZEROES: return do_ranges(b, c, h->type, status);
	default: *status = S_UNSUPP; return 0;
	}
}

/* bytes: what a write carries, or what a read got. */
static void count(struct counter *n, uint32_t type, uint8_t status,
		  uint64_t bytes)
{
	if (status != S_OK) {
		counter_add(&n[DISK_ERRORS], 1);
		return;
	}
	switch (type) {
	case T_IN:
		counter_add(&n[DISK_READS], 1);
		counter_add(&n[DISK_READ_BYTES], bytes);
		break;
	case T_OUT:
		counter_add(&n[DISK_WRITES], 1);
		counter_add(&n[DISK_WRITTEN_BYTES], bytes);
		break;
	case T_FLUSH: counter_add(&n[DISK_FLUSHES], 1); break;
	case T_DISCARD: counter_add(&n[DISK_DISCARDS], 1); break;
	case T_WRITE_ZEROES: counter_add(&n[DISK_ZEROES], 1); break;
	default: break; /* its name was read */
	}
}

static int blk_request(struct vdev *d, struct chain *c, uint32_t *written)
{
	struct blk *b = (struct blk *)d;
	struct request_header h;
	uint64_t room, done = 0;
	uint8_t status;
	gpa_t at;
	int rc;

	static_assert(offsetof(struct blk, vdev) == 0, "cast");

	rc = chain_read(c, d->mem, &h, sizeof(h));
	if (!rc)
		rc = chain_cut_status(c, &at);
	if (rc)
		return rc;
	room = chain_in_len(c);
	/* The used length is 32 bits, and so is what a request can be. */
	if (room >= UINT32_MAX)
		return -EBADMSG;
	rc = dispatch(b, c, &h, &done, &status);
	if (!rc)
		count(b->counts[vdev_queue_of(d, c)].n, h.type, status,
		      h.type == T_IN ? done : chain_out_len(c));
	if (!rc)
		rc = gmem_write(d->mem, at, &status, sizeof(status));
	/* 2.7.8.2: only what is written without a gap counts. */
	*written = (uint32_t)(done == room ? done + 1 : done);
	return rc;
}

static const struct vdev_ops blk_ops = {
	.name = "virtio-blk",
	.type = VIRTIO_TYPE_BLOCK,
	.class = 0x010000, /* mass storage */
	.request = blk_request,
};

static void config_fill(struct blk *b, unsigned queues)
{
	/* Every host that runs SEV guests is little-endian, as is virtio. */
	struct config_space s = {
		.capacity = capacity(b),
		.seg_max = SEG_MAX,
		.blk_size = BACKING_SECTOR,
		.physical_block_exp = PHYS_BLOCK_EXP,
		.min_io_size = PHYS_BLOCK_SECTORS,
		.num_queues = (uint16_t)queues,
		.max_discard_sectors = DISCARD_SECTORS,
		.max_discard_seg = DISCARD_SEGS,
		.discard_sector_alignment = PHYS_BLOCK_SECTORS,
		.max_write_zeroes_sectors = ZERO_SECTORS,
		.max_write_zeroes_seg = ZERO_SEGS,
		.write_zeroes_may_unmap = 1,
	};

	bytes_copy(b->vdev.config, sizeof(b->vdev.config), &s, sizeof(s));
	b->vdev.config_len = sizeof(s);
}

int blk_attach(struct blk *b, const struct blk_config *cfg, struct pci_bus *pci,
	       uint8_t devfn, const struct gmem *mem, struct irq *irq,
	       const struct worker_hooks *hooks)
{
	uint64_t features = F_SEG_MAX | F_BLK_SIZE | F_FLUSH | F_TOPOLOGY |
			    F_MQ;
	int rc;

	if (!cfg->queues || cfg->queues > BLK_QUEUES) {
		log_error("disk '%s': %u queues: 1 to %u are possible",
			  cfg->path, cfg->queues, BLK_QUEUES);
		return -EINVAL;
	}
	*b = (struct blk){ .file.fd = -1 };
	bytes_copy(b->id, sizeof(b->id), cfg->id,
		   (size_t)min_u64(strlen(cfg->id), sizeof(b->id)));
	rc = backing_open(&b->file, cfg->path, cfg->readonly);
	if (rc)
		return rc;
	features |= cfg->readonly ? F_RO : F_DISCARD | F_WRITE_ZEROES;
	config_fill(b, cfg->queues);
	limit_open(&b->limit);
	limit_set(&b->limit, &cfg->rates, clock_ns());
	rc = vdev_open(&b->vdev, &blk_ops, cfg->id, mem, features,
		       cfg->platform, cfg->queues, hooks);
	if (rc)
		goto fail_file;
	rc = virtio_pci_attach(&b->pci, &b->vdev, pci, devfn, irq);
	if (rc)
		goto fail_vdev;
	return 0;
fail_vdev:
	vdev_close(&b->vdev);
fail_file:
	limit_close(&b->limit);
	backing_close(&b->file);
	log_error("disk '%s': %s", cfg->id, strerror(-rc));
	return rc;
}

void blk_close(struct blk *b)
{
	vdev_close(&b->vdev);
	virtio_pci_close(&b->pci);
	limit_close(&b->limit);
	backing_close(&b->file);
}

void blk_set_limit(struct blk *b, const struct rates *r)
{
	limit_set(&b->limit, r, clock_ns());
	vdev_kick(&b->vdev);
}

int blk_resize(struct blk *b, struct bus *lock, uint64_t bytes, uint64_t *found)
{
	uint64_t before = capacity(b);
	int rc = backing_resize(&b->file, bytes, found);

	if (rc || capacity(b) == before)
		return rc;
	bus_lock(lock);
	put_le64(b->vdev.config + offsetof(struct config_space, capacity),
		 capacity(b));
	vdev_config_changed(&b->vdev);
	bus_unlock(lock);
	return 0;
}

void blk_count(const struct blk *b, struct disk_counts *out)
{
	*out = (struct disk_counts){ .id = b->vdev.label };
	for (unsigned q = 0; q < b->vdev.n_queues; q++) {
		const struct blk_counts *c = &b->counts[q];

		for (unsigned i = 0; i < DISK_WAITS; i++)
			out->n[i] += counter_get(&c->n[i]);
		out->n[DISK_WAITS] += counter_get(&c->meter.waits);
		out->n[DISK_WAIT_NS] += counter_get(&c->meter.ns);
	}
}

void blk_pause(struct blk *b)
{
	vdev_pause(&b->vdev);
}

void blk_resume(struct blk *b)
{
	vdev_resume(&b->vdev);
}

void blk_reset(struct blk *b)
{
	vdev_reset(&b->vdev);
}
