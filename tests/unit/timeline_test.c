/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timeline_test: what is refused a place, what is marked once and in which
 * order, and many threads at once.
 */
#include "vmm/timeline_once.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "vmm/clock.h"
#include "vmm/timeline_report.h"

#define THREADS 4
#define FLOOD 5000

static struct timeline t;
static struct report r;

static size_t count(const char *name)
{
	size_t n = 0;

	report_take(&r, &t, NULL);
	for (size_t i = 0; i < r.n; i++)
		n += !strcmp(r.row[i].name, name);
	return n;
}

static const struct report_row *row_of(const char *name)
{
	report_take(&r, &t, NULL);
	for (size_t i = 0; i < r.n; i++)
		if (!strcmp(r.row[i].name, name))
			return &r.row[i];
	fail_msg("no %s", name);
	return NULL;
}

static void no_timeline(void **state)
{
	const struct timeline_mark m = { .name = "x" };

	(void)state;
	timeline_phase(NULL, "x");
	timeline_moment(NULL, TIMELINE_GUEST, "x", NULL);
	timeline_span(NULL, TIMELINE_PSP, &m);
	timeline_event(NULL, "STOP", NULL);
	timeline_entry(NULL);
	timeline_once(NULL, ONCE_SEC, NULL);
	timeline_console(NULL, 'l');
}

/* A full lane: first come, first kept; the end always has its place. */
static void overflow(void **state)
{
	const struct timeline_mark m = { .name = "command" };

	(void)state;
	timeline_start(&t);
	for (unsigned i = 0; i < FLOOD; i++) {
		timeline_moment(&t, TIMELINE_GUEST, "mark", "1");
		timeline_span(&t, TIMELINE_PSP, &m);
		timeline_event(&t, "RESET", "guest-reset");
	}
	timeline_once(&t, ONCE_LOGIN, NULL);
	timeline_event(&t, "SHUTDOWN", "guest-shutdown");
	timeline_event(&t, "SHUTDOWN", "a second end");
	assert_int_equal(count("mark"), TIMELINE_MARKS);
	assert_int_equal(count("command"), TIMELINE_MARKS);
	assert_int_equal(count("reset"), TIMELINE_MARKS - 1);
	assert_int_equal(count("login"), 1);
	assert_int_equal(count("end"), 1);
	assert_string_equal(row_of("end")->what, "guest-shutdown");
	assert_int_equal(r.dropped, 3 * FLOOD - 3 * TIMELINE_MARKS + 1);
	assert_true(r.ended);
	assert_true(r.n <= REPORT_ROWS);
}

/* Phases that have no place any more do not lengthen the last that had one. */
static void overflow_of_phases(void **state)
{
	(void)state;
	timeline_start(&t);
	for (unsigned i = 0; i < FLOOD; i++) {
		timeline_event(&t, "STOP", NULL);
		timeline_event(&t, "RESUME", NULL);
	}
	assert_int_equal(count("paused"), TIMELINE_MARKS - 1);
	assert_null(t.phase);
	for (size_t i = 0; i < r.n; i++)
		if (!strcmp(r.row[i].name, "paused"))
			assert_true(r.row[i].start_ns + r.row[i].duration_ns <
				    r.now_ns);
}

static void *flood(void *arg)
{
	struct timeline *all = arg;

	for (unsigned i = 0; i < FLOOD; i++) {
		timeline_moment(all, TIMELINE_GUEST, "mark", "7");
		timeline_once(all, ONCE_USER, "mark");
		timeline_once(all, ONCE_CONSOLE, "mark");
	}
	return NULL;
}

static void threads(void **state)
{
	pthread_t thread[THREADS];

	(void)state;
	timeline_start(&t);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, flood, &t),
				 0);
	for (unsigned i = 0; i < 100; i++)
		report_take(&r, &t, NULL);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(count("mark"), TIMELINE_MARKS);
	assert_int_equal(count("user"), 1);
	assert_int_equal(count("console"), 1);
	assert_int_equal(r.dropped, THREADS * FLOOD - TIMELINE_MARKS);
}

