/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chardev_test: ends that cannot be opened, peers that stall, leave or come
 * too many, a terminal that must be as before, and bytes that arrive in order.
 */
#include "tests/unit/chardev_rig.h"

static void cannot_open(void **state)
{
	struct world *w = *state;
	char longer[200];
	struct config_port p = { .end = END_FILE, .path = w->dir };

	memset(longer, 'x', sizeof longer);
	longer[0] = '/';
	longer[sizeof longer - 1] = 0;
	assert_int_equal(chardev_open(&w->end, "serial", &p), -EISDIR);
	p.path = "/nonexistent/file";
	assert_int_equal(chardev_open(&w->end, "serial", &p), -ENOENT);
	p = (struct config_port){ END_SOCKET, longer, 0 };
	assert_int_equal(chardev_open(&w->end, "serial", &p), -ENAMETOOLONG);
	p.path = "/nonexistent/socket";
	assert_int_equal(chardev_open(&w->end, "serial", &p), -ENOENT);
	/* A FIFO that nobody reads must not be waited for. */
	assert_int_equal(mkfifo(w->path, 0600), 0);
	p = (struct config_port){ END_FILE, w->path, 0 };
	assert_int_equal(chardev_open(&w->end, "serial", &p), -ENXIO);
}

/* What is at a socket's path and not a dead socket stays there. */
static void path_taken(void **state)
{
	struct world *w = *state;
	struct config_port p = { .end = END_SOCKET, .path = w->path };
	struct sockaddr_un a = address(w);
	struct stat st;
	int fd = open(w->path, O_WRONLY | O_CREAT, 0600);

	assert_int_equal(write(fd, "keep", 4), 4);
	close(fd);
	assert_int_equal(chardev_open(&w->end, "serial", &p), -EADDRINUSE);
	assert_int_equal(stat(w->path, &st), 0);
	assert_int_equal(st.st_size, 4);
	unlink(w->path);

	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(chardev_open(&w->end, "serial", &p), -EADDRINUSE);
	close(fd);
	open_end(w, END_SOCKET); /* now a leftover */
	assert_int_equal(stat(w->path, &st), 0);
	assert_int_equal(st.st_mode, S_IFSOCK | 0600);
	chardev_close(&w->end);
	assert_int_equal(stat(w->path, &st), -1);
}

static void none(void **state)
{
	struct world *w = *state;
	char b;

	open_end(w, END_NONE);
	assert_int_equal(chardev_write(&w->end, "abc", 3), 3);
	assert_int_equal(chardev_read(&w->end, &b, 1), 0);
}

/* However output is cut into calls, it is the same bytes in order. */
static void by_and_by(void **state)
{
	static char want[3000], got[3000];
	struct world *w = *state;
	size_t have = 0;
	int fd;

	open_end(w, END_SOCKET);
	fd = client(w);
	for (size_t i = 0; i < sizeof want; i++) {
		want[i] = (char)(i % 700 == 99 ? '\n' : 'a' + i % 23);
		assert_int_equal(chardev_write(&w->end, &want[i], 1), 1);
		if (i % 1000 == 555)
			spin(&w->rig, 15);
	}
	for (unsigned i = 0; i < 500 && have < sizeof got; i++) {
		ssize_t n = read(fd, got + have, sizeof got - have);

		have += n > 0 ? (size_t)n : 0;
		spin(&w->rig, 2);
	}
	assert_memory_equal(got, want, sizeof want);
	assert_int_equal(w->end.out.len, 0);
	close(fd);
}

static void one_client(void **state)
{
	struct world *w = *state;
	char got[8] = "";
	int a, b;

	open_end(w, END_SOCKET);
	a = client(w);
	b = client(w);
	assert_int_equal(read(b, got, 1), 0); /* refused: end of file */
	close(b);
	assert_int_equal(chardev_write(&w->end, "hi", 2), 2);
	assert_int_equal(read(a, got, sizeof got), -1);
	expect(w, a, "hi");
	assert_int_equal(write(a, "yo", 2), 2);
	spin(&w->rig, 3);
	assert_true(w->changes > 0);
	assert_int_equal(chardev_read(&w->end, got, 1), 1);
	assert_int_equal(chardev_read(&w->end, got + 1, 7), 1);
	assert_string_equal(got, "yo");
	close(a);
	spin(&w->rig, 3);
	a = client(w); /* the place is free again */
	assert_int_equal(chardev_write(&w->end, "x\n", 2), 2);
	assert_int_equal(read(a, got, 8), 2); /* a line: at once */
	/* It leaves while we write. */
	close(a);
	assert_int_equal(chardev_write(&w->end, "y\n", 2), 2);
	spin(&w->rig, 3);
	assert_int_equal(w->end.out_fd, -1);
	assert_int_equal(w->end.in_fd, -1);
}

