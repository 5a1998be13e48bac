/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lifetime: see the header. A VM lives until its own descriptor and those of
 * its vCPUs are closed, as in KVM. A descriptor may vanish unseen, by dup2(2)
 * or close_range(2): then its number says so when it comes again.
 */
#include "sev/emu/lifetime.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "sev/emu/stub.h"
#include "sev/emu/uapi.h"

struct farewell {
	struct emu *e;
	const struct vm *vm;
};

static void decommission(void *arg)
{
	const struct farewell *f = arg;
	struct psp_request r = { .id = PSP_DECOMMISSION,
				 .handle = f->vm->handle };

	if (psp_execute(&f->e->psp, &r, NULL))
		journal_line(&f->e->log, "guest %u was gone already",
			     f->vm->handle);
}

static bool is_own(const struct vm *vm)
{
	return vm->owner == (pid_t)STUB(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

/* A child of fork(2) has neither the threads nor the memory. */
static void end(struct emu *e, struct vm **place)
{
	struct vm *vm = *place;
	struct farewell f = { e, vm };

	*place = NULL;
	if (is_own(vm)) {
		vm_end(vm);
		if (vm->handle && mailbox_call(&e->box, decommission, &f))
			journal_line(&e->log, "guest %u stays", vm->handle);
	}
	stub_unmap(vm, sizeof *vm);
}

static bool knows(const struct vm *vm, int fd)
{
	bool found = vm->fd == fd;

	for (unsigned i = 0; !found && i < vm->vcpus; i++)
		found = vm->vcpu[i].fd == fd;
	return found;
}

/* The lock is held. */
static void forget(struct emu *e, int fd)
{
	for (size_t i = 0; i < EMU_VMS; i++)
		if (e->vm[i] && knows(e->vm[i], fd) && vm_forget(e->vm[i], fd))
			end(e, &e->vm[i]);
}

void lifetime_closing(struct emu *e, int fd)
{
	bool known = false;

	for (size_t i = 0; fd >= 0 && !known && i < EMU_VMS; i++)
		known = e->vm[i] && is_own(e->vm[i]) && knows(e->vm[i], fd);
	if (!known)
		return;
	lock_take(&e->lock);
	forget(e, fd);
	lock_drop(&e->lock);
}

static struct vm *new_vm(struct emu *e, int fd, unsigned type)
{
	struct vm *vm;
	size_t i;

	forget(e, fd);
	for (i = 0; i < EMU_VMS && e->vm[i]; i++)
		;
	if (i == EMU_VMS)
		return NULL;
	vm = stub_map(NULL, sizeof *vm, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1);
	if (vm)
		vm_begin(vm, fd, type, e->c_bit, &e->log);
	e->vm[i] = vm;
	return vm;
}

int lifetime_create_vm(struct emu *e, int fd, void *arg)
{
	unsigned type = (unsigned)(uintptr_t)arg;
	bool sev = type == UAPI_VM_SEV;
	int vm_fd = emu_ioctl(e, fd, KVM_CREATE_VM, sev ? NULL : arg);
	struct vm *vm;

	if (vm_fd < 0)
		return vm_fd;
	lock_take(&e->lock);
	vm = new_vm(e, vm_fd, type);
	lock_drop(&e->lock);
	if (!vm && sev) {
		stub_close(vm_fd);
		return -ENOMEM;
	}
	return vm_fd;
}

int lifetime_create_vcpu(struct emu *e, int fd, void *arg)
{
	int vcpu_fd = emu_ioctl(e, fd, KVM_CREATE_VCPU, arg);
	struct vm *vm = emu_vm(e, fd);
	int rc;

	if (vcpu_fd < 0 || !vm)
		return vcpu_fd;
	lock_take(&e->lock);
	forget(e, vcpu_fd);
	lock_drop(&e->lock);
	lock_take(&vm->lock);
	rc = vm_add_vcpu(vm, vcpu_fd);
	lock_drop(&vm->lock);
	if (!rc || !vm->sev)
		return vcpu_fd;
	stub_close(vcpu_fd);
	return rc;
}
