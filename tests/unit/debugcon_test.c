/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debugcon_test: wide accesses, lines that never end, a peer that stalls, and
 * a log that arrives whole.
 */
#include "tests/unit/board_rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "devices/debugcon.h"

#define PORT BOARD_PORT_DEBUGCON

struct world {
	struct board_rig rig;
	struct chardev end;
	struct debugcon d;
	char dir[40], path[64];
	int from;
};

static int setup(void **state)
{
	static struct world w;
	struct config_port p = { .end = END_FILE, .path = w.path };

	w = (struct world){ .dir = "/tmp/debugcon_test.XXXXXX" };
	rig_open(&w.rig);
	assert_non_null(mkdtemp(w.dir));
	snprintf(w.path, sizeof w.path, "%s/log", w.dir);
	assert_int_equal(mkfifo(w.path, 0600), 0);
	w.from = open(w.path, O_RDONLY | O_NONBLOCK);
	assert_int_equal(chardev_open(&w.end, "debugcon", &p), 0);
	assert_int_equal(
		debugcon_attach(&w.d, &w.rig.pio, &w.rig.event, &w.end), 0);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	debugcon_close(&w->d);
	chardev_close(&w->end);
	close(w->from);
	unlink(w->path);
	rmdir(w->dir);
	rig_close(&w->rig);
	return 0;
}

static void say(struct world *w, const char *text)
{
	while (*text)
		out(&w->rig, PORT, 1, (uint8_t)*text++);
}

static void wide(void **state)
{
	struct world *w = *state;

	assert_int_equal(in(&w->rig, PORT, 2), 0xffff);
	assert_int_equal(in(&w->rig, PORT, 4), 0xffffffff);
	assert_int_equal(in(&w->rig, PORT - 1, 2), 0xffff);
	out(&w->rig, PORT, 2, 0x0a0a);
	assert_int_equal(w->d.len, 0);
	assert_int_equal(in(&w->rig, PORT, 1), 0xe9);
	hammer(&w->rig, PORT - 3, 4);
}

static void lines(void **state)
{
	struct world *w = *state;
	char got[64] = "";

	say(w, "SecCore");
	assert_int_equal(read(w->from, got, sizeof got), -1);
	say(w, "Startup\r\nnext");
	assert_int_equal(read(w->from, got, sizeof got), 16);
	assert_string_equal(got, "SecCoreStartup\r\n");
	debugcon_reset(&w->d);
	for (unsigned i = 0; i < 500 && w->end.out.len; i++)
		spin(&w->rig, 2);
	assert_int_equal(read(w->from, got, sizeof got), 4);
	assert_memory_equal(got, "next", 4);
}

static void endless_line(void **state)
{
	struct world *w = *state;
	char got[1000];

	for (unsigned i = 0; i < 600; i++)
		say(w, "x");
	assert_int_equal(read(w->from, got, sizeof got), 512);
}

/* The guest goes on; the log is cut. */
static void stalled(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < 20000; i++)
		say(w, "a line of a log\n");
	assert_true(w->d.warned);
	assert_int_equal(chardev_room(&w->end), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(wide),
		T(lines),
		T(endless_line),
		T(stalled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