/* Without a client the newest bytes wait for one. */
static void kept_for_later(void **state)
{
	static uint8_t got[CHARDEV_BUF + 16];
	struct world *w = *state;
	size_t have = 0;
	ssize_t n;
	int fd;

	open_end(w, END_SOCKET);
	for (unsigned i = 0; i < 100000; i++)
		assert_int_equal(chardev_write(&w->end,
					       &(uint8_t){ (uint8_t)(i % 251) },
					       1),
				 1);
	fd = client(w);
	while ((n = read(fd, got + have, sizeof got - have)) > 0) {
		have += (size_t)n;
		spin(&w->rig, 2);
	}
	assert_int_equal(have, CHARDEV_BUF);
	for (size_t i = 0; i < have; i++)
		assert_int_equal(got[i], (100000 - have + i) % 251);
	close(fd);
}

static void stalled(void **state)
{
	static uint8_t got[1 << 20];
	static const char text[1000] = "text";
	struct world *w = *state;
	size_t sent = 0, have = 0, n;
	ssize_t r;
	int fd;

	open_end(w, END_SOCKET);
	fd = client(w);
	while ((n = chardev_write(&w->end, text, sizeof text)) == sizeof text)
		sent += n;
	sent += n;
	assert_int_equal(chardev_room(&w->end), 0);
	assert_int_equal(chardev_write(&w->end, text, 1), 0);
	spin(&w->rig, 3);
	w->changes = 0;
	for (unsigned i = 0; i < 200 && have < sent; i++) {
		r = read(fd, got + have, sizeof got - have);
		have += r > 0 ? (size_t)r : 0;
		spin(&w->rig, 1);
	}
	assert_int_equal(have, sent);
	assert_true(w->changes > 0);
	assert_int_equal(chardev_room(&w->end), CHARDEV_BUF);
	assert_false(w->end.out_watched);
	close(fd);
}

/* The timer may find room before the loop does: the device hears of it. */
static void room_by_the_timer(void **state)
{
	static uint8_t got[1 << 20];
	static const char text[1000] = "text";
	struct world *w = *state;
	int fd;

	open_end(w, END_SOCKET);
	fd = client(w);
	assert_int_equal(chardev_write(&w->end, "x", 1), 1);
	spin(&w->rig, 2);
	assert_true(w->end.timer_runs);
	while (chardev_write(&w->end, text, sizeof text) == sizeof text)
		;
	w->changes = 0;
	while (read(fd, got, sizeof got) > 0)
		;
	usleep(30000);
	spin(&w->rig, 3);
	assert_true(w->changes > 0);
	assert_int_equal(chardev_room(&w->end), CHARDEV_BUF);
	close(fd);
}

/* Reads slowly, in the child, and says how much there was. */
static int slow_reader(const struct world *w, int tell)
{
	static uint8_t got[8192];
	size_t have = 0;
	ssize_t n;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un a = address(w);

	if (connect(fd, (struct sockaddr *)&a, sizeof a))
		return 1;
	for (unsigned i = 0; (n = read(fd, got, sizeof got)) > 0; i++) {
		have += (size_t)n;
		usleep(i ? 1000 : 300000);
	}
	return write(tell, &have, sizeof have) != sizeof have;
}

/* At the end a slow peer still gets everything. */
static void last_words(void **state)
{
	static const char text[1000] = "text";
	struct world *w = *state;
	size_t sent = 0, got = 0, n;
	int told[2];
	pid_t pid;

	assert_int_equal(pipe(told), 0);
	open_end(w, END_SOCKET);
	pid = fork();
	if (!pid)
		_exit(slow_reader(w, told[1]));
	while (w->end.out_fd < 0)
		spin(&w->rig, 1);
	do {
		n = chardev_write(&w->end, text, sizeof text);
		sent += n;
	} while (n == sizeof text);
	chardev_close(&w->end);
	assert_int_equal(read(told[0], &got, sizeof got), sizeof got);
	assert_int_equal(got, sent);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(told[0]);
	close(told[1]);
}

