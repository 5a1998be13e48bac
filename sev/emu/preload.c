/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preload: the functions of the C library that the emulation stands in front
 * of. They have no context parameter, so the one object of the library lives
 * here, in the only file-scope variable.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "sev/emu/emu.h"
#include "sev/emu/filter.h"
#include "sev/emu/hooks.h"
#include "sev/emu/lifetime.h"
#include "sev/emu/stub.h"

#define PUBLIC __attribute__((visibility("default")))
#define SEV_DEVICE "/dev/sev"

static struct emu emu;

/* The first call may come from another library's constructor. */
static struct emu *get(void)
{
	if (emu.next.ioctl)
		return &emu;
	emu.next.open = dlsym(RTLD_NEXT, "open");
	emu.next.openat = dlsym(RTLD_NEXT, "openat");
	emu.next.syscall = dlsym(RTLD_NEXT, "syscall");
	emu.next.prctl = dlsym(RTLD_NEXT, "prctl");
	emu.next.close = dlsym(RTLD_NEXT, "close");
	emu_begin(&emu);
	emu.next.ioctl = dlsym(RTLD_NEXT, "ioctl");
	return &emu;
}

__attribute__((constructor)) static void begin(void)
{
	(void)get();
}

__attribute__((destructor)) static void end(void)
{
	emu_end(&emu);
}

static int as_libc(int rc)
{
	if (rc >= 0)
		return rc;
	errno = -rc;
	return -1;
}

static int open_any(const char *path, int flags, mode_t mode)
{
	if (path && !strcmp(path, SEV_DEVICE))
		return as_libc(emu_open_sev(get(), flags));
	return get()->next.open(path, flags, mode);
}

static int openat_any(int at, const char *path, int flags, mode_t mode)
{
	if (path && !strcmp(path, SEV_DEVICE))
		return as_libc(emu_open_sev(get(), flags));
	return get()->next.openat(at, path, flags, mode);
}

/* An absent mode reads as whatever is in a register, and is not used. */
#define WITH_MODE(call)                                                        \
	do {                                                                   \
		va_list ap;                                                    \
		mode_t mode;                                                   \
		va_start(ap, flags);                                           \
		mode = va_arg(ap, mode_t);                                     \
		va_end(ap);                                                    \
		return call;                                                   \
	} while (0)

PUBLIC int open(const char *path, int flags, ...);
PUBLIC int open64(const char *path, int flags, ...);
PUBLIC int openat(int at, const char *path, int flags, ...);
PUBLIC int openat64(int at, const char *path, int flags, ...);
PUBLIC int ioctl(int fd, unsigned long request, ...);
PUBLIC int prctl(int option, ...);
PUBLIC int close(int fd);
PUBLIC long syscall(long nr, ...);
PUBLIC int __open_2(const char *path, int flags);
PUBLIC int __open64_2(const char *path, int flags);
PUBLIC int __openat_2(int at, const char *path, int flags);
PUBLIC int __openat64_2(int at, const char *path, int flags);

int open(const char *path, int flags, ...)
{
	WITH_MODE(open_any(path, flags, mode));
}

int open64(const char *path, int flags, ...)
{
	WITH_MODE(open_any(path, flags | O_LARGEFILE, mode));
}

int openat(int at, const char *path, int flags, ...)
{
	WITH_MODE(openat_any(at, path, flags, mode));
}

int openat64(int at, const char *path, int flags, ...)
{
	WITH_MODE(openat_any(at, path, flags | O_LARGEFILE, mode));
}

/* What a fortified program calls when it gives no mode. */
int __open_2(const char *path, int flags)
{
	return open_any(path, flags, 0);
}

int __open64_2(const char *path, int flags)
{
	return open_any(path, flags | O_LARGEFILE, 0);
}

int __openat_2(int at, const char *path, int flags)
{
	return openat_any(at, path, flags, 0);
}

int __openat64_2(int at, const char *path, int flags)
{
	return openat_any(at, path, flags | O_LARGEFILE, 0);
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	/* The kernel looks at 32 bits, and some callers extend the sign. */
	return as_libc(hooks_ioctl(get(), fd, (uint32_t)request, arg));
}

int close(int fd)
{
	lifetime_closing(get(), fd);
	return get()->next.close(fd);
}

/* A seccomp filter on its way to the kernel, with room for the stub page. */
struct extended {
	struct sock_filter code[BPF_MAXINSNS];
	struct sock_fprog prog;
};

static const void *extend(struct extended *x, uintptr_t prog)
{
	struct sock_fprog theirs;

	if (stub_copy_in(&theirs, prog, sizeof theirs) ||
	    filter_extend(&theirs, (uintptr_t)stub_page, x->code, &x->prog))
		return (const void *)prog; /* the kernel will refuse it */
	return &x->prog;
}

int prctl(int option, ...)
{
	struct extended x;
	unsigned long a[4];
	va_list ap;

	va_start(ap, option);
	for (size_t i = 0; i < ARRAY_LEN(a); i++)
		a[i] = va_arg(ap, unsigned long);
	va_end(ap);
	if (option == PR_SET_SECCOMP && a[0] == SECCOMP_MODE_FILTER)
		a[1] = (uintptr_t)extend(&x, a[1]);
	return get()->next.prctl(option, a[0], a[1], a[2], a[3]);
}

long syscall(long nr, ...)
{
	struct extended x;
	unsigned long a[6];
	va_list ap;

	va_start(ap, nr);
	for (size_t i = 0; i < ARRAY_LEN(a); i++)
		a[i] = va_arg(ap, unsigned long);
	va_end(ap);
	if (nr == SYS_ioctl)
		return ioctl((int)a[0], a[1], (void *)a[2]);
	if (nr == SYS_seccomp && a[0] == SECCOMP_SET_MODE_FILTER)
		a[2] = (uintptr_t)extend(&x, a[2]);
	return get()->next.syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}
