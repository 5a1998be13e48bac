/* SPDX-License-Identifier: Apache-2.0 */
/*
 * irq_test: vectors without KVM: levels, numbers, routes and eventfds as they
 * are kept. What KVM makes of them is for the end-to-end tests.
 */
#include "vmm/irq.h"

#include <errno.h>
#include <linux/kvm.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/capture.h"

/*
 * In libc's place, a KVM of one vector: it may refuse routes, and an irqfd
 * that is there already, as the real one does.
 */
#define KVM_FD 12345

static struct {
	bool refuse, attached;
} kvm;

int ioctl(int fd, unsigned long req, ...)
{
	const struct kvm_irqfd *f;
	va_list ap;

	va_start(ap, req);
	f = va_arg(ap, const struct kvm_irqfd *);
	va_end(ap);
	errno = fd != KVM_FD				   ? ENOTTY
		: req == KVM_SET_GSI_ROUTING && kvm.refuse ? ENOMEM
							   : 0;
	if (!errno && req == KVM_IRQFD) {
		bool on = !(f->flags & KVM_IRQFD_FLAG_DEASSIGN);

		if (on && kvm.attached)
			errno = EBUSY;
		kvm.attached = on;
	}
	return errno ? -1 : 0;
}

static int open_irq(void **state)
{
	struct irq *q = calloc(1, sizeof(*q));

	*state = q;
	return irq_open(q, -1);
}

static int close_irq(void **state)
{
	irq_close(*state);
	free(*state);
	return 0;
}

static bool fired(const struct irq *q, unsigned id)
{
	uint64_t n;

	return read(irq_msi_fd(q, id), &n, sizeof(n)) == sizeof(n);
}

/* Does f, on a fresh irq, end in a failed CHECK? */
static bool check_fails(void (*f)(struct irq *q))
{
	struct capture c = capture_begin();
	char text[256];
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		static struct irq q;

		signal(SIGABRT, SIG_DFL);
		if (irq_open(&q, -1))
			_exit(2);
		f(&q);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	capture_end(&c, text, sizeof(text));
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void line_24(struct irq *q)
{
	irq_line(q, IRQ_LINES, true);
}

static void route_unreserved(struct irq *q)
{
	(void)!irq_msi_route(q, 0, 0xfee00000, 0);
}

static void fire_unreserved(struct irq *q)
{
	irq_msi_fire(q, 3);
}

static void free_beyond(struct irq *q)
{
	irq_msi_free(q, IRQ_MSI_MAX);
}

static void wrong_callers_are_caught(void **state)
{
	(void)state;
	assert_true(check_fails(line_24));
	assert_true(check_fails(route_unreserved));
	assert_true(check_fails(fire_unreserved));
	assert_true(check_fails(free_beyond));
}

static void levels(void **state)
{
	struct irq *q = *state;

	irq_line(q, 0, true);
	irq_line(q, 23, true);
	assert_int_equal(q->level, 1u | 1u << 23);
	irq_line(q, 23, true);
	irq_line(q, 0, false);
	assert_int_equal(q->level, 1u << 23);
	irq_line(q, 5, false);
	assert_int_equal(q->level, 1u << 23);
}

static void vectors_run_out(void **state)
{
	struct irq *q = *state;
	unsigned id = 7777;

	for (unsigned i = 0; i < IRQ_MSI_MAX; i++) {
		assert_int_equal(irq_msi_new(q, &id), 0);
		assert_int_equal(id, i);
	}
	assert_int_equal(irq_msi_new(q, &id), -ENOSPC);
	assert_int_equal(id, IRQ_MSI_MAX - 1);
	irq_msi_free(q, 17);
	irq_msi_free(q, 17); /* twice is harmless */
	assert_int_equal(irq_msi_new(q, &id), 0);
	assert_int_equal(id, 17);
}

static void routes(void **state)
{
	struct irq *q = *state;
	unsigned a, b;

	assert_int_equal(irq_msi_new(q, &a), 0);
	assert_int_equal(irq_msi_new(q, &b), 0);
	assert_false(q->msi[a].routed);
	assert_int_equal(irq_msi_mask(q, a), 0);
	assert_int_equal(irq_msi_route(q, a, 0x1fee00000, 0x4041), 0);
	assert_true(q->msi[a].routed);
	assert_int_equal(q->msi[a].addr, 0x1fee00000);
	assert_int_equal(q->msi[a].data, 0x4041);
	assert_false(q->msi[b].routed);
	assert_int_equal(irq_msi_mask(q, a), 0);
	assert_false(q->msi[a].routed);
	assert_int_equal(irq_msi_route(q, a, 0xfee01000, 1), 0);
	irq_msi_free(q, a);
	assert_int_equal(irq_msi_fd(q, a), -1);
	assert_false(q->msi[a].routed);
}

static void a_refused_route_can_be_set_again(void **state)
{
	static struct irq q;
	unsigned id;

	(void)state;
	assert_int_equal(irq_open(&q, KVM_FD), 0);
	assert_int_equal(irq_msi_new(&q, &id), 0);
	assert_int_equal(irq_msi_route(&q, id, 0xfee00000, 0x31), 0);
	assert_true(kvm.attached);
	kvm.refuse = true;
	assert_int_equal(irq_msi_route(&q, id, 0xfee00000, 0x32), -ENOMEM);
	assert_false(q.msi[id].routed);
	assert_false(kvm.attached);
	kvm.refuse = false;
	assert_int_equal(irq_msi_route(&q, id, 0xfee00000, 0x33), 0);
	assert_true(q.msi[id].routed);
	irq_close(&q);
	assert_false(kvm.attached);
}

/* A fire before the route is there is kept; it is one vector's alone. */
static void fires(void **state)
{
	struct irq *q = *state;
	unsigned a, b;

	assert_int_equal(irq_msi_new(q, &a), 0);
	assert_int_equal(irq_msi_new(q, &b), 0);
	assert_false(fired(q, a));
	irq_msi_fire(q, a);
	irq_msi_fire(q, a);
	assert_int_equal(irq_msi_route(q, a, 0xfee00000, 0x31), 0);
	assert_true(fired(q, a));
	assert_false(fired(q, a));
	assert_false(fired(q, b));
}

static void doorbell_without_kvm(void **state)
{
	assert_int_equal(irq_doorbell(*state, 0xc0000000, 5, true), 0);
	assert_int_equal(irq_doorbell(*state, 0xc0000000, 5, false), 0);
}

int main(void)
{
#define IRQ(f) cmocka_unit_test_setup_teardown(f, open_irq, close_irq)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_callers_are_caught),
		IRQ(levels),
		IRQ(vectors_run_out),
		IRQ(routes),
		cmocka_unit_test(a_refused_route_can_be_set_again),
		IRQ(fires),
		IRQ(doorbell_without_kvm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
