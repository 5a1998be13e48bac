/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serial_test: accesses that find nobody, the probes that systems do to tell a
 * 16550A from its relatives, interrupts in their order, and a host that stalls.
 */
#include "tests/unit/board_rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "devices/serial.h"

#define COM BOARD_PORT_SERIAL
#define DATA COM
#define IER (COM + 1)
#define IIR (COM + 2)
#define FCR (COM + 2)
#define LCR (COM + 3)
#define MCR (COM + 4)
#define LSR (COM + 5)
#define MSR (COM + 6)
#define SCR (COM + 7)
#define OUT2 0x08
#define LOOP 0x10

struct world {
	struct board_rig rig;
	struct chardev end;
	struct serial s;
	char dir[32], in_path[48], out_path[48];
	int to, from; /* our ends of the two FIFOs */
};

/* A chardev whose two ends are FIFOs: we are the person at the terminal. */
static int setup(void **state)
{
	static struct world w;
	struct config_port p = { .end = END_FILE, .path = w.out_path };

	w = (struct world){ .dir = "/tmp/serial_test.XXXXXX" };
	rig_open(&w.rig);
	assert_non_null(mkdtemp(w.dir));
	snprintf(w.in_path, sizeof w.in_path, "%s/in", w.dir);
	snprintf(w.out_path, sizeof w.out_path, "%s/out", w.dir);
	assert_int_equal(mkfifo(w.in_path, 0600), 0);
	assert_int_equal(mkfifo(w.out_path, 0600), 0);
	w.to = open(w.in_path, O_RDWR | O_NONBLOCK);
	w.from = open(w.out_path, O_RDONLY | O_NONBLOCK);
	assert_int_equal(chardev_open(&w.end, "serial", &p), 0);
	w.end.in_fd = open(w.in_path, O_RDONLY | O_NONBLOCK);
	assert_true(w.to >= 0 && w.from >= 0 && w.end.in_fd >= 0);
	assert_int_equal(serial_attach(&w.s, &w.rig.pio, &w.rig.irq,
				       &w.rig.event, &w.end),
			 0);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	serial_close(&w->s);
	chardev_close(&w->end);
	close(w->to);
	close(w->from);
	unlink(w->in_path);
	unlink(w->out_path);
	rmdir(w->dir);
	rig_close(&w->rig);
	return 0;
}

static uint8_t get(struct world *w, uint16_t port)
{
	return (uint8_t)in(&w->rig, port, 1);
}

static void set(struct world *w, uint16_t port, uint8_t v)
{
	out(&w->rig, port, 1, v);
}

static bool irq(struct world *w)
{
	return line(&w->rig, BOARD_IRQ_SERIAL);
}

static void type(struct world *w, const char *text)
{
	assert_int_equal(write(w->to, text, strlen(text)), strlen(text));
	spin(&w->rig, 5);
}

static void nobody_there(void **state)
{
	struct world *w = *state;

	assert_int_equal(in(&w->rig, DATA, 2), 0xffff);
	assert_int_equal(in(&w->rig, DATA, 4), 0xffffffff);
	assert_int_equal(in(&w->rig, SCR, 2), 0xffff);
	out(&w->rig, SCR, 2, 0x1234);
	assert_int_equal(get(w, SCR), 0);
	set(w, LSR, 0xff);
	set(w, MSR, 0xff);
	assert_int_equal(get(w, LSR), 0x60);
	assert_int_equal(get(w, MSR), 0xb0);
	assert_int_equal(get(w, DATA), 0);
	assert_int_equal(get(w, IIR), 0x01);
}

/* What Linux's 8250 driver asks before it believes in a 16550A. */
static void probes(void **state)
{
	struct world *w = *state;

	set(w, IER, 0);
	assert_int_equal(get(w, IER) & 0x0f, 0);
	set(w, IER, 0xff);
	assert_int_equal(get(w, IER), 0x0f); /* no Xscale bit either */
	set(w, IER, 0);
	set(w, MCR, LOOP | 0x0a);
	assert_int_equal(get(w, MSR) & 0xf0, 0x90);
	set(w, MCR, 0);
	set(w, FCR, 0x01);
	assert_int_equal(get(w, IIR) >> 6, 3);
	set(w, FCR, 0x21); /* no 64 byte FIFO */
	assert_int_equal(get(w, IIR) >> 5, 6);
	set(w, LCR, 0xbf); /* no extended registers */
	assert_int_equal(get(w, IIR) >> 6, 3);
	set(w, LCR, 0x83);
	set(w, DATA, 0x34);
	set(w, IER, 0x12);
	assert_int_equal(get(w, DATA), 0x34);
	assert_int_equal(get(w, IER), 0x12);
	set(w, LCR, 0x03);
	assert_int_equal(get(w, IER), 0);
	set(w, SCR, 0xa5);
	assert_int_equal(get(w, SCR), 0xa5);
	set(w, FCR, 0x00);
	assert_int_equal(get(w, IIR) >> 6, 0);
}

