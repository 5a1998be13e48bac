/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhost_again_test: peers of a vhost-user device that come and go: what of one
 * counts for the next, and what is said of them.
 */
#include "tests/unit/vhost_rig.h"

#include <fcntl.h>

#include "tests/unit/capture.h"

/* What it took along was an earlier driver's: the next one's device is whole */
static void dies_after_reset(void **state)
{
	struct world *w = *state;

	begin(w, &vhost_fs, 1);
	offer(w, 1, 1);
	served(w, 1, 1);
	reg_set(&w->rig, 20, 1, 0);
	w->peer.hangs_up = true;
	eventually(w->peer.connections == 2);
	assert_int_equal(rig_status(&w->rig), 0);
	drive(w, 2);
	offer(w, 1, 1);
	served(w, 1, 1);
	assert_false(is_broken(w));
}

static unsigned lines_in(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* Peers that come and go do not fill the log. */
static void many_lives(void **state)
{
	struct world *w = *state;
	struct capture c = capture_begin();
	char text[8192];

	begin(w, &vhost_disk, 1);
	for (unsigned i = 1; i <= 15; i++) {
		w->peer.hangs_up = true;
		eventually(w->peer.connections == i + 1);
		offer(w, 0, 1);
		served(w, 0, 1);
	}
	(void)capture_end(&c, text, sizeof(text));
	assert_int_equal(lines_in(text), 12);
	assert_non_null(strstr(text, "(last such line until one stays)\n"));
	assert_false(is_broken(w));
}

/* Nobody connects any more, which is said, once. */
static void dialer_is_gone(void **state)
{
	struct world *w = *state;
	struct capture c = capture_begin();
	char text[1024];
	int pair[2];

	begin(w, &vhost_disk, 1);
	offer(w, 0, 1);
	served(w, 0, 1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	close(pair[1]);
	assert_true(dup2(pair[0], w->dev.dial_fd) >= 0);
	close(pair[0]);
	w->peer.hangs_up = true;
	eventually(w->dev.dial_fd < 0);
	(void)capture_end(&c, text, sizeof(text));
	assert_non_null(strstr(text, "the process that connects is gone"));
}

/* The peer can do to eventfds what it likes: they are one file with ours. */
static void block(int fd)
{
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
}

/* Nobody of ours waits in one that was made to block, empty or full. */
static void eventfds_that_block(void **state)
{
	const uint64_t full = UINT64_MAX - 1;
	struct world *w = *state;
	const struct msix *m = &w->dev.pci.msix;
	const struct vqueue *q = w->dev.vdev.queue;

	begin(w, &vhost_disk, 1);
	offer(w, 0, 1);
	served(w, 0, 1);
	block(q->call_fd);
	drive(w, 1);
	offer(w, 0, 1);
	served(w, 0, 1);
	vhost_user_pause(&w->dev);
	w->peer.rests = true;
	block(q->kick_fd);
	assert_int_equal(write(q->kick_fd, &full, sizeof(full)), sizeof(full));
	offer(w, 0, 1); /* its kick comes out to us here */
	(void)rig_fired(&w->rig, m, 1);
	vhost_user_resume(&w->dev);
	/* What was answered while nobody listened is told in any case. */
	assert_true(rig_waits_irq(&w->rig, m, 1));
	w->peer.rests = false;
	served(w, 0, 1);
}

/* Nor is one that shuts its channel the end of its successors. */
static void channel_is_shut(void **state)
{
	struct world *w = *state;
	struct capture c = capture_begin();
	char text[1024];

	begin(w, &vhost_disk, 1);
	offer(w, 0, 1);
	served(w, 0, 1);
	assert_int_equal(shutdown(w->peer.back, SHUT_RDWR), 0);
	w->peer.hangs_up = true;
	eventually(w->peer.connections == 2);
	for (unsigned i = 0; i < 3; i++) {
		vhost_user_pause(&w->dev);
		vhost_user_resume(&w->dev);
		offer(w, 0, 1);
		served(w, 0, 1);
	}
	(void)capture_end(&c, text, sizeof(text));
	assert_int_equal(w->peer.connections, 2);
	assert_true(w->peer.back < 0);
	assert_non_null(strstr(text, "has shut its channel"));
	assert_false(is_broken(w));
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, world_open, world_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(dies_after_reset), TEST(many_lives),
		TEST(dialer_is_gone),	TEST(eventfds_that_block),
		TEST(channel_is_shut),
	};

	alarm(120); /* what waits for ever is a failure */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
