/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console: see the header. Queue 0 is what the guest receives, queue 1 what it
 * sends (5.3.2). The workers hold the end's lock while they copy, never while
 * they wait; nobody who holds it waits for them.
 */
#include "devices/console.h"

#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "vmm/log.h"

#define QUEUE_RX 0u
#define QUEUE_TX 1u
#define QUEUES 2u
#define F_SIZE (1ull << 0) /* 5.3.3 */
#define PIECE 4096u

struct config_space {
	uint16_t cols, rows;
	uint32_t max_ports, emergency;
};
static_assert(sizeof(struct config_space) == 12, "virtio 1.2, 5.3.4");

static struct console *of_vdev(struct vdev *d)
{
	static_assert(offsetof(struct console, vdev) == 0, "cast");

	return (struct console *)d;
}

/* One request's worth of input; 0: there is none. */
static size_t take_input(struct console *c, uint8_t *to, size_t cap)
{
	size_t n;

	pthread_mutex_lock(&c->lock);
	n = chardev_read(c->end, to, cap);
	pthread_mutex_unlock(&c->lock);
	return n;
}

static bool has_input(struct console *c)
{
	bool has;

	pthread_mutex_lock(&c->lock);
	has = chardev_waiting(c->end) > 0;
	pthread_mutex_unlock(&c->lock);
	return has;
}

/* Input into the chain that was taken. */
static int receive_one(struct console *c, struct vqueue *q)
{
	uint8_t buf[PIECE];
	size_t cap = (size_t)min_u64(chain_in_len(&q->chain), sizeof(buf));
	size_t n;
	int rc;

	if (q->chain.n_out || !cap)
		return -EBADMSG;
	n = take_input(c, buf, cap);
	rc = chain_write(&q->chain, c->vdev.mem, buf, n);
	if (!rc)
		rc = virtq_give(&q->ring, q->chain.head, (uint32_t)n);
	return rc ? rc : vdev_announce_late(q);
}

/* As long as there are both, input and room for it. */
static int receive(struct console *c, struct vqueue *q)
{
	bool more = true, unused;
	int rc = virtq_notify_me(&q->ring, false, &unused);

	while (!rc && more && !vdev_wanted_back(q) && has_input(c)) {
		rc = virtq_take(&q->ring, &q->chain);
		if (rc == 1)
			rc = receive_one(c, q);
		else if (!rc)
			rc = virtq_notify_me(&q->ring, true, &more);
	}
	return rc ? rc : vdev_announce(q);
}

/* The next piece of the chain to the end: 1, 0 (no room), -errno. */
static int send_piece(struct console *c, struct chain *chain)
{
	uint8_t buf[PIECE];
	size_t n, room;
	int rc = 0;

	pthread_mutex_lock(&c->lock);
	room = chardev_room(c->end);
	n = (size_t)min_u64(min_u64(room, sizeof(buf)), chain_out_len(chain));
	if (n)
		rc = chain_read(chain, c->vdev.mem, buf, n);
	if (n && !rc)
		(void)chardev_write(c->end, buf, n);
	pthread_mutex_unlock(&c->lock);
	return rc ? rc : n > 0;
}

/*
 * The chain to its end: 1, 0 (the rest waits, for room or while we are held),
 * -errno. It may be of a terabyte, the same memory over and over: whoever wants
 * the worker back does not wait for that.
 */
static int send_chain(struct console *c, struct vqueue *q)
{
	int rc = 1;

	while (rc == 1 && chain_out_len(&q->chain))
		rc = vdev_wanted_back(q) ? 0 : send_piece(c, &q->chain);
	return rc;
}

/* No line needs to end: the guest has nothing more to say for now. */
static void flush(struct console *c)
{
	pthread_mutex_lock(&c->lock);
	chardev_flush(c->end);
	pthread_mutex_unlock(&c->lock);
}

/* Takes, sends and gives back until the ring is empty or the reader full. */
static int send_all(struct console *c, struct vqueue *q)
{
	bool more = true, unused;
	int rc = virtq_notify_me(&q->ring, false, &unused);

	while (!rc && more && !vdev_wanted_back(q)) {
		if (!c->sending) {
			rc = virtq_take(&q->ring, &q->chain);
			if (!rc)
				rc = virtq_notify_me(&q->ring, true, &more);
			if (rc != 1)
				continue;
			c->sending = true;
		}
		rc = q->chain.n_in ? -EBADMSG : send_chain(c, q);
		if (rc != 1)
			break;
		c->sending = false;
		rc = virtq_give(&q->ring, q->chain.head, 0);
		if (!rc)
			rc = vdev_announce_late(q);
	}
	flush(c);
	return rc ? rc : vdev_announce(q);
}

