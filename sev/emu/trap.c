/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trap: see the header. KVM resolves a fault either in the vCPU's thread or,
 * when the guest can be interrupted meanwhile, in a worker of the kernel: then
 * every vCPU that is in KVM_RUN is asked, and those that could not have been
 * the one (vcpu.c knows) do not count.
 */
#include "sev/emu/trap.h"

#include <errno.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>

#include "sev/emu/stub.h"

/* One that neither the C library nor a VMM we know uses. */
#define KICK_SIGNAL 62
#define KICK_AGAIN_MS 5
#define OVER_AFTER_MS 50 /* of a VM's end, that is */
#define KICK_ROUNDS 12000 /* a busy machine is no reason to guess */

/* The kernel's own struct: the C library's lacks the restorer. */
struct kernel_sigaction {
	void (*handler)(int sig);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};
#define KERNEL_SA_RESTORER 0x04000000ul

static void interrupted(int sig)
{
	(void)sig; /* only there to end KVM_RUN */
}

static int install_signal(void)
{
	struct kernel_sigaction a = {
		.handler = interrupted,
		.flags = SA_RESTART | KERNEL_SA_RESTORER,
		.restorer = stub_sigreturn,
	};

	return (int)STUB(SYS_rt_sigaction, KICK_SIGNAL, &a, NULL, sizeof a.mask,
			 0, 0);
}

void trap_admit(void)
{
	uint64_t mask = 1ull << (KICK_SIGNAL - 1);

	(void)STUB(SYS_rt_sigprocmask, SIG_UNBLOCK, &mask, NULL, sizeof mask, 0,
		   0);
}

/* Marks who has to answer: the vCPU of that thread, or all that run. */
static void put_question(struct vm *vm, const struct fault *f, uint32_t tid)
{
	struct vcpu *who = NULL;

	for (unsigned i = 0; i < vm->vcpus; i++)
		if (vm->vcpu[i].tid == tid)
			who = &vm->vcpu[i];
	vm->question = (struct question){
		.f = f, .worker = !who, .answer = VIEW_SHARED, .pages = 1
	};
	for (unsigned i = 0; i < vm->vcpus; i++) {
		struct vcpu *v = &vm->vcpu[i];

		v->asked = v->in_run && (!who || who == v);
		vm->question.unanswered += v->asked;
	}
}

static void kick(struct vm *vm)
{
	long pid = STUB(SYS_getpid, 0, 0, 0, 0, 0, 0);

	lock_take(&vm->lock);
	for (unsigned i = 0; i < vm->vcpus; i++)
		if (vm->vcpu[i].asked)
			(void)STUB(SYS_tgkill, pid, vm->vcpu[i].tid,
				   KICK_SIGNAL, 0, 0, 0);
	lock_drop(&vm->lock);
}

/*
 * The kernel's own access on a guest's behalf, a clock page say, has nobody to
 * answer for it, and is shared.
 */
static enum view decide(struct vm *vm, const struct fault *f, uint32_t tid,
			unsigned *pages)
{
	struct question *q = &vm->question;
	enum view answer;

	lock_take(&vm->lock);
	put_question(vm, f, tid);
	lock_drop(&vm->lock);
	for (int i = 0; i < KICK_ROUNDS && q->unanswered; i++) {
		kick(vm);
		word_wait(&q->done, 0, KICK_AGAIN_MS);
		if (word_get(&q->done))
			break;
	}
	lock_take(&vm->lock);
	vm->late += q->unanswered != 0;
	answer = q->answer;
	journal_line(vm->log, "trap block=0x%llx off=0x%llx %s pages=%u%s",
		     (unsigned long long)f->b->at, (unsigned long long)f->off,
		     answer == VIEW_PRIVATE ? "private" : "shared", q->pages,
		     q->unanswered ? " unanswered" : "");
	*pages = answer == VIEW_SHARED ? q->pages : 1;
	vm->trapped[answer]++;
	for (unsigned i = 0; i < vm->vcpus; i++)
		vm->vcpu[i].asked = false;
	q->f = NULL;
	lock_drop(&vm->lock);
	return answer;
}

static void one(struct vm *vm, const struct uffd_msg *m)
{
	uint64_t address = m->arg.pagefault.address;
	enum view to = VIEW_SHARED;
	unsigned pages = 1;
	struct fault f;

	if (m->event != UFFD_EVENT_PAGEFAULT ||
	    !view_fault(&vm->mem, address, &f))
		return;
	if (f.closed) {
		view_claim(&vm->mem, &f);
		return;
	}
	if (view_get(&vm->mem, &f) == VIEW_TRAPPED)
		to = decide(vm, &f, m->arg.pagefault.feat.ptid, &pages);
	view_answer(&vm->mem, &f, to, pages);
}

static void *loop(void *arg)
{
	struct vm *vm = arg;
	struct pollfd p = { .fd = vm->mem.uffd, .events = POLLIN };
	struct uffd_msg m;
	long n;

	while (!word_get(&vm->mem.over)) {
		n = STUB(SYS_read, vm->mem.uffd, &m, sizeof m, 0, 0, 0);
		if (n == (long)sizeof m)
			one(vm, &m);
		else if (n == -EAGAIN)
			(void)STUB(SYS_poll, &p, 1, OVER_AFTER_MS, 0, 0, 0);
		else if (n != -EINTR)
			break;
	}
	return NULL;
}

int trap_start(struct vm *vm)
{
	sigset_t all, before;
	int rc = install_signal();

	if (rc)
		return rc;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = -pthread_create(&vm->trapper, NULL, loop, vm);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}
