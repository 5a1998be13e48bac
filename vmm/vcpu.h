/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vcpu: the threads that run the guest. A vCPU's thread is hostile from its
 * first instruction: what it hands us are an address, a length and data, which
 * go to the buses and nowhere else. The pool pauses all of them together:
 * after vcpus_pause no guest instruction runs and no exit is half done.
 */
#ifndef CARREL_VMM_VCPU_H
#define CARREL_VMM_VCPU_H

#include <pthread.h>
#include <stdatomic.h>

#include "vmm/bus.h"
#include "vmm/counter.h"
#include "vmm/cpuid.h"
#include "vmm/image.h"
#include "vmm/kvm.h"
#include "vmm/power.h"

#define VCPUS_MAX 64

enum vcpus_want { VCPUS_PAUSE, VCPUS_RUN, VCPUS_END };

/* Why KVM_RUN came back to us: counted by kind. */
enum vcpu_exit {
	VCPU_IO_READ,
	VCPU_IO_WRITE,
	VCPU_MMIO_READ,
	VCPU_MMIO_WRITE,
	VCPU_INTERRUPTED, /* by a signal of ours: a pause */
	VCPU_OTHER,
	VCPU_EXITS
};

struct vcpu_state; /* how a vCPU began, saved: vcpu_state.c */

struct vcpu {
	int fd;
	unsigned id;
	_Atomic(int) tid; /* of its thread, once that runs */
	struct kvm_run *run;
	pthread_t thread;
	bool started;
	bool ran; /* its thread only: once at least */
	struct counter exits[VCPU_EXITS];
	struct vcpu_state *initial; /* NULL: cannot be reset (SEV) */
	struct vcpus *pool;
};

struct vcpus {
	struct bus *pio, *mmio;
	struct power *power;
	struct timeline *timeline; /* or NULL */
	struct image_start start; /* how the first one begins */
	int (*enter)(void *ctx); /* in each thread, before the guest */
	void *enter_ctx;
	pthread_mutex_t lock;
	pthread_cond_t change;
	enum vcpus_want want;
	size_t run_bytes;
	unsigned parked, n;
	struct vcpu v[VCPUS_MAX];
};

/* Makes n vCPUs with their CPUID; resettable: keeps their power-on state. */
int vcpus_open(struct vcpus *p, const struct kvm *k, unsigned n,
	       const struct cpuid_sev *sev, bool resettable) MUST_USE;

/* Starts the threads, parked. */
int vcpus_start(struct vcpus *p) MUST_USE;

void vcpus_run(struct vcpus *p);
void vcpus_pause(struct vcpus *p); /* returns when all are parked */

/* Parked only: tells the guest that time stood still for it, before it runs. */
void vcpus_tell_pause(struct vcpus *p);

/* Running: an NMI for each. */
void vcpus_nmi(struct vcpus *p);

/* Back to power-on; parked only. -EOPNOTSUPP where not resettable. */
int vcpus_reset(struct vcpus *p) MUST_USE;

/* Processor time of its thread so far, the guest's included; 0: none yet. */
uint64_t vcpu_cpu_ns(const struct vcpu *v);

/* Ends and joins the threads, closes everything. */
void vcpus_close(struct vcpus *p);

/*
 * vcpu_start.c: what a start without firmware needs on top of the power-on
 * state. regs and sregs are KVM's at power-on; START_RESET leaves them alone.
 */
void vcpu_start_regs(const struct image_start *s, struct kvm_regs *regs,
		     struct kvm_sregs *sregs);
int vcpu_start(int fd, const struct image_start *s) MUST_USE;

/* The same for what every vCPU needs, after each load of a saved state. */
int vcpu_start_memory(int fd, const struct image_start *s) MUST_USE;

/* vcpu_state.c: KVM's registers of one vCPU. save allocates. */
int vcpu_state_save(int fd, int kvm_fd, struct vcpu_state **out) MUST_USE;
int vcpu_state_load(int fd, const struct vcpu_state *s) MUST_USE;
void vcpu_state_free(struct vcpu_state *s);

#endif
