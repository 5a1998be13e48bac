/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console_test: requests that the console refuses, then bytes both ways to a
 * client of its socket: one that stalls, one that floods, one that comes late.
 */
#include "tests/unit/virtio_rig.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "devices/console.h"
#include "tests/unit/capture.h"
#include "vmm/clock.h"

#define FEATURES (VIRTIO_F_VERSION_1)
#define RX 0
#define TX 1
#define BIG 0x10000u /* as much as the end's buffer holds */

struct world {
	struct rig rig;
	struct event event;
	struct chardev end;
	struct console console;
	struct console_board board;
	char dir[40], path[64];
};

static int setup(void **state)
{
	static struct world w;
	const struct console_config cfg = { .platform = false };

	w = (struct world){ .dir = "/tmp/console_test.XXXXXX" };
	rig_open(&w.rig);
	assert_int_equal(event_open(&w.event), 0);
	assert_non_null(mkdtemp(w.dir));
	snprintf(w.path, sizeof(w.path), "%s/end", w.dir);
	w.board = (struct console_board){ &w.rig.pci, &w.rig.mem, &w.rig.irq,
					  &w.rig.pio, &w.event,	  NULL };
	assert_int_equal(chardev_open(&w.end, "console",
				      &(struct config_port){ .end = END_SOCKET,
							     .path = w.path }),
			 0);
	assert_int_equal(
		console_attach(&w.console, &cfg, &w.board, RIG_DEVFN, &w.end),
		0);
	rig_place(&w.rig);
	rig_msix(&w.rig, &w.console.pci.msix);
	rig_start(&w.rig, FEATURES, 2);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	console_close(&w->console);
	chardev_close(&w->end);
	event_close(&w->event);
	rmdir(w->dir);
	rig_close(&w->rig);
	return 0;
}

static void enough(void *ctx, int fd, uint32_t events)
{
	(void)fd;
	(void)events;
	event_stop(ctx);
}

/* What is ready in the main loop is handled. */
static void spin(struct world *w)
{
	int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);

	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(
			event_add(&w->event, fd, EPOLLIN, enough, &w->event),
			0);
		assert_int_equal(event_run(&w->event), 0);
		event_remove(&w->event, fd);
	}
	close(fd);
}

static int client(struct world *w)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", w->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	spin(w);
	return fd;
}

/* Reads until there is all of want, while the main loop turns. */
static void expect(struct world *w, int fd, const void *want, size_t len)
{
	uint8_t *got = malloc(len);
	size_t have = 0;

	for (unsigned i = 0; i < 25000 && have < len; i++) {
		ssize_t n = read(fd, got + have, len - have);

		have += n > 0 ? (size_t)n : 0;
		spin(w);
		if (n <= 0)
			rig_nap();
	}
	assert_int_equal(have, len);
	assert_memory_equal(got, want, len);
	free(got);
}

static void offer(struct world *w, uint16_t q, uint64_t addr, uint32_t len,
		  unsigned flags)
{
	rig_desc(&w->rig, RIG_DESC(q), 0, addr, len, flags, 0);
	rig_offer(&w->rig, q, 0);
	rig_kick(&w->rig, q);
}

static void put(struct world *w, const void *bytes, size_t len)
{
	assert_int_equal(gmem_write(&w->rig.mem, at(RIG_DATA), bytes, len), 0);
	offer(w, TX, RIG_DATA, (uint32_t)len, 0);
}

