/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pvpanic_test: what the port reads as, and what each byte written to it means.
 */
#include "tests/unit/board_rig.h"

#include "devices/pvpanic.h"

struct world {
	struct board_rig rig;
	struct pvpanic pvpanic;
};

static int setup(void **state)
{
	static struct world w;

	rig_open(&w.rig);
	assert_int_equal(pvpanic_attach(&w.pvpanic, &w.rig.pio, &w.rig.power),
			 0);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	pvpanic_close(&w->pvpanic);
	assert_int_equal(in(&w->rig, BOARD_PORT_PVPANIC, 1), 0xff);
	rig_close(&w->rig);
	return 0;
}

static void one_byte(void **state)
{
	struct world *w = *state;

	assert_int_equal(in(&w->rig, BOARD_PORT_PVPANIC, 1), 3);
	assert_int_equal(in(&w->rig, BOARD_PORT_PVPANIC, 2), 0xffff);
	assert_int_equal(in(&w->rig, BOARD_PORT_PVPANIC - 1, 1), 0xff);
	assert_int_equal(in(&w->rig, BOARD_PORT_PVPANIC + 1, 1), 0xff);
}

static void events(void **state)
{
	static const struct {
		bool passes;
		uint8_t byte;
		enum power_request asked;
		unsigned notes;
	} t[] = {
		{ false, 0x00, POWER_NONE, 0 },
		{ false, 0x04, POWER_NONE, 0 },
		{ false, 0xfc, POWER_NONE, 0 },
		{ false, 0x01, POWER_PANIC, 0 },
		{ false, 0x02, POWER_NONE, POWER_NOTE_CRASHLOADED },
		{ false, 0xff, POWER_PANIC, POWER_NOTE_CRASHLOADED },
		{ true, 0x01, POWER_NONE, POWER_NOTE_PANIC },
		{ true, 0x03, POWER_NONE,
		  POWER_NOTE_PANIC | POWER_NOTE_CRASHLOADED },
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		w->rig.power.panic_passes = t[i].passes;
		out(&w->rig, BOARD_PORT_PVPANIC, 1, t[i].byte);
		assert_int_equal(asked(&w->rig), t[i].asked);
		assert_int_equal(power_take_notes(&w->rig.power), t[i].notes);
	}
}

static void any_access(void **state)
{
	struct world *w = *state;

	hammer(&w->rig, BOARD_PORT_PVPANIC - 4, 8);
	assert_int_equal(asked(&w->rig), POWER_PANIC);
}

int main(void)
{
#define WORLD(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		WORLD(one_byte),
		WORLD(events),
		WORLD(any_access),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
