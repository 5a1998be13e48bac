/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine_test: signals, before any vCPU runs. What the machine does with a
 * guest in it is for the end-to-end tests.
 */
#include "vmm/machine.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/capture.h"

struct rig {
	struct vm vm;
	struct machine m;
	char event[64];
};

static void note(void *ctx, const char *name, bool guest, const char *reason)
{
	struct rig *r = ctx;

	snprintf(r->event, sizeof(r->event), "%s %d %s", name, guest,
		 reason ? reason : "");
}

static struct rig *rig_open(void)
{
	static struct rig r;

	r = (struct rig){ .m = { .vm = &r.vm, .event = note, .ctx = &r } };
	assert_int_equal(event_open(&r.vm.ev), 0);
	assert_int_equal(power_open(&r.vm.power), 0);
	assert_int_equal(machine_open(&r.m), 0);
	alarm(20); /* a loop that never ends is a failure */
	return &r;
}

/* The signals that carrel took are no longer blocked either. */
static void rig_close(struct rig *r)
{
	sigset_t set;

	alarm(0);
	machine_close(&r->m);
	power_close(&r->vm.power);
	event_close(&r->vm.ev);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* Nothing runs yet, so one of them is enough. */
static void each_ends_it(void **state)
{
	static const int sig[] = { SIGTERM, SIGINT, SIGHUP };
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sig); i++) {
		struct capture c;
		struct rig *r;

		signal(sig[i], SIG_DFL); /* nohup has it ignored */
		r = rig_open();
		c = capture_begin();
		r->m.exit_status = -1;
		raise(sig[i]);
		assert_int_equal(machine_run(&r->m), 0);
		capture_end(&c, text, sizeof(text));
		assert_int_equal(r->m.exit_status, EXIT_POWERED_OFF);
		assert_string_equal(r->event, "SHUTDOWN 0 host-signal");
		assert_string_equal(machine_status(&r->m), "shutdown");
		assert_non_null(strstr(text, "quitting"));
		rig_close(r);
	}
}

static void ignored_ones_stay_ignored(void **state)
{
	struct capture c;
	char text[256];
	struct rig *r;

	(void)state;
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	r = rig_open();
	c = capture_begin();
	raise(SIGHUP);
	raise(SIGINT);
	raise(SIGTERM);
	assert_int_equal(machine_run(&r->m), 0);
	capture_end(&c, text, sizeof(text));
	assert_string_equal(text, "carrel: Terminated: quitting\n");
	rig_close(r);
	signal(SIGHUP, SIG_DFL);
	signal(SIGINT, SIG_DFL);
}

/* The loop's part of it: which status and event a request becomes. */
static void requests_end_it(void **state)
{
	static const struct {
		enum power_request what;
		bool sev, no_reboot;
		int status;
		const char *event;
	} t[] = {
		{ POWER_OFF, false, false, EXIT_POWERED_OFF,
		  "SHUTDOWN 1 guest-shutdown" },
		{ POWER_RESET, false, true, EXIT_RESET,
		  "SHUTDOWN 1 guest-reset" },
		{ POWER_RESET, true, false, EXIT_RESET,
		  "SHUTDOWN 1 guest-reset" },
		{ POWER_CRASH, false, false, EXIT_CRASHED,
		  "SHUTDOWN 1 guest-panic" },
		{ POWER_LEAVE, false, false, EXIT_POWERED_OFF,
		  "SHUTDOWN 0 host-ui" },
		{ POWER_QUIT, false, false, EXIT_HOST,
		  "SHUTDOWN 0 host-error" },
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct rig *r = rig_open();
		struct capture c = capture_begin();

		r->vm.sev.on = t[i].sev;
		r->m.no_reboot = t[i].no_reboot;
		power_ask(&r->vm.power, t[i].what, "a test");
		assert_int_equal(machine_run(&r->m), 0);
		capture_end(&c, text, sizeof(text));
		assert_int_equal(r->m.exit_status, t[i].status);
		assert_string_equal(r->event, t[i].event);
		rig_close(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_ends_it),
		cmocka_unit_test(ignored_ones_stay_ignored),
		cmocka_unit_test(requests_end_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
