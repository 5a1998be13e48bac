/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vm: the machine without its devices: KVM, memory, CPUs, buses, interrupts and
 * the main thread's loop. Built in the order of the functions below; main.c is
 * the recipe.
 */
#ifndef CARREL_VMM_VM_H
#define CARREL_VMM_VM_H

#include "vmm/bus.h"
#include "vmm/config.h"
#include "vmm/event.h"
#include "vmm/image.h"
#include "vmm/irq.h"
#include "vmm/kvm.h"
#include "vmm/power.h"
#include "vmm/vcpu.h"

struct vm {
	struct kvm kvm;
	struct gmem mem;
	pthread_mutex_t bus_lock;
	struct bus pio, mmio;
	struct irq irq;
	bool has_irq;
	struct event ev;
	struct power power;
	struct vcpus cpus;
	struct kvm_chips chips; /* their power-on state */
	struct cpuid_sev sev;
};

/*
 * KVM's VM, RAM, buses, interrupts and loop. With SEV asked for, sev.on is set;
 * the launch, which comes next, knows what else goes into sev. t, which may be
 * NULL, is told of this and of what the guest does later.
 */
int vm_open(struct vm *vm, const struct config *c, struct timeline *t) MUST_USE;

/* Copies the image into memory and gives all memory to KVM. */
int vm_load(struct vm *vm, const struct image *im) MUST_USE;

/* Makes the vCPUs, as the image starts them; keeps what a reset needs. */
int vm_add_cpus(struct vm *vm, unsigned n, const struct image *im) MUST_USE;

/*
 * Everything but the devices back to power-on, the image copied again. vCPUs
 * are parked. -EOPNOTSUPP in a SEV guest: its memory is not ours to write.
 */
int vm_reset(struct vm *vm, const struct image *im) MUST_USE;

void vm_close(struct vm *vm);

#endif
