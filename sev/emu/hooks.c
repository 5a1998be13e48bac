/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hooks: see the header. Every call that KVM itself gets is made by the C
 * library and so is judged by the program's seccomp filter; a call that ends
 * here is shown to that filter first, with a descriptor that leads nowhere.
 */
#include "sev/emu/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "sev/emu/cpuid.h"
#include "sev/emu/kernel.h"
#include "sev/emu/lifetime.h"
#include "sev/emu/msr.h"
#include "sev/emu/stub.h"
#include "sev/emu/vcpu.h"

#define HC_MAP_GPA_RANGE 12

static void show_filter(const struct emu *e, unsigned long request, void *arg)
{
	(void)e->next.ioctl(-1, request, arg);
}

struct kernel_call {
	struct emu *e;
	struct vm *vm; /* NULL: a command for the platform */
	uint64_t arg;
	bool writable;
	int rc;
};

static void run_kernel(void *arg)
{
	struct kernel_call *k = arg;

	k->rc = k->vm ? kernel_guest(k->e, k->vm, k->arg)
		      : kernel_platform(k->e, k->arg, k->writable);
}

static int on_processor(struct kernel_call *k)
{
	int rc = mailbox_call(&k->e->box, run_kernel, k);

	return rc ? rc : k->rc;
}

static int issue_cmd(struct emu *e, int fd, void *arg)
{
	struct kernel_call k = { .e = e, .arg = (uintptr_t)arg };
	long flags;

	if (!emu_is_sev(e, fd))
		return emu_ioctl(e, fd, SEV_ISSUE_CMD, arg);
	show_filter(e, SEV_ISSUE_CMD, arg);
	flags = STUB(SYS_fcntl, fd, F_GETFL, 0, 0, 0, 0);
	k.writable = flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
	return on_processor(&k);
}

static int encrypt_op(struct emu *e, int fd, void *arg)
{
	struct kernel_call k = { .e = e,
				 .vm = emu_vm(e, fd),
				 .arg = (uintptr_t)arg };
	int rc;

	if (!k.vm)
		return emu_ioctl(e, fd, KVM_MEMORY_ENCRYPT_OP, arg);
	show_filter(e, KVM_MEMORY_ENCRYPT_OP, arg);
	rc = emu_start(e);
	if (rc || !arg) /* without one: a question if it exists */
		return rc;
	return on_processor(&k);
}

static int run(struct emu *e, int fd, void *arg)
{
	struct vcpu *v = emu_vcpu(e, fd);

	if (!v || !v->vm->sev)
		return emu_ioctl(e, fd, KVM_RUN, arg);
	return vcpu_run(v, e, arg);
}

static int set_slot(struct emu *e, int fd, void *arg)
{
	struct vm *vm = emu_vm(e, fd);
	struct kvm_userspace_memory_region r;
	int rc;

	if (!vm)
		return emu_ioctl(e, fd, KVM_SET_USER_MEMORY_REGION, arg);
	show_filter(e, KVM_SET_USER_MEMORY_REGION, arg);
	rc = stub_copy_in(&r, (uintptr_t)arg, sizeof r);
	return rc ? rc : vm_set_slot(vm, &r);
}

static int set_slot2(struct emu *e, int fd, void *arg)
{
	struct vm *vm = emu_vm(e, fd);
	struct uapi_region2 r;
	struct kvm_userspace_memory_region old;
	int rc;

	if (!vm)
		return emu_ioctl(e, fd, UAPI_SET_REGION2, arg);
	show_filter(e, UAPI_SET_REGION2, arg);
	rc = stub_copy_in(&r, (uintptr_t)arg, sizeof r);
	if (rc)
		return rc;
	if (r.flags & ~(uint32_t)(KVM_MEM_READONLY | KVM_MEM_LOG_DIRTY_PAGES))
		return vm->sev ? -EINVAL
			       : emu_ioctl(e, fd, UAPI_SET_REGION2, arg);
	old = (struct kvm_userspace_memory_region){ r.slot, r.flags,
						    r.guest_phys_addr,
						    r.memory_size,
						    r.userspace_addr };
	return vm_set_slot(vm, &old);
}

