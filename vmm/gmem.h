/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gmem: guest memory, and the only place that turns a guest address into a
 * pointer. The guest runs while we read: every byte is read once, and no
 * pointer to guest memory outlives a function of gmem.c. A range must lie
 * wholly in one region; holes, ends and wraps give -EFAULT.
 */
#ifndef CARREL_VMM_GMEM_H
#define CARREL_VMM_GMEM_H

#include <stdint.h>
#include <sys/uio.h>

#include "vmm/num.h"

#define GMEM_REGIONS 8
#define GMEM_PAGE 4096ull
#define GMEM_LOW_MAX (2ull * GIB) /* RAM below the PCI hole ends here */
#define GMEM_HIGH_BASE (4ull * GIB)

/* A guest-physical address: no arithmetic outside gmem.c and the loaders. */
typedef struct {
	uint64_t v;
} gpa_t;

enum gmem_kind {
	GMEM_RAM, /* devices may read and write */
	GMEM_ROM, /* written by the loader only; devices may read */
};

struct gmem_region {
	gpa_t base;
	uint64_t size; /* bytes, a multiple of GMEM_PAGE */
	uint8_t *host; /* opened by gmem.c alone */
	int fd; /* memfd behind it */
	enum gmem_kind kind;
	const char *name;
};

struct gmem {
	struct gmem_region r[GMEM_REGIONS];
	size_t n;
};

/* RAM of ram_bytes: [0, min(ram, GMEM_LOW_MAX)), the rest from 4 GiB up. */
int gmem_open(struct gmem *m, uint64_t ram_bytes) MUST_USE;

/* Adds a zeroed region; -EEXIST when it overlaps one, -EINVAL unaligned. */
int gmem_add(struct gmem *m, gpa_t base, uint64_t size, enum gmem_kind kind,
	     const char *name) MUST_USE;

void gmem_close(struct gmem *m);

/* RAM in all, and how much of it the host has given memory so far. */
uint64_t gmem_bytes(const struct gmem *m);
uint64_t gmem_resident(const struct gmem *m);

/* Has the host give memory to a range at once, not a fault at a time. */
void gmem_populate(const struct gmem *m, gpa_t at, uint64_t len);

/*
 * Gives whole pages of RAM back to the host; the guest reads zeroes there and
 * may use them again at any time. -EINVAL: not whole pages; -EACCES: ROM. Not
 * in a SEV guest, whose memory is pinned and encrypted.
 */
int gmem_discard(const struct gmem *m, gpa_t at, uint64_t len) MUST_USE;

/*
 * No large pages from now on: the host would put one together now and then of
 * what is left, and fill up what was given back.
 */
void gmem_small_pages(const struct gmem *m);

/* For devices. write refuses ROM with -EACCES. */
int gmem_read(const struct gmem *m, gpa_t src, void *dst, size_t len) MUST_USE;
int gmem_write(const struct gmem *m, gpa_t dst, const void *src,
	       size_t len) MUST_USE;

/* For the loader, before a vCPU runs: as gmem_write, ROM included. */
int gmem_load(const struct gmem *m, gpa_t dst, const void *src,
	      size_t len) MUST_USE;
int gmem_fill(const struct gmem *m, gpa_t dst, uint8_t byte,
	      uint64_t len) MUST_USE;

/*
 * Ring indices (virtio 1.2, 2.7.13): a 2-aligned 16-bit load with acquire,
 * or store with release, ordering. -EINVAL unaligned.
 */
int gmem_load16(const struct gmem *m, gpa_t src, uint16_t *v) MUST_USE;
int gmem_store16(const struct gmem *m, gpa_t dst, uint16_t v) MUST_USE;

/*
 * A checked range as an iovec for readv/writev and the like, where the kernel
 * does the copying and we never interpret the bytes. to_guest says that the
 * range will be written (RAM only). The iovec is valid until gmem_close.
 */
int gmem_iov(const struct gmem *m, gpa_t at, uint64_t len, bool to_guest,
	     struct iovec *out) MUST_USE;

/* The same as a number, for ioctls that take a user-space address. */
int gmem_uaddr(const struct gmem *m, gpa_t at, uint64_t len,
	       uint64_t *uaddr) MUST_USE;

/* Bytes of RAM below and above 4 GiB (ROM does not count). */
uint64_t gmem_ram_low(const struct gmem *m);
uint64_t gmem_ram_high(const struct gmem *m);

#endif
