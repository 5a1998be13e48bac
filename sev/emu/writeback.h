/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writeback: makes ciphertext of what a guest writes appear where the host
 * looks, as a memory controller would, only later: a thread of little appetite
 * fills pages of S that nobody has written, and whose P the guest uses.
 */
#ifndef CARREL_EMU_WRITEBACK_H
#define CARREL_EMU_WRITEBACK_H

#include <pthread.h>

#include "sev/emu/memory.h"

/* Starts the thread; it waits until the memory has a key, and ends with it. */
int writeback_start(struct memory *m, pthread_t *t) MUST_USE;

#endif
