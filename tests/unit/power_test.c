/* SPDX-License-Identifier: Apache-2.0 */
/*
 * power_test: which request wins, and that none is lost or seen twice.
 */
#include "vmm/power.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

static bool waiting(const struct power *p)
{
	struct pollfd f = { .fd = p->fd, .events = POLLIN };

	return poll(&f, 1, 0) == 1;
}

static void first_or_graver_wins(void **state)
{
	static const struct {
		enum power_request a, b, taken;
	} t[] = {
		{ POWER_OFF, POWER_OFF, POWER_OFF },
		{ POWER_RESET, POWER_OFF, POWER_RESET },
		{ POWER_OFF, POWER_RESET, POWER_OFF },
		{ POWER_CRASH, POWER_RESET, POWER_CRASH },
		{ POWER_QUIT, POWER_CRASH, POWER_QUIT },
		{ POWER_OFF, POWER_CRASH, POWER_CRASH },
		{ POWER_RESET, POWER_PANIC, POWER_PANIC },
		{ POWER_CRASH, POWER_PANIC, POWER_CRASH },
		{ POWER_RESET, POWER_QUIT, POWER_QUIT },
	};
	struct power p;
	const char *why;

	(void)state;
	assert_int_equal(power_open(&p), 0);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		assert_false(waiting(&p));
		power_ask(&p, t[i].a, "a");
		assert_true(waiting(&p));
		power_ask(&p, t[i].b, "b");
		assert_int_equal(power_take(&p, &why), t[i].taken);
		assert_string_equal(why, t[i].taken == t[i].a ? "a" : "b");
		assert_int_equal(power_take(&p, &why), POWER_NONE);
	}
	power_close(&p);
}

/* What the guest asked for twice is done once; a crash is not forgotten. */
static void a_reset_is_forgotten(void **state)
{
	struct power p;
	const char *why;

	(void)state;
	assert_int_equal(power_open(&p), 0);
	assert_false(power_waits(&p));
	power_ask(&p, POWER_RESET, "a");
	assert_true(power_waits(&p));
	power_forget_reset(&p);
	assert_false(power_waits(&p));
	assert_int_equal(power_take(&p, &why), POWER_NONE);
	power_ask(&p, POWER_CRASH, "b");
	power_forget_reset(&p);
	assert_int_equal(power_take(&p, &why), POWER_CRASH);
	power_close(&p);
}

/* Until it is settled nobody who asks power_waits goes on. */
static void waits_until_settled(void **state)
{
	struct power p;
	const char *why;

	(void)state;
	assert_int_equal(power_open(&p), 0);
	assert_int_equal(power_take(&p, &why), POWER_NONE);
	assert_false(power_waits(&p));
	power_panic(&p);
	assert_int_equal(power_take(&p, &why), POWER_PANIC);
	assert_true(power_waits(&p));
	power_settle(&p);
	assert_false(power_waits(&p));
	power_close(&p);
}

/* A note is no request; each kind is one until it is taken. */
static void notes(void **state)
{
	struct power p;
	const char *why;
	uint64_t n;

	(void)state;
	assert_int_equal(power_open(&p), 0);
	p.panic_passes = true;
	for (unsigned i = 0; i < 5; i++) {
		power_panic(&p);
		power_note(&p, POWER_NOTE_WATCHDOG);
	}
	assert_false(power_waits(&p));
	assert_int_equal(read(p.fd, &n, sizeof(n)), sizeof(n));
	assert_int_equal(n, 2);
	assert_int_equal(power_take(&p, &why), POWER_NONE);
	assert_int_equal(power_take_notes(&p),
			 POWER_NOTE_PANIC | POWER_NOTE_WATCHDOG);
	assert_int_equal(power_take_notes(&p), 0);
	power_note(&p, POWER_NOTE_CRASHLOADED);
	assert_true(waiting(&p));
	power_close(&p);
}

#define ASKS 20000

static void *ask_often(void *arg)
{
	for (unsigned i = 0; i < ASKS; i++)
		power_ask(arg, POWER_OFF, "off");
	return NULL;
}

/* A request that no eventfd announces would be one the main thread misses. */
static void threads(void **state)
{
	struct power p;
	pthread_t t[2];
	const char *why;
	unsigned taken = 0;

	(void)state;
	assert_int_equal(power_open(&p), 0);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_int_equal(pthread_create(&t[i], NULL, ask_often, &p), 0);
	for (unsigned i = 0; i < ASKS; i++)
		if (waiting(&p))
			taken += power_take(&p, &why) == POWER_OFF;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		pthread_join(t[i], NULL);
	if (atomic_load(&p.request) != POWER_NONE) {
		assert_true(waiting(&p));
		taken += power_take(&p, &why) == POWER_OFF;
	}
	assert_true(taken > 0);
	power_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_or_graver_wins),
		cmocka_unit_test(a_reset_is_forgotten),
		cmocka_unit_test(waits_until_settled),
		cmocka_unit_test(notes),
		cmocka_unit_test(threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
