/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emu: see the header.
 */
#include "sev/emu/emu.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "sev/emu/cpuid.h"
#include "sev/emu/stub.h"
#include "vmm/log.h"

#define MISC_MAJOR 10
#define KVM_MINOR 232

void emu_begin(struct emu *e)
{
	int rc = options_read(&e->opt);

	log_program("carrel-emu");
	e->sev_fd = -1;
	e->log.fd = -1;
	e->c_bit = cpuid_c_bit();
	if (rc)
		log_error("an option in the environment is "
			  "not usable; the launcher checks them");
	rc = rc ? 0 : journal_open(&e->log, e->opt.log);
	if (rc)
		log_error("%s: %s", e->opt.log, strerror(-rc));
}

void emu_end(struct emu *e)
{
	for (size_t i = 0; i < EMU_VMS; i++)
		if (e->vm[i] && e->vm[i]->sev)
			vm_report(e->vm[i]);
}

static void start_psp(void *arg)
{
	struct emu *e = arg;
	int rc;

	if (e->psp_up)
		return;
	rc = psp_open(&e->psp, &e->opt, &e->log);
	e->psp_up = !rc;
	if (rc)
		log_error("identity %s: %s", e->opt.identity, strerror(-rc));
}

int emu_start(struct emu *e)
{
	int rc = mailbox_call(&e->box, start_psp, e);

	if (rc)
		return rc;
	return e->psp_up ? 0 : -EIO;
}

/*
 * Behind /dev/sev is one file without a name. It is recognised by its inode,
 * so duplicates of the descriptor, or ones that were inherited, work too.
 */
int emu_open_sev(struct emu *e, int flags)
{
	char path[32];
	struct stat st;
	long fd;
	int rc = emu_start(e);

	if (rc)
		return rc;
	if (e->sev_fd < 0) {
		fd = STUB(SYS_memfd_create, "dev-sev", MFD_CLOEXEC, 0, 0, 0, 0);
		if (fd < 0)
			return (int)fd;
		e->sev_fd =
			(int)STUB(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 200, 0, 0, 0);
		stub_close((int)fd);
		if (e->sev_fd < 0 ||
		    STUB(SYS_fstat, e->sev_fd, &st, 0, 0, 0, 0))
			return -EIO;
		e->sev_device = st.st_dev;
		e->sev_inode = st.st_ino;
	}
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", e->sev_fd);
	fd = STUB(SYS_openat, AT_FDCWD, path,
		  flags & (O_ACCMODE | O_CLOEXEC | O_NONBLOCK), 0, 0, 0);
	return (int)fd;
}

bool emu_is_sev(const struct emu *e, int fd)
{
	struct stat st = { 0 };

	return e->sev_inode && !STUB(SYS_fstat, fd, &st, 0, 0, 0, 0) &&
	       st.st_dev == e->sev_device && st.st_ino == e->sev_inode;
}

bool emu_is_kvm(int fd)
{
	struct stat st = { 0 };

	return !STUB(SYS_fstat, fd, &st, 0, 0, 0, 0) && S_ISCHR(st.st_mode) &&
	       st.st_rdev == makedev(MISC_MAJOR, KVM_MINOR);
}

struct vm *emu_vm(struct emu *e, int fd)
{
	for (size_t i = 0; fd >= 0 && i < EMU_VMS; i++)
		if (e->vm[i] && e->vm[i]->fd == fd)
			return e->vm[i];
	return NULL;
}

struct vcpu *emu_vcpu(struct emu *e, int fd)
{
	for (size_t i = 0; fd >= 0 && i < EMU_VMS; i++) {
		struct vm *vm = e->vm[i];

		for (unsigned n = 0; vm && n < vm->vcpus; n++)
			if (vm->vcpu[n].fd == fd)
				return &vm->vcpu[n];
	}
	return NULL;
}

int emu_ioctl(const struct emu *e, int fd, unsigned long request, void *arg)
{
	int rc = e->next.ioctl(fd, request, arg);

	return rc < 0 ? -errno : rc;
}