/* One that never reads does not keep us, and what it missed is said. */
static void last_words_unread(void **state)
{
	static const char text[1000] = "text";
	struct world *w = *state;
	struct capture cap;
	char said[512], want[128];
	time_t start = time(NULL);
	int fd;

	open_end(w, END_SOCKET);
	fd = client(w);
	while (chardev_write(&w->end, text, sizeof text) == sizeof text)
		;
	cap = capture_begin();
	chardev_close(&w->end);
	(void)capture_end(&cap, said, sizeof said);
	assert_true(time(NULL) - start < 10);
	snprintf(want, sizeof want, "the last %u bytes of output are lost",
		 CHARDEV_BUF);
	assert_non_null(strstr(said, want));
	close(fd);
}

/* A peer that floods is not read beyond the buffer, and loses nothing. */
static void flooded(void **state)
{
	static uint8_t sent[400000], got[400000];
	struct world *w = *state;
	size_t put = 0, have = 0, n;
	int fd;

	open_end(w, END_SOCKET);
	fd = client(w);
	for (size_t i = 0; i < sizeof sent; i++)
		sent[i] = (uint8_t)(i * 13 >> 4);
	for (unsigned i = 0; i < 2000 && have < sizeof sent; i++) {
		ssize_t r = write(fd, sent + put, sizeof sent - put);

		put += r > 0 ? (size_t)r : 0;
		if (i >= 20) { /* until then nobody takes anything */
			n = chardev_read(&w->end, got + have, 9000);
			have += n;
		}
		assert_true(w->end.in.len <= CHARDEV_BUF);
		spin(&w->rig, 1);
	}
	assert_int_equal(have, sizeof sent);
	assert_memory_equal(got, sent, sizeof sent);
	close(fd);
}

/* Standard input and output on a terminal: raw, then exactly as before. */
static void terminal(void **state)
{
	struct world *w = *state;
	int master, slave, saved[2] = { dup(0), dup(1) }, flags;
	struct termios before, raw, after;
	char got[8] = "";

	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	assert_int_equal(tcgetattr(slave, &before), 0);
	dup2(slave, 0);
	dup2(slave, 1);
	open_end(w, END_STDIO);
	flags = fcntl(1, F_GETFL);
	assert_int_equal(tcgetattr(slave, &raw), 0);
	assert_int_equal(chardev_write(&w->end, "out", 3), 3);
	assert_int_equal(write(master, "\003x", 2), 2); /* Ctrl-C goes in */
	for (unsigned i = 0; i < 500 && w->end.in.len < 2; i++)
		spin(&w->rig, 2); /* a kernel thread brings them */
	assert_int_equal(chardev_read(&w->end, got, sizeof got), 2);
	assert_int_equal(got[0], 3);
	chardev_close(&w->end);
	assert_int_equal(tcgetattr(slave, &after), 0);
	dup2(saved[0], 0);
	dup2(saved[1], 1);
	assert_int_equal(flags & O_NONBLOCK, 0);
	assert_int_equal(raw.c_lflag & (ICANON | ECHO | ISIG), ISIG);
	assert_int_equal(raw.c_cc[VINTR], 0x1d);
	assert_int_equal(after.c_iflag, before.c_iflag);
	assert_int_equal(after.c_oflag, before.c_oflag);
	assert_int_equal(after.c_cflag, before.c_cflag);
	assert_int_equal(after.c_lflag, before.c_lflag);
	assert_memory_equal(after.c_cc, before.c_cc, sizeof before.c_cc);
	assert_int_equal(read(master, got, sizeof got), 3);
	assert_memory_equal(got, "out", 3);
	close(master);
	close(slave);
	close(saved[0]);
	close(saved[1]);
}

/* Input that ends, or cannot be waited for, leaves the output alone. */
static void no_input(void **state)
{
	struct world *w = *state;
	int null = open("/dev/null", O_RDWR), saved[2] = { dup(0), dup(1) };
	int pair[2];
	char got[8];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	dup2(null, 0);
	dup2(pair[0], 1);
	open_end(w, END_STDIO);
	assert_int_equal(w->end.in_fd, -1);
	assert_int_equal(fcntl(pair[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	assert_int_equal(chardev_write(&w->end, "out", 3), 3);
	chardev_close(&w->end);
	assert_int_equal(fcntl(pair[0], F_GETFL) & O_NONBLOCK, 0);
	dup2(saved[0], 0);
	dup2(saved[1], 1);
	assert_int_equal(read(pair[1], got, sizeof got), 3);
	close(pair[0]);
	close(pair[1]);
	close(saved[0]);
	close(saved[1]);
	close(null);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(cannot_open),	      T(path_taken), T(none),
		T(by_and_by),	      T(one_client), T(kept_for_later),
		T(stalled),	      T(flooded),    T(terminal),
		T(room_by_the_timer), T(no_input),   T(last_words),
		T(last_words_unread),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
