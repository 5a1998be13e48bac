/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vm: see the header. Each slot of a split VM is registered twice: at x, the
 * open view, and at x with the C-bit, P.
 */
#include "sev/emu/vm.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "sev/emu/msr.h"
#include "sev/emu/stub.h"
#include "sev/emu/trap.h"
#include "sev/emu/view.h"
#include "sev/emu/writeback.h"

#define HC_MAP_GPA_RANGE 12

void vm_begin(struct vm *vm, int fd, unsigned type, unsigned c_bit,
	      const struct journal *log)
{
	*vm = (struct vm){
		.fd = fd,
		.owner = (pid_t)STUB(SYS_getpid, 0, 0, 0, 0, 0, 0),
		.type = type,
		.c_bit = c_bit,
		.log = log,
	};
}

static struct slot *find_slot(struct vm *vm, uint32_t id)
{
	struct slot *free = NULL;

	for (unsigned i = 0; i < vm->slots; i++) {
		if (vm->slot[i].used && vm->slot[i].id == id)
			return &vm->slot[i];
		if (!vm->slot[i].used)
			free = &vm->slot[i];
	}
	if (!free && vm->slots < VM_SLOTS)
		free = &vm->slot[vm->slots++];
	return free;
}

static int set_region(const struct vm *vm, const struct slot *s, uint64_t len,
		      bool alias)
{
	struct kvm_userspace_memory_region r = {
		.slot = s->id,
		.flags = s->flags,
		.guest_phys_addr = s->gpa,
		.memory_size = len,
		.userspace_addr = s->at,
	};

	if (s->b)
		r.userspace_addr = (uintptr_t)s->b->open + s->off;
	if (alias) {
		r.slot += VM_ALIAS;
		r.guest_phys_addr |= 1ull << vm->c_bit;
		r.userspace_addr = (uintptr_t)s->b->closed + s->off;
		r.flags &= ~(uint32_t)KVM_MEM_LOG_DIRTY_PAGES;
	}
	return stub_ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &r);
}

/* len 0 takes the slot away. */
static int set_both(const struct vm *vm, const struct slot *s, uint64_t len)
{
	int rc = set_region(vm, s, len, false);

	if (rc || !s->b)
		return rc;
	rc = set_region(vm, s, len, true);
	if (rc && len) /* half a slot would be worse than none */
		(void)set_region(vm, s, 0, false);
	return rc;
}

/* Memory of a device of the host cannot be split: it stays as it is. */
static int set_split(struct vm *vm, struct slot *s)
{
	int rc = -EINVAL;

	if ((s->gpa + s->len - 1) >> vm->c_bit)
		return rc;
	rc = memory_adopt(&vm->mem, s->at, s->len, false, &s->b, &s->off);
	if (rc)
		s->b = NULL;
	rc = set_both(vm, s, s->len);
	journal_line(vm->log,
		     "slot id=0x%x gpa=0x%llx bytes=%llu at=0x%llx split=%d "
		     "error=%d",
		     s->id, (unsigned long long)s->gpa,
		     (unsigned long long)s->len, (unsigned long long)s->at,
		     s->b != NULL, rc);
	return rc;
}

static void publish(struct vm *vm, struct slot *s, const struct slot *now)
{
	lock_take(&vm->lock);
	*s = *now;
	lock_drop(&vm->lock);
}

static int set_slot(struct vm *vm, const struct kvm_userspace_memory_region *r)
{
	struct slot *s = find_slot(vm, r->slot);
	struct slot now = { .id = r->slot,
			    .flags = r->flags,
			    .gpa = r->guest_phys_addr,
			    .len = r->memory_size,
			    .at = r->userspace_addr };
	int rc;

	if (!s || (r->slot & 0xffff) >= VM_ALIAS)
		return -EINVAL;
	now.used = r->memory_size != 0;
	if (!now.used && s->used)
		rc = set_both(vm, s, 0);
	else if (now.used && vm->sev)
		rc = set_split(vm, &now);
	else
		rc = stub_ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, r);
	if (!rc)
		publish(vm, s, &now);
	return rc;
}

/*
 * KVM waits here until no vCPU uses the old slots, and one may be waiting for
 * trap.c, which needs vm->lock: so that one cannot be held meanwhile.
 */
int vm_set_slot(struct vm *vm, const struct kvm_userspace_memory_region *r)
{
	int rc;

	lock_take(&vm->setting);
	rc = set_slot(vm, r);
	lock_drop(&vm->setting);
	return rc;
}

static int split_slots(struct vm *vm)
{
	int rc = 0;

	for (unsigned i = 0; !rc && i < vm->slots; i++) {
		struct slot now = vm->slot[i];

		if (!now.used)
			continue;
		rc = set_region(vm, &now, 0, false);
		if (!rc)
			rc = set_split(vm, &now);
		if (!rc)
			publish(vm, &vm->slot[i], &now);
	}
	return rc;
}

