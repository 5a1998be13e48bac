/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chardev_open: what chardev.c and chardev_open.c share and nobody else needs.
 */
#ifndef CARREL_DEVICES_CHARDEV_OPEN_H
#define CARREL_DEVICES_CHARDEV_OPEN_H

#include "devices/chardev.h"

/* Sends what goes within a second; out of the loop; every descriptor closed. */
void chardev_detach(struct chardev *c);

#endif