/* The test for transmitters that forget to tell again. */
static void thre_rearmed(void **state)
{
	struct world *w = *state;

	set(w, MCR, OUT2);
	set(w, IER, 2);
	assert_true(irq(w));
	assert_int_equal(get(w, IIR), 0x02);
	assert_false(irq(w)); /* reading it told us */
	assert_int_equal(get(w, IIR), 0x01);
	set(w, IER, 2); /* enabled already: no news */
	assert_int_equal(get(w, IIR), 0x01);
	set(w, IER, 0);
	set(w, IER, 2);
	assert_int_equal(get(w, IIR), 0x02);
	set(w, DATA, 'x'); /* sent at once: empty again */
	assert_true(irq(w));
	set(w, MCR, 0); /* OUT2 gates the line */
	assert_false(irq(w));
}

static void output(void **state)
{
	struct world *w = *state;
	char got[16] = "";

	for (const char *p = "hello\n"; *p; p++) {
		assert_int_equal(get(w, LSR) & 0x60, 0x60);
		set(w, DATA, (uint8_t)*p);
	}
	assert_int_equal(read(w->from, got, sizeof got), 6);
	assert_string_equal(got, "hello\n");
}

static void input(void **state)
{
	struct world *w = *state;

	set(w, FCR, 0x81); /* trigger at 8 */
	set(w, MCR, OUT2);
	set(w, IER, 1);
	type(w, "abc");
	assert_true(irq(w));
	assert_int_equal(get(w, IIR), 0xcc); /* below: a time-out */
	assert_int_equal(get(w, LSR), 0x61);
	assert_int_equal(get(w, DATA), 'a');
	assert_int_equal(get(w, DATA), 'b');
	assert_true(irq(w));
	assert_int_equal(get(w, DATA), 'c');
	assert_false(irq(w));
	type(w, "0123456789abcdefghijklmnopqrstuvwxyz");
	assert_int_equal(get(w, IIR), 0xc4);
	for (const char *p = "0123456789abcdefghijklmnopqrstuvwxyz"; *p; p++)
		assert_int_equal(get(w, DATA), *p);
	assert_int_equal(get(w, LSR), 0x60);
	assert_int_equal(get(w, IIR), 0xc1);
	/* Without FIFOs one byte at a time, and none is overrun. */
	set(w, FCR, 0);
	type(w, "xy");
	assert_int_equal(get(w, IIR), 0x04);
	assert_int_equal(get(w, DATA), 'x');
	assert_int_equal(get(w, DATA), 'y');
	assert_int_equal(get(w, LSR), 0x60);
}

static void priorities(void **state)
{
	struct world *w = *state;

	set(w, FCR, 0x01);
	set(w, MCR, LOOP);
	assert_int_equal(get(w, MSR), 0x0b); /* the peer's lines went away */
	set(w, IER, 0x0f);
	for (unsigned i = 0; i < 17; i++)
		set(w, DATA, (uint8_t)i); /* one too many */
	set(w, MCR, LOOP | 0x02); /* CTS changes */
	assert_int_equal(get(w, IIR), 0xc6);
	assert_int_equal(get(w, LSR) & 0x03, 0x03);
	assert_int_equal(get(w, IIR), 0xc4);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(get(w, DATA), i);
	assert_int_equal(get(w, IIR), 0xc2);
	assert_int_equal(get(w, IIR), 0xc0);
	assert_int_equal(get(w, MSR) & 0x1f, 0x11);
	assert_int_equal(get(w, IIR), 0xc1);
}