/* A pinned range: what it says of a mapping's size is used to split it. */
static int reg_region(struct emu *e, int fd, void *arg)
{
	struct vm *vm = emu_vm(e, fd);
	struct kvm_enc_region r;
	struct block *b;
	uint64_t off, end;
	int rc;

	show_filter(e, KVM_MEMORY_ENCRYPT_REG_REGION, arg);
	if (!vm || !vm->sev)
		return -ENOTTY;
	rc = stub_copy_in(&r, (uintptr_t)arg, sizeof r);
	if (rc)
		return rc;
	if (!r.size || !add_u64(r.addr, r.size, &end))
		return -EINVAL;
	if (vm->regions == VM_REGIONS)
		return -ENOMEM;
	rc = memory_adopt(&vm->mem, r.addr, r.size, false, &b, &off);
	if (rc)
		return rc == -EFAULT ? -ENOMEM : rc;
	vm->region[vm->regions++] = (struct region){ r.addr, r.size };
	return 0;
}

static int unreg_region(struct emu *e, int fd, void *arg)
{
	struct vm *vm = emu_vm(e, fd);
	struct kvm_enc_region r;
	int rc;

	show_filter(e, KVM_MEMORY_ENCRYPT_UNREG_REGION, arg);
	if (!vm || !vm->sev)
		return -ENOTTY;
	rc = stub_copy_in(&r, (uintptr_t)arg, sizeof r);
	for (unsigned i = 0; !rc && i < vm->regions; i++) {
		if (vm->region[i].at != r.addr || vm->region[i].len != r.size)
			continue;
		vm->region[i] = vm->region[--vm->regions];
		return 0;
	}
	return rc ? rc : -EINVAL;
}

static int check_extension(struct emu *e, int fd, void *arg)
{
	int rc = emu_ioctl(e, fd, KVM_CHECK_EXTENSION, arg);

	switch ((uintptr_t)arg) {
	case UAPI_CAP_VM_TYPES:
		return (rc > 0 ? rc : 0) | 1 << UAPI_VM_DEFAULT |
		       1 << UAPI_VM_SEV;
	case KVM_CAP_NR_MEMSLOTS: return rc > VM_ALIAS ? VM_ALIAS - 1 : rc;
	default: return rc;
	}
}

static int enable_cap(struct emu *e, int fd, void *arg)
{
	struct vm *vm = emu_vm(e, fd);
	struct kvm_enable_cap c;
	int rc;

	if (!vm || !vm->sev)
		return emu_ioctl(e, fd, KVM_ENABLE_CAP, arg);
	rc = stub_copy_in(&c, (uintptr_t)arg, sizeof c);
	if (rc)
		return rc;
	if (c.cap == KVM_CAP_X86_USER_SPACE_MSR)
		c.args[0] |= KVM_MSR_EXIT_REASON_FILTER;
	else if (c.cap == KVM_CAP_EXIT_HYPERCALL)
		c.args[0] |= 1 << HC_MAP_GPA_RANGE;
	return emu_ioctl(e, fd, KVM_ENABLE_CAP, &c);
}

static int set_msr_filter(struct emu *e, int fd, void *arg)
{
	struct vm *vm = emu_vm(e, fd);
	struct kvm_msr_filter f;
	int rc;

	if (!vm || !vm->sev)
		return emu_ioctl(e, fd, KVM_X86_SET_MSR_FILTER, arg);
	show_filter(e, KVM_X86_SET_MSR_FILTER, arg);
	rc = stub_copy_in(&f, (uintptr_t)arg, sizeof f);
	return rc ? rc : msr_filter(vm, &f);
}

union cpuid_copy {
	struct kvm_cpuid2 c;
	uint8_t room[sizeof(struct kvm_cpuid2) +
		     CPUID_MAX * sizeof(struct kvm_cpuid_entry2)];
};

static int get_supported(struct emu *e, int fd, void *arg)
{
	struct kvm_cpuid2 *c = arg;
	uint32_t room = 0;
	int rc = stub_copy_in(&room, (uintptr_t)arg, sizeof room);

	if (!rc)
		rc = emu_ioctl(e, fd, KVM_GET_SUPPORTED_CPUID, arg);
	/* KVM has just written to it: it can be changed in place. */
	return rc ? rc : cpuid_offer(c, room, e->c_bit);
}

