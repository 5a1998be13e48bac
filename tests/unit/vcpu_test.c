/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vcpu_test: pausing and ending threads whose KVM refuses everything. What a
 * guest's exits do is for the end-to-end tests.
 */
#include "vmm/vcpu.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/capture.h"

#define CPUS 3
#define RUN_BYTES 4096

struct rig {
	struct vcpus pool;
	struct power power;
	_Atomic(unsigned) entered, deaf; /* deaf: the kick was blocked there */
};

static int count_entered(void *ctx)
{
	struct rig *r = ctx;
	sigset_t now;

	pthread_sigmask(SIG_BLOCK, NULL, &now);
	r->deaf += (unsigned)sigismember(&now, SIGUSR1);
	r->entered++;
	return 0;
}

static int refuse_second(void *ctx)
{
	struct rig *r = ctx;

	return r->entered++ == 1 ? -1 : 0;
}

static int rig_open(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct vcpus *p = &r->pool;

	*state = r;
	if (power_open(&r->power))
		return -1;
	p->power = &r->power;
	p->enter_ctx = r;
	p->n = CPUS;
	p->run_bytes = RUN_BYTES;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->change, NULL);
	for (unsigned i = 0; i < CPUS; i++)
		p->v[i] = (struct vcpu){
			.fd = -1, /* each KVM_RUN fails with EBADF */
			.id = i,
			.pool = p,
			.run = mmap(NULL, RUN_BYTES, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
		};
	alarm(20); /* a pause that never returns is the failure looked for */
	return 0;
}

static int rig_close(void **state)
{
	struct rig *r = *state;

	alarm(0);
	power_close(&r->power);
	free(r);
	return 0;
}

static enum power_request wait_request(struct rig *r)
{
	const char *why;

	while (!power_waits(&r->power))
		usleep(1000);
	return power_take(&r->power, &why);
}

static void refused_by_kvm(void **state)
{
	struct rig *r = *state;
	struct capture c = capture_begin();
	char text[1024];

	assert_int_equal(vcpus_start(&r->pool), 0);
	vcpus_run(&r->pool);
	assert_int_equal(wait_request(r), POWER_CRASH);
	vcpus_pause(&r->pool);
	assert_int_equal(r->pool.parked, CPUS);
	vcpus_run(&r->pool);
	vcpus_pause(&r->pool);
	vcpus_close(&r->pool);
	capture_end(&c, text, sizeof(text));
	assert_non_null(strstr(text, "KVM_RUN: Bad file descriptor"));
}

/* It must run nothing, and must not hold up the others' end either. */
static void one_without_sandbox(void **state)
{
	struct rig *r = *state;
	struct capture c = capture_begin();
	char text[1024];

	r->pool.enter = refuse_second;
	assert_int_equal(vcpus_start(&r->pool), 0);
	assert_int_equal(wait_request(r), POWER_QUIT);
	vcpus_run(&r->pool);
	vcpus_pause(&r->pool);
	assert_int_equal(r->pool.parked, CPUS);
	vcpus_close(&r->pool);
	capture_end(&c, text, sizeof(text));
}

static void started_with_kicks_blocked(void **state)
{
	struct rig *r = *state;
	sigset_t kick;

	sigemptyset(&kick);
	sigaddset(&kick, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &kick, NULL);
	r->pool.enter = count_entered;
	assert_int_equal(vcpus_start(&r->pool), 0);
	vcpus_pause(&r->pool);
	assert_int_equal(r->entered, CPUS);
	assert_int_equal(r->deaf, 0);
	vcpus_close(&r->pool);
	pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(refused_by_kvm, rig_open,
						rig_close),
		cmocka_unit_test_setup_teardown(one_without_sandbox, rig_open,
						rig_close),
		cmocka_unit_test_setup_teardown(started_with_kicks_blocked,
						rig_open, rig_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