static void refuses(void **state)
{
	static const struct {
		uint16_t q;
		uint64_t addr;
		uint32_t len;
		unsigned flags;
	} table[] = {
		{ TX, RIG_DATA, 64, VRING_DESC_WRITE },
		{ TX, RIG_RAM, 64, 0 },
		{ TX, RIG_RAM - 63, 64, 0 },
		{ TX, ~0ull - 3, 64, 0 },
		{ RX, RIG_DATA, 64, 0 },
		{ RX, RIG_DATA, 0, VRING_DESC_WRITE },
		{ RX, RIG_RAM, 64, VRING_DESC_WRITE },
	};
	struct world *w = *state;
	int fd = client(w);
	uint32_t len;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		rig_start(&w->rig, FEATURES, 2);
		assert_int_equal(write(fd, "x", 1), 1);
		spin(w);
		offer(w, table[i].q, table[i].addr, table[i].len,
		      table[i].flags);
		if (rig_wait(&w->rig, table[i].q, &len))
			fail_msg("%zu: answered", i);
		assert_int_equal(rig_status(&w->rig),
				 15 | VIRTIO_S_NEEDS_RESET);
	}
	close(fd);
}

static void both_ways(void **state)
{
	struct world *w = *state;
	struct rig *r = &w->rig;
	int fd = client(w);
	char got[8] = "";
	uint32_t len;

	put(w, "hello\n", 6);
	assert_true(rig_wait(r, TX, &len));
	assert_int_equal(len, 0);
	assert_true(rig_waits_irq(r, &w->console.pci.msix, TX + 1));
	expect(w, fd, "hello\n", 6);
	/* A buffer first, then input; then input first. */
	offer(w, RX, RIG_DATA, 5, VRING_DESC_WRITE);
	assert_int_equal(write(fd, "typed", 5), 5);
	spin(w);
	assert_true(rig_wait(r, RX, &len));
	assert_int_equal(len, 5);
	assert_int_equal(gmem_read(&r->mem, at(RIG_DATA), got, 5), 0);
	assert_string_equal(got, "typed");
	assert_int_equal(write(fd, "abcdefg", 7), 7);
	spin(w);
	offer(w, RX, RIG_DATA, 5, VRING_DESC_WRITE);
	assert_true(rig_wait(r, RX, &len));
	assert_int_equal(len, 5);
	offer(w, RX, RIG_DATA, 5, VRING_DESC_WRITE);
	assert_true(rig_wait(r, RX, &len));
	assert_int_equal(len, 2);
	assert_int_equal(gmem_read(&r->mem, at(RIG_DATA), got, 2), 0);
	assert_memory_equal(got, "fg", 2);
	close(fd);
}

/* Slower than the guest, but alive: the guest waits and nothing is lost. */
static void slow_reader(void **state)
{
	struct world *w = *state;
	static uint8_t block[BIG], back[BIG];
	int fd = client(w);
	uint32_t len;

	for (unsigned i = 0; i < 40; i++) {
		for (size_t k = 0; k < sizeof(block); k++)
			block[k] = (uint8_t)(k * 7 + i);
		bytes_copy(back, sizeof(back), block, sizeof(block));
		put(w, block, sizeof(block));
		expect(w, fd, back, sizeof(back));
		assert_true(rig_wait(&w->rig, TX, &len));
	}
	assert_int_equal(w->end.patience.told, 0);
	close(fd);
}

/* The main loop turns until the device has taken what was offered. */
static void turn_until_taken(struct world *w, uint64_t end_ns)
{
	uint16_t used = 0;

	do {
		spin(w);
		rig_nap();
		assert_true(clock_ns() < end_ns);
		assert_int_equal(
			gmem_load16(&w->rig.mem, at(RIG_USED(TX) + 2), &used),
			0);
	} while (used != w->rig.offered[TX]);
}

/* One who reads nothing costs the guest a second, once, and then nothing. */
static void deaf_reader(void **state)
{
	struct world *w = *state;
	static uint8_t block[BIG];
	struct capture said;
	uint64_t start = clock_ns();
	char text[2048];
	int fd = client(w);
	uint32_t len;

	memset(block, '.', sizeof(block));
	said = capture_begin();
	for (unsigned i = 0; i < 40; i++) {
		put(w, block, sizeof(block));
		turn_until_taken(w, start + 60 * CLOCK_NS_PER_S);
		assert_true(rig_wait(&w->rig, TX, &len));
	}
	capture_end(&said, text, sizeof(text));
	assert_true(clock_ns() - start >= CONSOLE_PATIENCE_NS);
	assert_non_null(strstr(text, "dropped"));
	/* What it had been given is still there, and new output after it. */
	for (unsigned i = 0; i < 2000; i++) {
		spin(w);
		(void)!read(fd, block, sizeof(block));
	}
	put(w, "back\n", 5);
	assert_true(rig_wait(&w->rig, TX, &len));
	expect(w, fd, "back\n", 5);
	close(fd);
}

