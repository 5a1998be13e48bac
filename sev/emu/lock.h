/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock: a mutex and a wait, on futexes called from the stub page, because
 * the C library's own would meet the program's seccomp filter.
 */
#ifndef CARREL_EMU_LOCK_H
#define CARREL_EMU_LOCK_H

#include <stdbool.h>
#include <stdint.h>

struct lock {
	uint32_t word; /* 0 free, 1 held, 2 held and waited for */
};

void lock_take(struct lock *l);
void lock_drop(struct lock *l);

/* Sleeps while *word == seen, for at most ms milliseconds (0: no limit). */
void word_wait(uint32_t *word, uint32_t seen, unsigned ms);
/* Publishes v and wakes every sleeper. */
void word_set(uint32_t *word, uint32_t v);
uint32_t word_get(const uint32_t *word);

#endif
