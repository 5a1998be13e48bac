/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backing: the host file, or block device, that holds a disk's bytes. Raw
 * only: what is in it is the guest's business and is never looked at. Offsets
 * and lengths were checked against bytes by the caller. Several threads may
 * use one backing at once.
 */
#ifndef CARREL_DEVICES_BACKING_H
#define CARREL_DEVICES_BACKING_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/uio.h>

#include "vmm/num.h"

#define BACKING_SECTOR 512u

struct backing {
	const char *path; /* as it was given; borrowed */
	int fd;
	_Atomic(uint64_t) bytes; /* a multiple of BACKING_SECTOR; only grows */
	bool readonly;
	bool device; /* a block device: it has the size that it has */
};

/*
 * Opens and locks path: alone to write, shared to read only. 0, or -errno
 * after one log line that names the path and what is wrong with it.
 */
int backing_open(struct backing *b, const char *path, bool readonly) MUST_USE;
void backing_close(struct backing *b);

/*
 * Makes it as large as it is to be, or, with 0, as large as the file has become
 * by itself. A file of ours is made longer; what is read only, a block device
 * and a file that somebody made longer has to have that size already. -EINVAL:
 * no multiple of BACKING_SECTOR; -ERANGE: less than it has; -EPERM: not the
 * size of the file, which is *found.
 */
int backing_resize(struct backing *b, uint64_t bytes, uint64_t *found) MUST_USE;

/* What is still to be read or written, and where. */
struct backing_span {
	struct iovec *iov; /* used up on the way */
	int n;
	uint64_t off;
};

/* All bytes or -errno. -EIO: the file has become shorter. */
int backing_read(const struct backing *b, struct backing_span *s) MUST_USE;
int backing_write(const struct backing *b, struct backing_span *s) MUST_USE;

/*
 * As much as can be had without waiting for the disk; -EAGAIN: some is left in
 * *s, for the calls above.
 */
int backing_try_read(const struct backing *b, struct backing_span *s) MUST_USE;
int backing_try_write(const struct backing *b, struct backing_span *s) MUST_USE;

int backing_flush(const struct backing *b) MUST_USE;

/* Gives the space back; a file that cannot keeps its bytes, which is fine. */
int backing_discard(const struct backing *b, uint64_t off,
		    uint64_t len) MUST_USE;

/* Makes the range read as zeroes; unmap: the space may be given back. */
int backing_zero(const struct backing *b, uint64_t off, uint64_t len,
		 bool unmap) MUST_USE;

#endif
