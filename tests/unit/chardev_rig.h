/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chardev_rig: one character device on a loop without a board, its path in a
 * directory of its own, and clients of a socket.
 */
#ifndef CARREL_TESTS_UNIT_CHARDEV_RIG_H
#define CARREL_TESTS_UNIT_CHARDEV_RIG_H

#include "tests/unit/board_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "devices/chardev.h"
#include "tests/unit/capture.h"

struct world {
	struct board_rig rig;
	struct chardev end;
	char dir[40], path[64];
	unsigned changes;
};

static inline int setup(void **state)
{
	static struct world w;

	w = (struct world){ .dir = "/tmp/chardev_test.XXXXXX" };
	rig_open(&w.rig);
	assert_non_null(mkdtemp(w.dir));
	snprintf(w.path, sizeof w.path, "%s/end", w.dir);
	*state = &w;
	return 0;
}

static inline int teardown(void **state)
{
	struct world *w = *state;

	chardev_close(&w->end);
	unlink(w->path);
	rmdir(w->dir);
	rig_close(&w->rig);
	return 0;
}

static inline void changed(void *ctx)
{
	((struct world *)ctx)->changes++;
}

static inline void open_end(struct world *w, enum config_end end)
{
	struct config_port p = { .end = end, .path = w->path };

	assert_int_equal(chardev_open(&w->end, "serial", &p), 0);
	assert_int_equal(chardev_attach(&w->end, &w->rig.event, w->rig.pio.lock,
					changed, w),
			 0);
}

static inline struct sockaddr_un address(const struct world *w)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof a.sun_path, "%s", w->path);
	return a;
}

static inline int client(struct world *w)
{
	struct sockaddr_un a = address(w);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	spin(&w->rig, 3);
	return fd;
}

/* Bytes that did not end a line take a moment. */
static inline void expect(struct world *w, int fd, const char *text)
{
	char got[64] = "";
	size_t have = 0;

	for (unsigned i = 0; i < 500 && have < strlen(text); i++) {
		ssize_t n = read(fd, got + have, sizeof got - 1 - have);

		have += n > 0 ? (size_t)n : 0;
		spin(&w->rig, 2);
	}
	assert_string_equal(got, text);
}

#endif
