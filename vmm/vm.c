/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vm: see the header.
 */
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>

#include "vmm/log.h"

#define POPULATE_MIN (64 * KIB)

/* The means by which the guest, KVM and we wake one another. */
static int open_loop(struct vm *vm)
{
	int rc = irq_open(&vm->irq, vm->kvm.vm_fd);

	vm->has_irq = true;
	if (!rc)
		rc = event_open(&vm->ev);
	if (!rc)
		rc = power_open(&vm->power);
	if (rc)
		log_error("interrupts and events: %s", strerror(-rc));
	return rc;
}

static uint64_t count_exits(const void *ctx)
{
	const struct vcpus *p = ctx;
	uint64_t n = 0;

	for (unsigned i = 0; i < p->n; i++)
		for (unsigned k = 0; k < VCPU_EXITS; k++)
			n += counter_get(&p->v[i].exits[k]);
	return n;
}

static void observe(struct vm *vm, const struct config *c, struct timeline *t)
{
	vm->pio.timeline = vm->mmio.timeline = vm->cpus.timeline = t;
	if (!t)
		return;
	t->firmware = c->firmware;
	t->exits = count_exits;
	t->exits_ctx = &vm->cpus;
}

int vm_open(struct vm *vm, const struct config *c, struct timeline *t)
{
	int rc;

	*vm = (struct vm){ .kvm = { .fd = -1, .vm_fd = -1 },
			   .ev.epoll_fd = -1,
			   .power.fd = -1 };
	pthread_mutex_init(&vm->bus_lock, NULL);
	bus_open(&vm->pio, &vm->bus_lock);
	bus_open(&vm->mmio, &vm->bus_lock);
	observe(vm, c, t);
	timeline_phase(t, "kvm");
	rc = kvm_open(&vm->kvm, c->sev.on);
	vm->sev.on = c->sev.on;
	if (!rc) {
		timeline_phase(t, "memory");
		rc = gmem_open(&vm->mem, c->memory);
		if (rc)
			log_error("--memory: %llu bytes of guest memory: %s",
				  (unsigned long long)c->memory, strerror(-rc));
	}
	return rc ? rc : open_loop(vm);
}

/* Each page that is copied would be a fault of its own: half as much more. */
static void populate(const struct vm *vm, const struct image *im)
{
	for (size_t i = 0; i < im->n_parts; i++)
		if (im->part[i].len >= POPULATE_MIN)
			gmem_populate(&vm->mem, im->part[i].at,
				      im->part[i].len);
}

int vm_load(struct vm *vm, const struct image *im)
{
	int rc;

	timeline_phase(vm->cpus.timeline, "image");
	populate(vm, im);
	rc = image_load(im, &vm->mem);
	if (rc) {
		log_error("the launch image does not fit the guest's memory: "
			  "%s",
			  strerror(-rc));
		return rc;
	}
	return kvm_map(&vm->kvm, &vm->mem, vm->sev.on);
}

int vm_add_cpus(struct vm *vm, unsigned n, const struct image *im)
{
	int rc;

	timeline_phase(vm->cpus.timeline, "cpus");
	vm->cpus.pio = &vm->pio;
	vm->cpus.mmio = &vm->mmio;
	vm->cpus.power = &vm->power;
	vm->cpus.start = im->start;
	rc = vcpus_open(&vm->cpus, &vm->kvm, n, &vm->sev, !vm->sev.on);
	if (!rc && !vm->sev.on)
		rc = kvm_get_chips(&vm->kvm, &vm->chips);
	return rc;
}

int vm_reset(struct vm *vm, const struct image *im)
{
	int rc;

	if (vm->sev.on)
		return -EOPNOTSUPP;
	rc = image_load(im, &vm->mem);
	if (!rc)
		rc = kvm_set_chips(&vm->kvm, &vm->chips);
	if (!rc)
		rc = vcpus_reset(&vm->cpus);
	return rc;
}

void vm_close(struct vm *vm)
{
	if (vm->cpus.n)
		vcpus_close(&vm->cpus);
	if (vm->power.fd >= 0)
		power_close(&vm->power);
	if (vm->ev.epoll_fd >= 0)
		event_close(&vm->ev);
	if (vm->has_irq)
		irq_close(&vm->irq);
	gmem_close(&vm->mem);
	kvm_close(&vm->kvm);
	pthread_mutex_destroy(&vm->bus_lock);
}
