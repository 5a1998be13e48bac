/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writeback: makes ciphertext of what a guest writes appear where the host
 * looks, as a memory controller would, only later: a thread of little appetite
 * fills pages of S that nobody has written, and whose P the guest uses.
 */
#ifndef CARREL_EMU_WRITEBACK_H
#define CARREL_EMU_WRITEBACK_H

#include "sev/emu/memory.h"

/* Starts the thread; it waits until the memory has a key. */
int writeback_start(struct memory *m) MUST_USE;

#endif