int vm_split(struct vm *vm)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_EXIT_HYPERCALL,
				      .args = { 1 << HC_MAP_GPA_RANGE } };
	int rc = memory_open(&vm->mem, vm->log);

	if (!rc)
		rc = stub_ioctl(vm->fd, KVM_ENABLE_CAP, &cap);
	if (!rc)
		rc = msr_begin(vm);
	if (!rc)
		rc = trap_start(vm);
	if (!rc)
		rc = writeback_start(&vm->mem, &vm->writer);
	if (rc)
		return rc;
	lock_take(&vm->setting);
	vm->sev = true;
	rc = split_slots(vm);
	lock_drop(&vm->setting);
	return rc;
}

struct block *vm_block(struct vm *vm, uint64_t gpa, uint64_t *off)
{
	for (unsigned i = 0; i < vm->slots; i++) {
		const struct slot *s = &vm->slot[i];

		if (!s->used || !s->b || gpa - s->gpa >= s->len)
			continue;
		*off = s->off + (gpa - s->gpa);
		return s->b;
	}
	return NULL;
}

bool vm_address(struct vm *vm, const struct block *b, uint64_t off,
		uint64_t *gpa)
{
	for (unsigned i = 0; i < vm->slots; i++) {
		const struct slot *s = &vm->slot[i];

		if (!s->used || s->b != b || off - s->off >= s->len)
			continue;
		*gpa = s->gpa + (off - s->off);
		return true;
	}
	return false;
}

static void convert_slot(struct vm *vm, const struct slot *s, uint64_t gpa,
			 uint64_t end, bool private)
{
	uint64_t from = max_u64(gpa, s->gpa);
	uint64_t to = min_u64(end, s->gpa + s->len);
	uint64_t off;

	if (from >= to)
		return;
	off = s->off + (from - s->gpa);
	lock_take(&vm->mem.lock);
	if (private)
		view_close(&vm->mem, s->b, off, to - from);
	else
		view_open(&vm->mem, s->b, off, to - from);
	lock_drop(&vm->mem.lock);
}

void vm_convert(struct vm *vm, uint64_t gpa, uint64_t len, bool private)
{
	uint64_t end;

	gpa &= ~(1ull << vm->c_bit);
	if (gpa % PAGE || len % PAGE || !add_u64(gpa, len, &end))
		return;
	lock_take(&vm->lock);
	vm->conversions++;
	for (unsigned i = 0; i < vm->slots; i++)
		if (vm->slot[i].used && vm->slot[i].b)
			convert_slot(vm, &vm->slot[i], gpa, end, private);
	lock_drop(&vm->lock);
}

int vm_add_vcpu(struct vm *vm, int fd)
{
	struct vcpu *v;

	if (vm->vcpus == VM_VCPUS)
		return -ENOSPC;
	v = &vm->vcpu[vm->vcpus];
	*v = (struct vcpu){ .fd = fd, .vm = vm };
	v->run = stub_map(NULL, sizeof *v->run, PROT_READ | PROT_WRITE,
			  MAP_SHARED, fd);
	if (!v->run)
		return -ENOMEM;
	vm->vcpus++;
	return 0;
}

static void close_vcpu(struct vcpu *v)
{
	stub_unmap(v->run, sizeof *v->run); /* or KVM would keep the VM */
	*v = (struct vcpu){ .fd = -1, .vm = v->vm };
}

bool vm_forget(struct vm *vm, int fd)
{
	bool open;

	if (vm->fd == fd)
		vm->fd = -1;
	open = vm->fd >= 0;
	lock_take(&vm->lock);
	for (unsigned i = 0; i < vm->vcpus; i++) {
		if (vm->vcpu[i].fd == fd)
			close_vcpu(&vm->vcpu[i]);
		open |= vm->vcpu[i].fd >= 0;
	}
	lock_drop(&vm->lock);
	return !open;
}

void vm_report(const struct vm *vm)
{
	journal_line(vm->log,
		     "vm guest=%u conversions=%llu trapped-private=%llu "
		     "trapped-shared=%llu unanswered=%llu",
		     vm->handle, (unsigned long long)vm->conversions,
		     (unsigned long long)vm->trapped[VIEW_PRIVATE],
		     (unsigned long long)vm->trapped[VIEW_SHARED],
		     (unsigned long long)vm->late);
}

void vm_end(struct vm *vm)
{
	for (unsigned i = 0; i < vm->vcpus; i++)
		if (vm->vcpu[i].fd >= 0)
			close_vcpu(&vm->vcpu[i]);
	if (!vm->sev)
		return;
	vm_report(vm);
	word_set(&vm->mem.over, 1);
	pthread_join(vm->trapper, NULL);
	pthread_join(vm->writer, NULL);
	memory_close(&vm->mem);
}
