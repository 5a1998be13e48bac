/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine_test: signals, before any vCPU runs. What the machine does with a
 * guest in it is for the end-to-end tests.
 */
#include "vmm/machine.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/capture.h"
#include "vmm/clock.h"
#include "vmm/mishap.h"

struct rig {
	struct vm vm;
	struct machine m;
	char event[64]; /* the last */
	char events[256]; /* all, with their reasons */
};

static void note(void *ctx, const char *name, bool guest, const char *reason)
{
	struct rig *r = ctx;

	snprintf(r->event, sizeof(r->event), "%s %d %s", name, guest,
		 reason ? reason : "");
	snprintf(r->events + strlen(r->events),
		 sizeof(r->events) - strlen(r->events), "%s %s;", name,
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
		enum config_panic panic;
		int status;
		const char *event, *says;
	} t[] = {
		{ POWER_OFF, false, false, PANIC_SHUTDOWN, EXIT_POWERED_OFF,
		  "SHUTDOWN guest-shutdown;",
		  "the guest powered off (a test)" },
		{ POWER_RESET, false, true, PANIC_SHUTDOWN, EXIT_RESET,
		  "SHUTDOWN guest-reset;", "(a test); --no-reboot ends here" },
		{ POWER_RESET, true, false, PANIC_SHUTDOWN, EXIT_RESET,
		  "SHUTDOWN guest-reset;",
		  "(a test); a SEV guest is not reset in place: launch it "
		  "again, with a fresh session" },
		{ POWER_CRASH, false, false, PANIC_SHUTDOWN, EXIT_CRASHED,
		  "GUEST_PANICKED poweroff;SHUTDOWN guest-panic;",
		  "the guest crashed: a test" },
		{ POWER_CRASH, false, false, PANIC_NONE, EXIT_CRASHED,
		  "GUEST_PANICKED poweroff;SHUTDOWN guest-panic;",
		  "the guest crashed: a test" },
		{ POWER_PANIC, false, false, PANIC_SHUTDOWN, EXIT_CRASHED,
		  "GUEST_PANICKED poweroff;SHUTDOWN guest-panic;",
		  "the guest panicked" },
		{ POWER_PANIC, true, false, PANIC_RESET, EXIT_CRASHED,
		  "GUEST_PANICKED reset;SHUTDOWN guest-panic;",
		  "--panic reset: a SEV guest, which is not reset in place, "
		  "ends here" },
		{ POWER_CRASH, true, false, PANIC_RESET, EXIT_CRASHED,
		  "GUEST_PANICKED reset;SHUTDOWN guest-panic;",
		  "--panic reset: a SEV guest, which is not reset in place, "
		  "ends here" },
		{ POWER_CRASH, false, true, PANIC_RESET, EXIT_CRASHED,
		  "GUEST_PANICKED reset;SHUTDOWN guest-panic;",
		  "--panic reset: --no-reboot ends here" },
		{ POWER_LEAVE, false, false, PANIC_SHUTDOWN, EXIT_POWERED_OFF,
		  "SHUTDOWN host-ui;", "ended at the terminal" },
		{ POWER_QUIT, false, false, PANIC_SHUTDOWN, EXIT_HOST,
		  "SHUTDOWN host-error;", "" },
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct rig *r = rig_open();
		struct capture c = capture_begin();

		r->vm.sev.on = t[i].sev;
		r->m.no_reboot = t[i].no_reboot;
		r->m.panic = t[i].panic;
		power_ask(&r->vm.power, t[i].what, "a test");
		assert_int_equal(machine_run(&r->m), 0);
		capture_end(&c, text, sizeof(text));
		assert_int_equal(r->m.exit_status, t[i].status);
		assert_string_equal(r->events, t[i].event);
		if (!strstr(text, t[i].says))
			fail_msg("%s: not in it: %s", text, t[i].says);
		rig_close(r);
	}
}

/* Its keys and its measurement belong to one launch. */
static void sev_is_not_reset(void **state)
{
	struct rig *r = rig_open();
	struct capture c = capture_begin();
	char text[512];

	(void)state;
	r->vm.sev.on = true;
	r->m.state = MACHINE_PAUSED;
	assert_int_equal(machine_reset(&r->m, false, "host-qmp-system-reset"),
			 -EOPNOTSUPP);
	assert_string_equal(machine_refusal(-EOPNOTSUPP),
			    "a SEV guest is not reset in place: launch it "
			    "again, with a fresh session");
	assert_string_equal(r->events, "");
	assert_string_equal(machine_status(&r->m), "paused");
	/* Where nobody can be refused, it ends. */
	r->m.watchdog = WATCHDOG_RESET;
	mishap_notes(&r->m, POWER_NOTE_WATCHDOG);
	capture_end(&c, text, sizeof(text));
	assert_string_equal(r->events, "WATCHDOG reset;SHUTDOWN guest-reset;");
	assert_int_equal(r->m.exit_status, EXIT_RESET);
	assert_non_null(strstr(text, "the watchdog fired"));
	assert_non_null(strstr(text, "(watchdog); a SEV guest is not reset"));
	rig_close(r);
}

