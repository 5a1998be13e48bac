/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhost_fuzz: the input is all that a vhost-user peer says, on its own channel
 * and in answer to whatever it is asked, over the sockets that a device has.
 * Whatever it is, it ends a conversation or leads to numbers within their
 * bounds, and no descriptor is left behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/vhost_talk.h"
#include "devices/vhost_wire.h"
#include "tests/bare_board.h"
#include "vmm/clock.h"

#define RAM (64 * KIB)
#define QUEUES 2
#define LATER_MS 20u /* nothing more comes, and that is known by then */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct world {
	struct bare_board board;
	struct vhost_user v;
	int peer, channel;
};

static int two(int fd[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd);
}

static struct world *world_open(void)
{
	struct world *w = calloc(1, sizeof(*w));
	int fd[2];

	CHECK(w);
	bare_board_open(&w->board, RAM);
	w->v.vdev.mem = &w->board.mem;
	w->v.vdev.label = "fuzz";
	w->v.vdev.n_queues = QUEUES;
	w->v.kind = &vhost_disk;
	w->v.path = "fuzz";
	w->v.inflight_fd = -1;
	CHECK(!two(fd));
	w->v.fd = fd[0];
	w->peer = fd[1];
	CHECK(!two(w->v.back));
	for (unsigned i = 0; i < QUEUES; i++) {
		struct vqueue *q = &w->v.vdev.queue[i];

		q->setup = (struct virtq_setup){
			16,
			{ 0x1000 * i },
			{ 0x1000 * i + 0x400 },
			{ 0x1000 * i + 0x800 },
		};
		q->enabled = true;
		q->kick_fd = eventfd(0, EFD_NONBLOCK);
		q->call_fd = eventfd(0, EFD_NONBLOCK);
	}
	return w;
}

static void world_close(struct world *w)
{
	for (unsigned i = 0; i < QUEUES; i++) {
		close(w->v.vdev.queue[i].kick_fd);
		close(w->v.vdev.queue[i].call_fd);
	}
	if (w->v.inflight_fd >= 0)
		close(w->v.inflight_fd);
	close(w->v.fd);
	close(w->v.back[0]);
	close(w->v.back[1]);
	irq_close(&w->board.irq);
	gmem_close(&w->board.mem);
	pthread_mutex_destroy(&w->board.lock);
	free(w);
}

/* What it says is all there from the start; then it hangs up. */
static void say(int fd, const uint8_t *data, size_t len)
{
	if (len)
		(void)!send(fd, data, len, MSG_DONTWAIT);
	(void)shutdown(fd, SHUT_WR);
}

static int converse(struct world *w)
{
	uint8_t config[VHOST_CONFIG_BYTES];
	const char *why;
	int rc = talk_begin(&w->v, &why);

	CHECK(w->v.queues <= VDEV_QUEUES);
	if (!rc)
		rc = talk_config(&w->v, config);
	w->v.vdev.accepted = w->v.features;
	if (!rc)
		rc = talk_start(&w->v);
	/* Of no ring: a stop waits for what a base says was taken. */
	for (unsigned i = 0; i < QUEUES; i++)
		w->v.vdev.queue[i].enabled = false;
	if (!rc)
		rc = talk_stop(&w->v);
	return rc;
}

static void listen_for(struct world *w)
{
	struct vhost_wire back = {
		.fd = w->v.back[0],
		.end_ns = clock_ns() + LATER_MS * CLOCK_NS_PER_MS,
		.acks = w->v.protocol & VHOST_P_REPLY_ACK,
	};
	int rc, n = 0;

	do
		rc = vhost_hear(&back);
	while (rc == 1 && n++ < 64);
	CHECK(rc <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	int first = open("/dev/null", O_RDONLY), last;
	size_t on_channel = len ? data[0] % 32u : 0;
	struct world *w = world_open();

	data += len != 0;
	len -= len != 0;
	on_channel = on_channel > len ? len : on_channel;
	say(w->v.back[1], data, on_channel);
	say(w->peer, data + on_channel, len - on_channel);
	(void)converse(w);
	listen_for(w);
	close(w->peer);
	world_close(w);
	close(first);
	last = open("/dev/null", O_RDONLY);
	CHECK(last == first); /* the same number: nothing was left open */
	close(last);
	return 0;
}
