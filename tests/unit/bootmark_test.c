/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bootmark_test: a guest that writes every number again and again.
 */
#include "devices/bootmark.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vmm/board_map.h"
#include "vmm/timeline_report.h"

static struct timeline t;
static struct report r;
static struct bus pio;
static struct bootmark b;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static size_t count(const char *name)
{
	size_t n = 0;

	report_take(&r, &t, NULL);
	for (size_t i = 0; i < r.n; i++)
		n += !strcmp(r.row[i].name, name);
	return n;
}

static void write_code(unsigned code)
{
	uint8_t byte = (uint8_t)code;

	bus_write(&pio, BOARD_PORT_BOOTMARK, &byte, 1);
}

static int setup(void **state)
{
	(void)state;
	timeline_start(&t);
	bus_open(&pio, &lock);
	pio.timeline = &t;
	return bootmark_attach(&b, &pio);
}

static int teardown(void **state)
{
	(void)state;
	bootmark_close(&b);
	return (int)pio.n;
}

static void flood(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3000; i++)
		write_code(i);
	assert_int_equal(count("mark"), BOOTMARK_MARKS);
	assert_int_equal(count("user"), 1);
	assert_int_equal(count("ready"), 1);
	assert_int_equal(r.dropped, 0);
}

static void numbers(void **state)
{
	uint8_t byte = 0;

	(void)state;
	write_code(BOOTMARK_KERNEL); /* no kernel without a firmware before */
	write_code(BOOTMARK_USER);
	write_code(200);
	assert_int_equal(count("kernel"), 0);
	assert_int_equal(count("user"), 1);
	assert_int_equal(count("mark"), 1);
	for (size_t i = 0; i < r.n; i++)
		if (!strcmp(r.row[i].name, "mark"))
			assert_string_equal(r.row[i].what, "200");
	bus_read(&pio, BOARD_PORT_BOOTMARK, &byte, 1);
	assert_int_equal(byte, 0xff);
}

static void without_timeline(void **state)
{
	(void)state;
	pio.timeline = NULL;
	for (unsigned i = 0; i < 300; i++)
		write_code(i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(flood, setup, teardown),
		cmocka_unit_test_setup_teardown(numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(without_timeline, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
