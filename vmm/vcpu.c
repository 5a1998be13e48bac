/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vcpu: see the header. Parking is a flag, a condition variable and KVM's
 * immediate_exit: the flag is looked at with the lock held, immediate_exit is
 * cleared under the same lock, and a pause sets it before it sends the signal.
 * So a thread either sees the flag, or enters KVM_RUN with immediate_exit set,
 * or is inside and gets the signal: no kick is lost.
 */
#include "vmm/vcpu.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vmm/clock.h"
#include "vmm/log.h"

#define KICK SIGUSR1

static void vcpu_crash(struct vcpu *v, const char *why)
{
	power_ask(v->pool->power, POWER_CRASH, why);
}

static void exit_io(struct vcpu *v)
{
	struct kvm_run *r = v->run;
	uint8_t *data = (uint8_t *)r + r->io.data_offset;

	for (uint32_t i = 0; i < r->io.count; i++, data += r->io.size) {
		if (r->io.direction == KVM_EXIT_IO_IN)
			bus_read(v->pool->pio, r->io.port, data, r->io.size);
		else
			bus_write(v->pool->pio, r->io.port, data, r->io.size);
	}
}

static void exit_mmio(struct vcpu *v)
{
	struct kvm_run *r = v->run;

	if (r->mmio.len > sizeof(r->mmio.data))
		return;
	if (r->mmio.is_write)
		bus_write(v->pool->mmio, r->mmio.phys_addr, r->mmio.data,
			  r->mmio.len);
	else
		bus_read(v->pool->mmio, r->mmio.phys_addr, r->mmio.data,
			 r->mmio.len);
}

static void exit_system_event(struct vcpu *v)
{
	switch (v->run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		power_ask(v->pool->power, POWER_OFF, "system event");
		break;
	case KVM_SYSTEM_EVENT_RESET:
		power_ask(v->pool->power, POWER_RESET, "system event");
		break;
	default: vcpu_crash(v, "the guest reported a crash");
	}
}

/* False: this vCPU cannot go on. */
static bool handle_exit(struct vcpu *v)
{
	const struct kvm_run *r = v->run;

	switch (r->exit_reason) {
	case KVM_EXIT_IO: exit_io(v); return true;
	case KVM_EXIT_MMIO: exit_mmio(v); return true;
	case KVM_EXIT_INTR:
	case KVM_EXIT_HLT:
	case KVM_EXIT_IRQ_WINDOW_OPEN: return true;
	case KVM_EXIT_SYSTEM_EVENT: exit_system_event(v); return false;
	case KVM_EXIT_SHUTDOWN: vcpu_crash(v, "triple fault"); return false;
	case KVM_EXIT_FAIL_ENTRY:
		log_error("vCPU %u: KVM could not enter the guest, hardware "
			  "reason 0x%llx",
			  v->id,
			  (unsigned long long)
				  r->fail_entry.hardware_entry_failure_reason);
		vcpu_crash(v, "failed entry");
		return false;
	case KVM_EXIT_INTERNAL_ERROR:
		log_error("vCPU %u: KVM internal error %u", v->id,
			  r->internal.suberror);
		vcpu_crash(v, "KVM internal error");
		return false;
	default:
		log_error("vCPU %u: unexpected exit reason %u", v->id,
			  r->exit_reason);
		vcpu_crash(v, "unexpected exit");
		return false;
	}
}

static enum vcpu_exit exit_kind(const struct vcpu *v, int rc)
{
	const struct kvm_run *r = v->run;

	if (rc)
		return errno == EINTR ? VCPU_INTERRUPTED : VCPU_OTHER;
	switch (r->exit_reason) {
	case KVM_EXIT_IO:
		return r->io.direction == KVM_EXIT_IO_IN ? VCPU_IO_READ
							 : VCPU_IO_WRITE;
	case KVM_EXIT_MMIO:
		return r->mmio.is_write ? VCPU_MMIO_WRITE : VCPU_MMIO_READ;
	case KVM_EXIT_INTR: return VCPU_INTERRUPTED;
	default: return VCPU_OTHER;
	}
}

/*
 * An exit is finished by the next KVM_RUN: do that before parking, or a reset's
 * registers would receive the result of an instruction from before it. One
 * instruction may take several exits (an access that spans pages).
 */
static void finish_exit(struct vcpu *v)
{
	do
		v->run->immediate_exit = 1;
	while (ioctl(v->fd, KVM_RUN, 0) == 0 && handle_exit(v));
}

