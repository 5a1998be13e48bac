/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock: see the header. The mutex is the well-known three-state one: only a
 * holder that saw a 2 has to wake anybody.
 */
#include "sev/emu/lock.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>

#include "sev/emu/stub.h"

uint32_t word_get(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

void word_wait(uint32_t *word, uint32_t seen, unsigned ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	(void)STUB(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, ms ? &t : NULL, 0,
		   0);
}

void word_set(uint32_t *word, uint32_t v)
{
	__atomic_store_n(word, v, __ATOMIC_RELEASE);
	(void)STUB(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, 0, 0, 0);
}

void lock_take(struct lock *l)
{
	uint32_t free = 0;

	if (__atomic_compare_exchange_n(&l->word, &free, 1, false,
					__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(&l->word, 2, __ATOMIC_ACQUIRE))
		word_wait(&l->word, 2, 0);
}

void lock_drop(struct lock *l)
{
	if (__atomic_exchange_n(&l->word, 0, __ATOMIC_RELEASE) == 2)
		(void)STUB(SYS_futex, &l->word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
}
