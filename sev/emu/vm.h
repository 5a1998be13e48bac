/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vm: one VM of the program: its memory slots, its vCPUs, and what became of
 * it when the program asked for SEV. A VM that never asks is only noted here:
 * its calls go to KVM as they are. The program is trusted with its own VM; the
 * guest is not, and reaches this code through trap.h and vcpu.h.
 */
#ifndef CARREL_EMU_VM_H
#define CARREL_EMU_VM_H

#include <linux/kvm.h>
#include <pthread.h>

#include "sev/emu/memory.h"
#include "sev/emu/view.h"

#define VM_SLOTS 512
#define VM_VCPUS 288
#define VM_REGIONS 64

/* The second half of KVM's slot numbers: where the C-bit leads. */
#define VM_ALIAS 16384

struct slot {
	bool used;
	uint32_t id; /* address space << 16 | number */
	uint32_t flags;
	uint64_t gpa, len, at;
	struct block *b; /* NULL: not memory that can be split */
	uint64_t off;
};

struct vcpu {
	int fd; /* -1: closed */
	uint32_t tid; /* of the thread that runs it; 0: nobody */
	bool in_run;
	bool asked; /* trap.c waits for this one */
	struct kvm_run *run; /* a mapping of our own */
	struct vm *vm;
};

/* One guest access that somebody has to judge; guarded by vm->lock. */
struct question {
	const struct fault *f;
	bool worker; /* the kernel's, not a vCPU's thread */
	unsigned unanswered;
	enum view answer;
	unsigned pages; /* that the answer holds for */
	uint32_t done; /* trap.c sleeps on it */
};

struct region {
	uint64_t at, len; /* KVM_MEMORY_ENCRYPT_REG_REGION */
};

struct vm {
	int fd; /* -1: closed */
	pid_t owner; /* a child that forgets its copy ends nothing */
	unsigned type; /* of KVM_CREATE_VM */
	bool sev;
	unsigned c_bit;
	uint32_t handle; /* the processor's name for the guest; 0: none */
	const struct journal *log;
	struct lock setting; /* held while the program sets a slot */
	struct lock lock; /* slots, vCPUs, question */
	unsigned slots, vcpus, regions;
	struct slot slot[VM_SLOTS];
	struct vcpu vcpu[VM_VCPUS];
	struct region region[VM_REGIONS];
	struct memory mem;
	struct question question;
	pthread_t trapper, writer;
	uint64_t conversions, trapped[3], late;
};

void vm_begin(struct vm *vm, int fd, unsigned type, unsigned c_bit,
	      const struct journal *log);

/* Gives a VM two kinds of memory; its slots so far are set again. */
int vm_split(struct vm *vm) MUST_USE;

/* KVM_SET_USER_MEMORY_REGION of the program. */
int vm_set_slot(struct vm *vm,
		const struct kvm_userspace_memory_region *r) MUST_USE;

/* The block behind a guest address without C-bit; the lock is held. */
struct block *vm_block(struct vm *vm, uint64_t gpa, uint64_t *off);

/* The other way: a guest address of a block's byte; the lock is held. */
bool vm_address(struct vm *vm, const struct block *b, uint64_t off,
		uint64_t *gpa);

/* The guest says what [gpa, gpa + len) is from now on. */
void vm_convert(struct vm *vm, uint64_t gpa, uint64_t len, bool private);

int vm_add_vcpu(struct vm *vm, int fd) MUST_USE;

/* The program forgot this number: a VM's or a vCPU's. True: it was the last. */
bool vm_forget(struct vm *vm, int fd);

/* Ends the threads and gives the memory back. No vCPU runs any more. */
void vm_end(struct vm *vm);

/* A line about what the guest did. */
void vm_report(const struct vm *vm);

#endif