/* Waits while paused; false when the thread is to end. */
static bool vcpu_may_run(struct vcpu *v)
{
	struct vcpus *p = v->pool;
	bool go;

	pthread_mutex_lock(&p->lock);
	if (p->want != VCPUS_RUN && v->ran) {
		/* Not with the lock: the exit may need a device. */
		pthread_mutex_unlock(&p->lock);
		finish_exit(v);
		pthread_mutex_lock(&p->lock);
	}
	if (p->want != VCPUS_RUN) {
		p->parked++;
		pthread_cond_broadcast(&p->change);
		while (p->want == VCPUS_PAUSE)
			pthread_cond_wait(&p->change, &p->lock);
		p->parked--;
	}
	v->run->immediate_exit = 0;
	go = p->want == VCPUS_RUN;
	pthread_mutex_unlock(&p->lock);
	return go;
}

/* A vCPU that cannot or shall not go on waits to be reset or ended. */
static void vcpu_rest(struct vcpu *v)
{
	struct vcpus *p = v->pool;

	pthread_mutex_lock(&p->lock);
	while (p->want == VCPUS_RUN)
		pthread_cond_wait(&p->change, &p->lock);
	pthread_mutex_unlock(&p->lock);
}

/* One that must not run the guest at all: as good as parked, to the end. */
static void vcpu_bench(struct vcpu *v)
{
	struct vcpus *p = v->pool;

	pthread_mutex_lock(&p->lock);
	p->parked++;
	pthread_cond_broadcast(&p->change);
	while (p->want != VCPUS_END)
		pthread_cond_wait(&p->change, &p->lock);
	p->parked--;
	pthread_mutex_unlock(&p->lock);
}

/* Whoever started us may have left it blocked: no kick would arrive. */
static void kick_unblock(void)
{
	sigset_t kick;

	sigemptyset(&kick);
	sigaddset(&kick, KICK);
	pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
}

static void *vcpu_main(void *arg)
{
	struct vcpu *v = arg;
	struct vcpus *p = v->pool;

	kick_unblock();
	atomic_store(&v->tid, (int)syscall(SYS_gettid));
	if (p->enter && p->enter(p->enter_ctx)) {
		power_ask(p->power, POWER_QUIT, "the sandbox of a vCPU failed");
		vcpu_bench(v);
		return NULL;
	}
	while (vcpu_may_run(v)) {
		int rc;

		if (!v->ran)
			timeline_entry(p->timeline);
		rc = ioctl(v->fd, KVM_RUN, 0);
		v->ran = true;
		counter_add(&v->exits[exit_kind(v, rc)], 1);
		if (rc == 0) {
			/* After a reset or power-off no further step counts. */
			if (!handle_exit(v) || power_waits(p->power))
				vcpu_rest(v);
		} else if (errno != EINTR && errno != EAGAIN) {
			log_error("vCPU %u: KVM_RUN: %s", v->id,
				  strerror(errno));
			vcpu_crash(v, "KVM_RUN failed");
			vcpu_rest(v);
		}
	}
	return NULL;
}

static int vcpu_open(struct vcpu *v, const struct kvm *k,
		     const struct kvm_cpuid2 *host, const struct cpuid_sev *sev)
{
	size_t size = sizeof(*host) + host->nent * sizeof(host->entries[0]);
	struct kvm_cpuid2 *mine;
	int rc;

	v->fd = ioctl(k->vm_fd, KVM_CREATE_VCPU, (unsigned long)v->id);
	if (v->fd < 0) {
		rc = -errno;
		log_error("KVM_CREATE_VCPU %u: %s", v->id, strerror(-rc));
		return rc;
	}
	v->run = mmap(NULL, k->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		      v->fd, 0);
	if (v->run == MAP_FAILED) {
		rc = -errno;
		log_error("vCPU %u: mapping its state: %s", v->id,
			  strerror(-rc));
		v->run = NULL;
		return rc;
	}
	mine = malloc(size);
	if (!mine)
		return -ENOMEM;
	bytes_copy(mine, size, host, size);
	cpuid_fix(mine, v->id, v->pool->n, sev);
	rc = kvm_ioctl(v->fd, KVM_SET_CPUID2, mine, "KVM_SET_CPUID2");
	free(mine);
	return rc < 0 ? rc : 0;
}

