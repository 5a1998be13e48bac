/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chardev: the host's end of a character device: standard input and output, a
 * file, or a Unix socket that one client at a time may connect to. Bytes wait
 * in two bounded buffers, so nobody ever blocks: a full output buffer is the
 * device's to show the guest (a UART that is not ready to send), a full input
 * buffer stops the reading. Output goes out by lines, or when it has waited for
 * a moment: a system call a byte would cost more than the guest's own work.
 * While no client is connected to a socket the newest output is kept for the
 * next one. Peers are hostile.
 *
 * Everything here is called with its lock held (that of the buses, or one that
 * a device has for it), from any thread; only the main thread, told by kick_fd,
 * touches the event loop and closes descriptors.
 * SIGPIPE must be ignored.
 */
#ifndef CARREL_DEVICES_CHARDEV_H
#define CARREL_DEVICES_CHARDEV_H

#include <pthread.h>
#include <stdint.h>

#include "devices/escape.h"
#include "devices/terminal.h"
#include "vmm/acceptor.h"
#include "vmm/config.h"
#include "vmm/event.h"
#include "vmm/power.h"
#include "vmm/socket.h"

#define CHARDEV_BUF 65536

struct chardev_ring {
	uint8_t byte[CHARDEV_BUF];
	size_t at, len; /* oldest byte; how many */
};

/*
 * A file has a limit, or a guest could fill the host's disk: what it wrote
 * before is in PATH.1, and what it wrote before that is gone.
 */
struct chardev_file {
	uint64_t max, len; /* bytes; max 0: no limit */
	int older_fd; /* of PATH.1, opened while we still may; -1: none */
	char *older; /* its name */
	bool ours; /* it was not there before us and is empty yet */
};

/* For a device whose guest spins while output waits. */
struct chardev_patience {
	uint64_t ns; /* 0: endless */
	int timer_fd; /* -1: none */
	bool runs, over;
	unsigned told; /* log lines */
	uint64_t lost; /* bytes, since it was over */
};

struct chardev {
	const char *name; /* for log lines */
	enum config_end end;
	const char *path;
	pthread_mutex_t *lock;
	struct event *event; /* NULL until attached */
	int in_fd, out_fd; /* -1: none; never one descriptor */
	int listen_fd, kick_fd, timer_fd; /* -1: none */
	struct chardev_file log; /* of END_FILE */
	struct socket_file file; /* of listen_fd */
	struct acceptor acceptor; /* likewise */
	bool in_watched, out_watched;
	bool out_stalled; /* the peer took no more: the loop is to watch it */
	bool out_full; /* a file is at its limit: the loop is to begin anew */
	bool out_broken; /* the main thread is to close out_fd */
	bool flush_due, timer_runs; /* output waits for the timer */
	struct chardev_ring in, out;
	void (*changed)(void *ctx);
	void *ctx;
	struct terminal terminal;
	bool nonblock_set;
	struct escape escape; /* what is typed at a terminal */
	bool break_due; /* ^A b, for the device to take */
	struct power *power; /* whom ^A x asks; NULL: nobody */
	int cont_fd; /* SIGCONT, at a terminal; -1: none */
	struct chardev_patience patience;
};

/* Opens the end that p describes; -errno after a log line. */
int chardev_open(struct chardev *c, const char *name,
		 const struct config_port *p) MUST_USE;

/*
 * Puts it into the loop. changed is called in the main thread, with lock held,
 * when there is more to read or more room to write.
 */
int chardev_attach(struct chardev *c, struct event *event,
		   pthread_mutex_t *lock, void (*changed)(void *ctx),
		   void *ctx) MUST_USE;

/*
 * From here on a peer that is full and for ns nanoseconds does not take half of
 * what waits for it loses the output that follows, until it has.
 */
int chardev_be_impatient(struct chardev *c, uint64_t ns) MUST_USE;

/* Takes up to len bytes; how many it took. Fewer only while a peer stalls. */
size_t chardev_write(struct chardev *c, const void *src, size_t len);
size_t chardev_room(const struct chardev *c);

/* What was taken goes out now, not at the end of its line. */
void chardev_flush(struct chardev *c);

/* Up to cap bytes of input; how many. */
size_t chardev_read(struct chardev *c, void *dst, size_t cap);
size_t chardev_waiting(const struct chardev *c);

/* Was a break asked for since the last call? */
bool chardev_take_break(struct chardev *c);

/* Sends what goes within a second, restores the terminal. Main thread. */
void chardev_close(struct chardev *c);

#endif