static void loopback(void **state)
{
	struct world *w = *state;
	char byte;

	set(w, MCR, LOOP | OUT2);
	set(w, IER, 1);
	type(w, "z"); /* the line is cut off */
	assert_int_equal(get(w, LSR) & 1, 0);
	set(w, DATA, 0x5a);
	assert_false(irq(w)); /* OUT2 is held inactive */
	assert_int_equal(get(w, DATA), 0x5a);
	assert_int_equal(read(w->from, &byte, 1), -1);
	set(w, LCR, 0x40);
	assert_int_equal(get(w, LSR) & 0x11, 0x11);
	assert_int_equal(get(w, DATA), 0);
	set(w, LCR, 0);
	set(w, MCR, LOOP | 0x04);
	set(w, MCR, LOOP); /* RI ends */
	assert_int_equal(get(w, MSR) & 0x44, 0x04);
	set(w, MCR, OUT2);
	assert_true(irq(w));
	assert_int_equal(get(w, DATA), 'z');
}

/* A peer that stalls: the transmitter fills up, nothing is lost. */
static void stall(void **state)
{
	struct world *w = *state;
	static uint8_t got[300000];
	size_t sent = 0, have = 0;
	ssize_t n;

	set(w, FCR, 0x01);
	set(w, MCR, OUT2);
	while (get(w, LSR) & 0x20)
		set(w, DATA, (uint8_t)(sent++ * 31 >> 3));
	assert_true(sent > CHARDEV_BUF);
	assert_int_equal(get(w, LSR) & 0x60, 0);
	set(w, IER, 2);
	assert_false(irq(w));
	for (unsigned i = 0; i < 15; i++) /* the FIFO's other places */
		set(w, DATA, (uint8_t)(sent++ * 31 >> 3));
	for (unsigned i = 0; i < 20 && have < sent; i++) {
		n = read(w->from, got + have, sizeof got - have);
		have += n > 0 ? (size_t)n : 0;
		spin(&w->rig, 2);
	}
	assert_int_equal(have, sent);
	for (size_t i = 0; i < sent; i++)
		assert_int_equal(got[i], (uint8_t)(i * 31 >> 3));
	assert_int_equal(get(w, LSR) & 0x60, 0x60);
	assert_true(irq(w));
	assert_int_equal(get(w, IIR), 0xc2);
}

/* Ctrl-A b: it waits for the bytes before it, and is told of its own byte. */
static void a_break(void **state)
{
	struct world *w = *state;

	set(w, FCR, 0x01);
	type(w, "ab");
	w->end.break_due = true;
	type(w, "c");
	assert_int_equal(get(w, LSR) & 0x11, 0x01);
	assert_int_equal(get(w, DATA), 'a');
	assert_int_equal(get(w, DATA), 'b');
	assert_int_equal(get(w, LSR) & 0x11, 0x11);
	assert_int_equal(get(w, DATA), 0);
	assert_int_equal(get(w, LSR) & 0x11, 0x01);
	assert_int_equal(get(w, DATA), 'c');
	assert_false(w->end.break_due);
}

static void resets(void **state)
{
	struct world *w = *state;

	set(w, FCR, 0x01);
	set(w, MCR, LOOP | 0x0f);
	set(w, IER, 0x0f);
	set(w, LCR, 0x83);
	set(w, LCR, 0x03);
	set(w, DATA, 'q');
	serial_reset(&w->s);
	assert_false(irq(w));
	assert_int_equal(get(w, IER), 0);
	assert_int_equal(get(w, IIR), 0x01);
	assert_int_equal(get(w, LCR), 0);
	assert_int_equal(get(w, MCR), 0);
	assert_int_equal(get(w, LSR), 0x60);
}

static void hostile(void **state)
{
	struct world *w = *state;
	uint32_t seed = 1;

	hammer(&w->rig, COM - 3, 11);
	type(w, "some input to be read at odd moments");
	for (unsigned i = 0; i < 200000; i++) {
		seed = seed * 1664525 + 1013904223;
		if (seed >> 31)
			set(w, (uint16_t)(COM + (seed >> 8 & 7)),
			    (uint8_t)(seed >> 16));
		else
			(void)get(w, (uint16_t)(COM + (seed >> 8 & 7)));
	}
	spin(&w->rig, 2);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(nobody_there), T(probes),  T(thre_rearmed), T(output),
		T(input),	 T(a_break), T(priorities),   T(loopback),
		T(stall),	 T(resets),  T(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