/* The newest output waits for the first client; a reset forgets a request. */
static void late_client(void **state)
{
	struct world *w = *state;
	uint32_t len;
	int fd;

	put(w, "before\n", 7);
	assert_true(rig_wait(&w->rig, TX, &len));
	fd = client(w);
	expect(w, fd, "before\n", 7);
	reg_set(&w->rig, 20, 1, 0);
	rig_start(&w->rig, FEATURES, 2);
	put(w, "again\n", 6);
	assert_true(rig_wait(&w->rig, TX, &len));
	expect(w, fd, "again\n", 6);
	close(fd);
}

/* Input for which the guest has no room stays with the sender. */
static void flood(void **state)
{
	struct world *w = *state;
	static uint8_t block[4096];
	size_t sent = 0, got = 0;
	int fd = client(w);
	uint32_t len;

	for (unsigned i = 0; i < 1000; i++) {
		ssize_t n = write(fd, block, sizeof(block));

		sent += n > 0 ? (size_t)n : 0;
		spin(w);
	}
	assert_true(sent > CHARDEV_BUF && sent < 1000 * sizeof(block));
	while (got < sent) {
		offer(w, RX, RIG_DATA, sizeof(block), VRING_DESC_WRITE);
		while (!rig_wait(&w->rig, RX, &len))
			spin(w);
		got += len;
		spin(w);
	}
	assert_int_equal(got, sent);
	close(fd);
}

/* Has the device written to its end, since this was last asked? */
static bool has_written(struct world *w)
{
	bool any;

	pthread_mutex_lock(&w->console.lock);
	any = w->end.out.len;
	w->end.out.len = 0;
	pthread_mutex_unlock(&w->console.lock);
	return any;
}

static uint16_t taken(struct world *w)
{
	uint16_t used;

	assert_int_equal(gmem_load16(&w->rig.mem, at(RIG_USED(TX) + 2), &used),
			 0);
	return used;
}

/* A gigabyte in one request, which nobody reads: stop and reset do not wait. */
static void endless_request(void **state)
{
	const uint64_t table = RIG_DATA;
	struct world *w = *state;
	bool held = false;
	uint32_t len;

	for (uint16_t i = 0; i < VIRTQ_SPANS; i++)
		rig_desc(&w->rig, table, i, 0, RIG_RAM,
			 i + 1 < VIRTQ_SPANS ? VRING_DESC_NEXT : 0,
			 (uint16_t)(i + 1));
	/* A machine that stands still between two lines gets another try. */
	for (unsigned i = 0; !held && i < 10; i++) {
		rig_start(&w->rig, FEATURES | VIRTIO_F_INDIRECT_DESC, 2);
		(void)has_written(w);
		offer(w, TX, table, VIRTQ_SPANS * 16, VRING_DESC_INDIRECT);
		while (!has_written(w))
			rig_nap();
		console_pause(&w->console);
		held = !taken(w);
		console_resume(&w->console);
	}
	assert_true(held);
	/* The rest of it comes later, or never. */
	for (unsigned i = 0; i < 10 && !rig_wait(&w->rig, TX, &len); i++)
		;
	assert_int_equal(taken(w), 1);
	offer(w, TX, table, VIRTQ_SPANS * 16, VRING_DESC_INDIRECT);
	rig_start(&w->rig, FEATURES, 2);
	put(w, "after\n", 6);
	assert_true(rig_wait(&w->rig, TX, &len));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(refuses),	       TEST(both_ways),	  TEST(slow_reader),
		TEST(deaf_reader),     TEST(late_client), TEST(flood),
		TEST(endless_request),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