static int set_cpuid(struct emu *e, int fd, void *arg)
{
	struct vcpu *v = emu_vcpu(e, fd);
	union cpuid_copy u;
	size_t len;
	int rc;

	if (!v || !v->vm->sev)
		return emu_ioctl(e, fd, KVM_SET_CPUID2, arg);
	rc = stub_copy_in(&u.c, (uintptr_t)arg, sizeof u.c);
	if (rc)
		return rc;
	if (u.c.nent > CPUID_MAX)
		return -E2BIG;
	len = sizeof u.c + u.c.nent * sizeof u.c.entries[0];
	rc = stub_copy_in(u.room, (uintptr_t)arg, len);
	if (rc)
		return rc;
	cpuid_guest(&u.c, e->c_bit);
	return emu_ioctl(e, fd, KVM_SET_CPUID2, &u.c);
}

/* Where vcpu.c moved the APIC to is nobody's business. */
static int get_sregs(struct emu *e, int fd, void *arg)
{
	struct vcpu *v = emu_vcpu(e, fd);
	struct kvm_sregs *s = arg;
	int rc = emu_ioctl(e, fd, KVM_GET_SREGS, arg);

	if (!rc && v && v->vm->sev)
		s->apic_base &= ~(1ull << e->c_bit);
	return rc;
}

static int get_sregs2(struct emu *e, int fd, void *arg)
{
	struct vcpu *v = emu_vcpu(e, fd);
	struct kvm_sregs2 *s = arg;
	int rc = emu_ioctl(e, fd, KVM_GET_SREGS2, arg);

	if (!rc && v && v->vm->sev)
		s->apic_base &= ~(1ull << e->c_bit);
	return rc;
}

/* Which features a SEV-ES guest may have: there is no SEV-ES here. */
static int device_attr(struct emu *e, int fd, void *arg, bool get)
{
	unsigned long request = get ? KVM_GET_DEVICE_ATTR : KVM_HAS_DEVICE_ATTR;
	const uint64_t features = 0;
	struct kvm_device_attr a;
	int rc = stub_copy_in(&a, (uintptr_t)arg, sizeof a);

	if (rc)
		return rc;
	if (!emu_is_kvm(fd) || a.group != UAPI_GRP_SEV ||
	    a.attr != UAPI_SEV_VMSA_FEATURES)
		return emu_ioctl(e, fd, request, arg);
	show_filter(e, request, arg);
	return get ? stub_copy_out(a.addr, &features, sizeof features) : 0;
}

static int has_attr(struct emu *e, int fd, void *arg)
{
	return device_attr(e, fd, arg, false);
}

static int get_attr(struct emu *e, int fd, void *arg)
{
	return device_attr(e, fd, arg, true);
}

int hooks_ioctl(struct emu *e, int fd, uint32_t request, void *arg)
{
	static const struct {
		unsigned long request;
		int (*run)(struct emu *e, int fd, void *arg);
	} hooks[] = {
		{ KVM_RUN, run },
		{ KVM_GET_SREGS, get_sregs },
		{ KVM_GET_SREGS2, get_sregs2 },
		{ KVM_SET_USER_MEMORY_REGION, set_slot },
		{ UAPI_SET_REGION2, set_slot2 },
		{ KVM_CREATE_VM, lifetime_create_vm },
		{ KVM_CREATE_VCPU, lifetime_create_vcpu },
		{ KVM_CHECK_EXTENSION, check_extension },
		{ KVM_ENABLE_CAP, enable_cap },
		{ KVM_GET_SUPPORTED_CPUID, get_supported },
		{ KVM_SET_CPUID2, set_cpuid },
		{ KVM_X86_SET_MSR_FILTER, set_msr_filter },
		{ KVM_HAS_DEVICE_ATTR, has_attr },
		{ KVM_GET_DEVICE_ATTR, get_attr },
		{ KVM_MEMORY_ENCRYPT_OP, encrypt_op },
		{ KVM_MEMORY_ENCRYPT_REG_REGION, reg_region },
		{ KVM_MEMORY_ENCRYPT_UNREG_REGION, unreg_region },
		{ SEV_ISSUE_CMD, issue_cmd },
	};

	for (size_t i = 0; i < ARRAY_LEN(hooks); i++)
		if (request == (uint32_t)hooks[i].request)
			return hooks[i].run(e, fd, arg);
	return emu_ioctl(e, fd, request, arg);
}
