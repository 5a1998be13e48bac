/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stub: see the header.
 */
#include "sev/emu/stub.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/*
 * seccomp sees the address after the instruction `syscall`: every one that is
 * ours lies in this page, and nothing else does.
 */
__asm__("	.pushsection .text.carrel_stub, \"ax\", @progbits\n"
	"	.balign 4096\n"
	"	.globl stub_page, stub_call, stub_sigreturn\n"
	"	.hidden stub_page, stub_call, stub_sigreturn\n"
	"	.type stub_call, @function\n"
	"	.type stub_sigreturn, @function\n"
	"stub_page:\n"
	"stub_call:\n"
	"	mov %rdi, %rax\n"
	"	mov %rsi, %rdi\n"
	"	mov %rdx, %rsi\n"
	"	mov %rcx, %rdx\n"
	"	mov %r8, %r10\n"
	"	mov %r9, %r8\n"
	"	mov 8(%rsp), %r9\n"
	"	syscall\n"
	"	ret\n"
	"stub_sigreturn:\n"
	"	mov $15, %eax\n"
	"	syscall\n"
	"	.balign 4096\n"
	"	.popsection\n");

int stub_ioctl(int fd, unsigned long request, const void *arg)
{
	return (int)STUB(SYS_ioctl, fd, request, arg, 0, 0, 0);
}

int stub_close(int fd)
{
	return (int)STUB(SYS_close, fd, 0, 0, 0, 0, 0);
}

long stub_gettid(void)
{
	return STUB(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

static void *pointer_or_null(long r)
{
	return r < 0 && r > -4096 ? NULL : (void *)r;
}

void *stub_map(void *at, size_t len, int prot, int flags, int fd)
{
	return pointer_or_null(STUB(SYS_mmap, at, len, prot, flags, fd, 0));
}

/* mremap(2): an old size of zero duplicates a shared mapping. */
void *stub_map_again(const void *shared, size_t len, void *at)
{
	int flags = MREMAP_MAYMOVE | (at ? MREMAP_FIXED : 0);

	return pointer_or_null(STUB(SYS_mremap, shared, 0, len, flags, at, 0));
}

void stub_unmap(void *at, size_t len)
{
	if (at)
		(void)STUB(SYS_munmap, at, len, 0, 0, 0, 0);
}

void *stub_map_new(size_t len, int *fd)
{
	int f = (int)STUB(SYS_memfd_create, "carrel-emu", MFD_CLOEXEC, 0, 0, 0,
			  0);
	void *at = NULL;

	if (f < 0)
		return NULL;
	if (!STUB(SYS_ftruncate, f, len, 0, 0, 0, 0))
		at = stub_map(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, f);
	if (at && fd)
		*fd = f;
	else
		stub_close(f);
	return at;
}

static int vm_copy(long nr, void *mine, uint64_t theirs, size_t len)
{
	struct iovec local = { mine, len };
	struct iovec remote = { (void *)(uintptr_t)theirs, len };
	long pid = STUB(SYS_getpid, 0, 0, 0, 0, 0, 0);
	long n;

	if (!len)
		return 0;
	n = STUB(nr, pid, &local, 1, &remote, 1, 0);
	return n == (long)len ? 0 : -EFAULT;
}

int stub_copy_in(void *dst, uint64_t from, size_t len)
{
	return vm_copy(SYS_process_vm_readv, dst, from, len);
}

int stub_copy_out(uint64_t to, const void *src, size_t len)
{
	return vm_copy(SYS_process_vm_writev, (void *)(uintptr_t)src, to, len);
}