static void run_once(struct rig *r)
{
	/* Behind what waits already, so handled after it. */
	power_ask(&r->vm.power, POWER_OFF, "a test");
	assert_int_equal(machine_run(&r->m), 0);
}

/* Told, once a second, and nothing else. */
static void notes_are_told(void **state)
{
	static const struct {
		unsigned notes;
		enum config_watchdog watchdog;
		const char *events;
	} t[] = {
		{ POWER_NOTE_PANIC, WATCHDOG_OFF, "GUEST_PANICKED run;" },
		{ POWER_NOTE_CRASHLOADED, WATCHDOG_OFF,
		  "GUEST_CRASHLOADED run;" },
		{ POWER_NOTE_CRASHLOADED | POWER_NOTE_PANIC, WATCHDOG_OFF,
		  "GUEST_CRASHLOADED run;GUEST_PANICKED run;" },
		{ POWER_NOTE_WATCHDOG, WATCHDOG_NONE, "WATCHDOG none;" },
		/* No vCPU runs: nobody to have it. */
		{ POWER_NOTE_WATCHDOG, WATCHDOG_NMI, "WATCHDOG inject-nmi;" },
		{ POWER_NOTE_WATCHDOG, WATCHDOG_PAUSE, "WATCHDOG pause;" },
		{ POWER_NOTE_WATCHDOG, WATCHDOG_POWEROFF,
		  "WATCHDOG poweroff;SHUTDOWN guest-panic;" },
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct rig *r = rig_open();
		struct capture c = capture_begin();

		r->m.watchdog = t[i].watchdog;
		mishap_notes(&r->m, t[i].notes);
		assert_string_equal(r->events, t[i].events);
		/* The same second, which a busy machine may be past. */
		r->m.told_note = r->m.told_watchdog =
			(int64_t)(clock_ns() / CLOCK_NS_PER_S) + 1;
		if (!(t[i].notes & POWER_NOTE_WATCHDOG))
			mishap_notes(&r->m, t[i].notes);
		if ((int64_t)(clock_ns() / CLOCK_NS_PER_S) + 1 ==
		    r->m.told_note)
			assert_string_equal(r->events, t[i].events);
		capture_end(&c, text, sizeof(text));
		rig_close(r);
	}
}

/* Pressed again it would be told again, and here there is none. */
static void button_once_a_second(void **state)
{
	struct rig *r = rig_open();

	(void)state;
	while (clock_ns() % CLOCK_NS_PER_S > CLOCK_NS_PER_S / 2)
		usleep(10000);
	r->m.watchdog = WATCHDOG_SHUTDOWN;
	assert_true(machine_second(&r->m.told_watchdog));
	mishap_notes(&r->m, POWER_NOTE_WATCHDOG);
	assert_string_equal(r->events, "");
	rig_close(r);
}

/* Before the request that came after them. */
static void notes_come_by_the_loop(void **state)
{
	struct rig *r = rig_open();
	struct capture c = capture_begin();
	char text[512];

	(void)state;
	power_note(&r->vm.power, POWER_NOTE_CRASHLOADED);
	run_once(r);
	capture_end(&c, text, sizeof(text));
	assert_string_equal(r->events, "GUEST_CRASHLOADED run;"
				       "SHUTDOWN guest-shutdown;");
	rig_close(r);
}

static void only_a_reset_helps(void **state)
{
	struct rig *r = rig_open();

	(void)state;
	r->m.state = MACHINE_PAUSED;
	machine_pause(&r->m, "guest-panicked", false);
	assert_string_equal(machine_status(&r->m), "guest-panicked");
	machine_pause(&r->m, "internal-error", true);
	assert_string_equal(machine_status(&r->m), "internal-error");
	assert_int_equal(machine_cont(&r->m), -ENOTRECOVERABLE);
	assert_string_equal(machine_refusal(-ENOTRECOVERABLE),
			    "Resetting the Virtual Machine is required");
	assert_string_equal(r->events, "");
	rig_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_ends_it),
		cmocka_unit_test(ignored_ones_stay_ignored),
		cmocka_unit_test(requests_end_it),
		cmocka_unit_test(sev_is_not_reset),
		cmocka_unit_test(notes_are_told),
		cmocka_unit_test(button_once_a_second),
		cmocka_unit_test(notes_come_by_the_loop),
		cmocka_unit_test(only_a_reset_helps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
