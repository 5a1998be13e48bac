/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal: the log of the emulation: one line for each command of the secure
 * processor and for each event of the memory side, with the milliseconds since
 * the start. Lines go out whole, from the stub page; without a file they go
 * nowhere.
 */
#ifndef CARREL_EMU_JOURNAL_H
#define CARREL_EMU_JOURNAL_H

#include "vmm/num.h"

struct journal {
	int fd; /* -1: no journal */
	uint64_t start_ns;
};

int journal_open(struct journal *j, const char *path) MUST_USE;
void journal_line(const struct journal *j, const char *fmt, ...)
	PRINTF_LIKE(2, 3);

#endif
