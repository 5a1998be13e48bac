/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chardev_open: what the files of chardev share and nobody else needs.
 */
#ifndef CARREL_DEVICES_CHARDEV_OPEN_H
#define CARREL_DEVICES_CHARDEV_OPEN_H

#include "devices/chardev.h"

/* Sends what goes within a second; out of the loop; every descriptor closed. */
void chardev_detach(struct chardev *c);

/* In chardev_file.c: END_FILE's end; -errno after a log line. */
int chardev_file_open(struct chardev *c, uint64_t max) MUST_USE;
void chardev_file_close(struct chardev *c);

/* A file that is at its limit; main thread. */
void chardev_file_rotate(struct chardev *c);

/* In chardev_terminal.c: takes what is meant for us out of *len keys. */
void chardev_take_keys(struct chardev *c, uint8_t *keys, size_t *len);

/* Likewise: raw again after a stop; nothing where there is no terminal. */
int chardev_watch_terminal(struct chardev *c) MUST_USE;

/* In chardev_patience.c, from the loop: has the peer had its time? */
void chardev_patience_look(struct chardev *c);
bool chardev_tries_patience(const struct chardev *c); /* is it to look? */

#endif