int vcpus_open(struct vcpus *p, const struct kvm *k, unsigned n,
	       const struct cpuid_sev *sev, bool resettable)
{
	struct kvm_cpuid2 *host;
	int rc;

	if (n < 1 || n > VCPUS_MAX || n > k->cpus_max) {
		log_error("--cpus %u: this host runs 1 to %u", n,
			  k->cpus_max < VCPUS_MAX ? k->cpus_max : VCPUS_MAX);
		return -EINVAL;
	}
	p->n = n;
	p->run_bytes = k->run_bytes;
	p->want = VCPUS_PAUSE;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->change, NULL);
	for (unsigned i = 0; i < n; i++)
		p->v[i] = (struct vcpu){ .fd = -1, .id = i, .pool = p };
	rc = kvm_supported_cpuid(k, &host);
	if (rc)
		return rc;
	for (unsigned i = 0; !rc && i < n; i++) {
		rc = vcpu_open(&p->v[i], k, host, sev);
		if (!rc && i == 0)
			rc = vcpu_start(p->v[i].fd, &p->start);
		if (!rc)
			rc = vcpu_start_memory(p->v[i].fd, &p->start);
		if (!rc && resettable)
			rc = vcpu_state_save(p->v[i].fd, k->fd,
					     &p->v[i].initial);
	}
	free(host);
	return rc;
}

static void kick_handler(int sig)
{
	(void)sig; /* only there to interrupt KVM_RUN */
}

int vcpus_start(struct vcpus *p)
{
	struct sigaction sa = { .sa_handler = kick_handler };
	int rc = sigaction(KICK, &sa, NULL) ? -errno : 0;

	for (unsigned i = 0; !rc && i < p->n; i++) {
		char name[16];

		rc = -pthread_create(&p->v[i].thread, NULL, vcpu_main,
				     &p->v[i]);
		if (rc) {
			log_error("vCPU %u: starting its thread: %s", i,
				  strerror(-rc));
			break;
		}
		p->v[i].started = true;
		snprintf(name, sizeof(name), "vcpu%u", i);
		(void)pthread_setname_np(p->v[i].thread, name);
	}
	return rc;
}

static void vcpus_want(struct vcpus *p, enum vcpus_want want)
{
	pthread_mutex_lock(&p->lock);
	p->want = want;
	pthread_cond_broadcast(&p->change);
	for (unsigned i = 0; want != VCPUS_RUN && i < p->n; i++) {
		if (!p->v[i].started)
			continue;
		p->v[i].run->immediate_exit = 1;
		pthread_kill(p->v[i].thread, KICK);
	}
	pthread_mutex_unlock(&p->lock);
}

void vcpus_run(struct vcpus *p)
{
	vcpus_want(p, VCPUS_RUN);
}

void vcpus_pause(struct vcpus *p)
{
	unsigned started = 0;

	vcpus_want(p, VCPUS_PAUSE);
	pthread_mutex_lock(&p->lock);
	for (unsigned i = 0; i < p->n; i++)
		started += p->v[i].started;
	while (p->parked < started)
		pthread_cond_wait(&p->change, &p->lock);
	pthread_mutex_unlock(&p->lock);
}

/*
 * Or its watchdogs would take the pause for a CPU that hangs. EINVAL: it has
 * not turned its KVM clock on, and will not miss the word.
 */
void vcpus_tell_pause(struct vcpus *p)
{
	for (unsigned i = 0; i < p->n; i++)
		(void)ioctl(p->v[i].fd, KVM_KVMCLOCK_CTRL, 0);
}

/* KVM lets nobody at a vCPU that is in the guest, so it comes out first. */
void vcpus_nmi(struct vcpus *p)
{
	vcpus_pause(p);
	for (unsigned i = 0; i < p->n; i++)
		if (ioctl(p->v[i].fd, KVM_NMI))
			log_warn("vCPU %u: KVM_NMI: %s", i, strerror(errno));
	vcpus_run(p);
}

int vcpus_reset(struct vcpus *p)
{
	int rc = 0;

	for (unsigned i = 0; !rc && i < p->n; i++) {
		rc = p->v[i].initial
			     ? vcpu_state_load(p->v[i].fd, p->v[i].initial)
			     : -EOPNOTSUPP;
		if (!rc)
			rc = vcpu_start_memory(p->v[i].fd, &p->start);
	}
	return rc;
}

uint64_t vcpu_cpu_ns(const struct vcpu *v)
{
	clockid_t clock;

	if (!v->started || pthread_getcpuclockid(v->thread, &clock))
		return 0;
	return clock_read(clock);
}

void vcpus_close(struct vcpus *p)
{
	vcpus_want(p, VCPUS_END);
	for (unsigned i = 0; i < p->n; i++) {
		struct vcpu *v = &p->v[i];

		if (v->started)
			pthread_join(v->thread, NULL);
		vcpu_state_free(v->initial);
		if (v->run)
			munmap(v->run, p->run_bytes);
		if (v->fd >= 0)
			close(v->fd);
	}
	p->n = 0;
}