/* Linux reads it when it is told of a change, and not before. */
static void tell_size(struct console *c)
{
	struct vdev *d = &c->vdev;

	if (!c->told_size && d->accepted & F_SIZE)
		d->transport.config_interrupt(d->transport.ctx);
	c->told_size = true;
}

static int serve(struct vdev *d, struct vqueue *q)
{
	struct console *c = of_vdev(d);

	if (q - d->queue == QUEUE_RX)
		return receive(c, q);
	tell_size(c);
	return send_all(c, q);
}

/* What the last driver left unsent went with its memory. */
static void opened(struct vdev *d, unsigned i)
{
	if (i != QUEUE_TX)
		return;
	of_vdev(d)->sending = false;
	of_vdev(d)->told_size = false;
}

static const struct vdev_ops console_ops = {
	.name = "virtio-console",
	.type = VIRTIO_TYPE_CONSOLE,
	.class = 0x078000, /* a communication device of no other kind */
	.serve = serve,
	.opened = opened,
};

/* Main thread, the end's lock held: there is input, or room. */
static void end_changed(void *ctx)
{
	struct console *c = ctx;

	worker_kick(&c->vdev.queue[QUEUE_RX].worker);
	worker_kick(&c->vdev.queue[QUEUE_TX].worker);
}

static void read_window(struct console *c)
{
	struct winsize w = { 0 };
	struct config_space s = { .max_ports = 1 };

	if (c->end->in_fd >= 0 && !ioctl(c->end->in_fd, TIOCGWINSZ, &w)) {
		s.cols = w.ws_col;
		s.rows = w.ws_row;
	}
	bytes_copy(c->vdev.config, sizeof(c->vdev.config), &s, sizeof(s));
	c->vdev.config_len = sizeof(s);
}

/* SIGWINCH: the terminal has another size. */
static void window_changed(void *ctx, int fd, uint32_t events)
{
	struct console *c = ctx;
	struct signalfd_siginfo si;

	(void)events;
	if (read(fd, &si, sizeof(si)) != sizeof(si))
		return;
	bus_lock(c->board->bus);
	pthread_mutex_lock(&c->lock);
	read_window(c);
	pthread_mutex_unlock(&c->lock);
	vdev_config_changed(&c->vdev);
	bus_unlock(c->board->bus);
}

static int watch_window(struct console *c)
{
	sigset_t set;

	if (!c->end->terminal.raw)
		return 0;
	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	c->window_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (c->window_fd < 0)
		return -errno;
	return event_add(c->board->ev, c->window_fd, EPOLLIN, window_changed,
			 c);
}

static void close_descriptors(struct console *c)
{
	if (c->window_fd >= 0) {
		event_remove(c->board->ev, c->window_fd);
		close(c->window_fd);
	}
	pthread_mutex_destroy(&c->lock);
}

int console_attach(struct console *c, const struct console_config *cfg,
		   const struct console_board *board, uint8_t devfn,
		   struct chardev *end)
{
	int rc;

	*c = (struct console){ .board = board, .end = end, .window_fd = -1 };
	pthread_mutex_init(&c->lock, NULL);
	read_window(c);
	rc = vdev_open(&c->vdev, &console_ops, "console", board->mem,
		       end->terminal.raw ? F_SIZE : 0, cfg->platform, QUEUES,
		       board->hooks);
	if (rc)
		goto fail;
	rc = virtio_pci_attach(&c->pci, &c->vdev, board->pci, devfn,
			       board->irq);
	if (rc)
		goto fail_vdev;
	rc = chardev_attach(end, board->ev, &c->lock, end_changed, c);
	if (!rc)
		rc = chardev_be_impatient(end, CONSOLE_PATIENCE_NS);
	if (!rc)
		rc = watch_window(c);
	if (!rc)
		return 0;
	virtio_pci_close(&c->pci);
fail_vdev:
	vdev_close(&c->vdev);
fail:
	close_descriptors(c);
	log_error("console: %s", strerror(-rc));
	return rc;
}

void console_close(struct console *c)
{
	vdev_close(&c->vdev);
	virtio_pci_close(&c->pci);
	close_descriptors(c);
}

void console_pause(struct console *c)
{
	vdev_pause(&c->vdev);
}

void console_resume(struct console *c)
{
	vdev_resume(&c->vdev);
}