/* What was seen, in this order, and the phases that follow from it. */
static void phases(void **state)
{
	static const struct {
		const char *name;
		bool firmware;
		enum timeline_once seen[12];
		const char *phases;
	} c[] = {
		{ "nothing counts before the guest runs",
		  true,
		  { ONCE_PEI, ONCE_DXE, ONCE_BDS, ONCE_KERNEL, ONCE_ACPI,
		    ONCE_COUNT },
		  "" },
		{ "a kernel's accesses are no firmware's",
		  false,
		  { ONCE_ENTRY, ONCE_PEI, ONCE_DXE, ONCE_BDS, ONCE_ACPI,
		    ONCE_DRIVERS, ONCE_COUNT },
		  "kernel acpi drivers " },
		{ "a firmware's are no kernel's",
		  true,
		  { ONCE_ENTRY, ONCE_KERNEL, ONCE_PEI, ONCE_KERNEL, ONCE_DXE,
		    ONCE_DRIVERS, ONCE_KERNEL, ONCE_COUNT },
		  "sec pei dxe " },
		{ "all in order, once",
		  true,
		  { ONCE_ENTRY, ONCE_PEI, ONCE_PEI, ONCE_DXE, ONCE_BDS,
		    ONCE_KERNEL, ONCE_DXE, ONCE_ACPI, ONCE_DRIVERS, ONCE_USER,
		    ONCE_READY, ONCE_COUNT },
		  "sec pei dxe bds kernel acpi drivers user ready " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		char got[160] = "";
		uint64_t sum = 0;
		size_t len = 0;

		timeline_start(&t);
		t.firmware = c[i].firmware;
		for (size_t k = 0; c[i].seen[k] != ONCE_COUNT; k++) {
			if (c[i].seen[k] == ONCE_ENTRY)
				timeline_entry(&t);
			else
				timeline_once(&t, c[i].seen[k], NULL);
		}
		report_take(&r, &t, NULL);
		for (size_t k = 0; k < r.n; k++) {
			if (r.row[k].lane != TIMELINE_GUEST || !r.row[k].span)
				continue;
			len += (size_t)snprintf(got + len, sizeof(got) - len,
						"%s ", r.row[k].name);
			sum += r.row[k].duration_ns;
		}
		if (strcmp(got, c[i].phases))
			fail_msg("%s: %s", c[i].name, got);
		if (len)
			assert_true(sum <= r.now_ns - r.entry_ns &&
				    r.now_ns - r.entry_ns - sum < 1000000);
	}
}

static void prompt(void **state)
{
	static const struct {
		const char *text;
		bool login;
	} c[] = {
		{ "", false },
		{ "login:", false },
		{ "log in: ", false },
		{ "logilogin:\nlogin:x", false },
		{ "debian login: ", true },
		{ "llogin: ", true },
		{ "loglogin: ", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		timeline_start(&t);
		for (const char *p = c[i].text; *p; p++)
			timeline_console(&t, (uint8_t)*p);
		assert_int_equal(count("login"), c[i].login);
		assert_int_equal(count("console"), !!*c[i].text);
	}
}

static uint64_t five_exits(const void *ctx)
{
	(void)ctx;
	return 5;
}

/* The host's phases follow each other without a gap, from the process on. */
static void host(void **state)
{
	static const char *const names[] = { "process", "configuration",
					     "files", "kvm", "start" };
	const struct timespec moment = { .tv_nsec = 2000000 };
	uint64_t at = 0;

	(void)state;
	timeline_start(&t);
	for (size_t i = 1; i < ARRAY_LEN(names); i++) {
		timeline_phase(&t, names[i]);
		nanosleep(&moment, NULL);
	}
	t.exits = five_exits;
	timeline_entry(&t);
	timeline_event(&t, "RESUME", NULL);
	report_take(&r, &t, "vm");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_string_equal(r.row[i].name, names[i]);
		assert_true(r.row[i].start_ns >= at &&
			    r.row[i].start_ns - at < 1000000);
		at = r.row[i].start_ns + r.row[i].duration_ns;
	}
	assert_string_equal(r.vm, "vm");
	assert_int_equal(row_of("entry")->exits, 5);
	assert_int_equal(row_of("kvm")->exits, 0);
	assert_int_equal(r.entry_ns, row_of("entry")->start_ns);
	/* The kernel's word for the start of this process, and ours. */
	assert_true(t.process_ns <= t.main_ns);
	assert_true(t.main_ns - t.process_ns < 60ull * CLOCK_NS_PER_S);
}

static void waiting(void **state)
{
	const struct timespec moment = { .tv_nsec = 3000000 };

	(void)state;
	timeline_start(&t);
	timeline_phase(&t, "wait");
	nanosleep(&moment, NULL);
	report_take(&r, &t, NULL);
	assert_true(r.paused_ns >= 3000000);
	timeline_phase(&t, "start");
	timeline_event(&t, "STOP", NULL);
	nanosleep(&moment, NULL);
	timeline_event(&t, "RESUME", NULL);
	report_take(&r, &t, NULL);
	assert_true(r.paused_ns >= 6000000);
	assert_true(r.paused_ns < r.now_ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_timeline),
		cmocka_unit_test(overflow),
		cmocka_unit_test(overflow_of_phases),
		cmocka_unit_test(threads),
		cmocka_unit_test(phases),
		cmocka_unit_test(prompt),
		cmocka_unit_test(host),
		cmocka_unit_test(waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
