/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stub: the emulation's own system calls, all made from one page of code.
 * filter.c lets exactly that page pass the seccomp filters a program installs,
 * so the emulation works inside a sandbox that knows nothing of it. A call
 * that belongs to the program never goes through here: its filter judges it.
 */
#ifndef CARREL_EMU_STUB_H
#define CARREL_EMU_STUB_H

#include <stddef.h>
#include <stdint.h>

#define STUB_PAGE_BYTES 4096

/* The page itself: its address, and a place to return to from a signal. */
extern const char stub_page[];
void stub_sigreturn(void);

/* Returns what the kernel returns: a value, or -errno. */
long stub_call(long nr, long a, long b, long c, long d, long e, long f);

#define STUB(nr, a, b, c, d, e, f)                                             \
	stub_call((nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), \
		  (long)(f))

int stub_ioctl(int fd, unsigned long request, const void *arg);
int stub_close(int fd);
long stub_gettid(void);

/* Memory: MAP_FAILED never comes back, NULL says that it did not work. */
void *stub_map(void *at, size_t len, int prot, int flags, int fd);
/* The pages of a shared mapping, mapped once more: at `at`, or anywhere. */
void *stub_map_again(const void *shared, size_t len, void *at);
void stub_unmap(void *at, size_t len);
/* A fresh shared mapping without a name; *fd stays open when fd != NULL. */
void *stub_map_new(size_t len, int *fd);

/*
 * The program's memory, by address: an address that is not mapped gives
 * -EFAULT, as it does when the kernel copies.
 */
int stub_copy_in(void *dst, uint64_t from, size_t len);
int stub_copy_out(uint64_t to, const void *src, size_t len);

#endif
