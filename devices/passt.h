/* SPDX-License-Identifier: Apache-2.0 */
/*
 * passt: the stream to passt(1) as an end of a network device. Each frame has
 * its length before it, four bytes, big-endian (QEMU's stream framing). passt
 * is another process, whose bytes are hostile: a length that no frame has ends
 * the connection.
 *
 * Frames come many to a system call, through a buffer. Small frames go out in
 * the same way; large ones straight from guest memory.
 */
#ifndef CARREL_DEVICES_PASST_H
#define CARREL_DEVICES_PASST_H

#include "devices/net_end.h"

#define PASST_LENGTH_BYTES 4u

/*
 * A frame at the start of bytes: 1 with *len set; 0: it is not complete yet;
 * -EPROTO: there is none of such a length.
 */
int passt_frame(const uint8_t *bytes, size_t n, size_t *len) MUST_USE;

/*
 * The end of a connected stream socket, non-blocking, which it takes over; for
 * threads in which SIGPIPE is blocked or ignored. -ENOMEM.
 */
int passt_adopt(struct net_end **end, int fd) MUST_USE;

/* Its stream is not used any more, from now on: any thread. */
void passt_cut(struct net_end *e);

/* A new stream in the place of the old; while no worker uses the end. */
void passt_again(struct net_end *e, int fd);

/* Connects to passt's socket. -errno after one log line. */
int passt_open(struct net_end **end, const char *path) MUST_USE;

#endif
