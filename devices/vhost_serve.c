/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhost_serve: see the header. A peer that is gone is looked for again, by the
 * dialer, as nothing here may connect any more. Whether the guest's device can
 * go on with the next one depends on what the last one took with it:
 *
 * - Nothing, if every request was answered: the next begins where it ended.
 * - Nothing either, if it kept its books in memory that we hold (inflight).
 * - Otherwise only it knew which requests it had taken and in what order it had
 *   done them: serving them again could do one twice and lose another, so the
 *   device stops (NEEDS_RESET) until the guest resets it.
 * - A file system's peer takes its open files along in any case.
 */
#include "devices/vhost_serve.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/dial.h"
#include "devices/vhost_talk.h"
#include "devices/vhost_wire.h"
#include "vmm/clock.h"
#include "vmm/log.h"

#define RETRY_FIRST_MS 50u
#define RETRY_MS 1000u
#define HEARD_AT_ONCE 8 /* a peer that says it more often waits its turn */
#define TOLD_MOST 12 /* lines about a peer that comes and goes */
#define LASTING_NS (10 * CLOCK_NS_PER_S) /* one that is there to stay */

static struct vhost_user *of_vdev(struct vdev *d)
{
	static_assert(offsetof(struct vhost_user, vdev) == 0, "cast");

	return (struct vhost_user *)d;
}

static bool broken(const struct vhost_user *v)
{
	return vdev_status(&v->vdev) & VIRTIO_S_NEEDS_RESET;
}

static const char *reason(int rc)
{
	switch (rc) {
	case -EPIPE: return "is gone";
	case -ETIMEDOUT: return "does not answer: cut off";
	case -EPROTO: return "said what makes no sense: cut off";
	case -EREMOTEIO: return "refuses what it was told: cut off";
	case -EOPNOTSUPP: return "has no device configuration: cut off";
	default: return strerror(-rc);
	}
}

/* What is left of a channel that a next peer is to get. */
static void drain(int fd)
{
	char rest[256];

	while (recv(fd, rest, sizeof(rest), MSG_DONTWAIT) > 0)
		;
}

static void cut(struct vhost_user *v, unsigned retry_ms)
{
	close(v->fd);
	v->fd = -1;
	drain(v->back[0]);
	drain(v->back[1]);
	v->retry_ns = clock_ns() + retry_ms * (uint64_t)CLOCK_NS_PER_MS;
}

/* One more line about the peer? *last: what it ends with. */
static bool worth_a_line(struct vhost_user *v, const char **last)
{
	if (v->told == TOLD_MOST)
		return false;
	*last = ++v->told == TOLD_MOST ? " (last such line until one stays)"
				       : "";
	return true;
}

static void tell_lost(struct vhost_user *v, int why, unsigned n, bool stop)
{
	const char *last;

	if (v->since_ns && clock_ns() - v->since_ns >= LASTING_NS)
		v->told = 0;
	if (!worth_a_line(v, &last))
		return;
	if (stop && n)
		log_warn("%s: %s %s: %u requests are unanswered, and only it "
			 "knew which of them were done%s",
			 v->vdev.label, v->path, reason(why), n, last);
	else
		log_warn("%s: %s %s%s%s", v->vdev.label, v->path, reason(why),
			 stop ? "" : ": the device waits for the next", last);
}

/* The connection failed; the rings may have been with it. */
static void lose(struct vhost_user *v, int why)
{
	unsigned n = 0;
	bool books, stop;

	talk_renew(v);
	/* One that is cut off may be alive, and at what the books say. */
	books = v->inflight_fd >= 0 && why == -EPIPE;
	cut(v, RETRY_FIRST_MS);
	if (v->with_peer)
		n = talk_unanswered(v, books);
	stop = v->asked &&
	       (v->kind->stateful || (!books && (n || !v->settled)));
	v->with_peer = false;
	tell_lost(v, why, n, stop);
	v->silent = true;
	if (stop)
		vdev_break(&v->vdev, "it cannot go on without that peer");
}

/* The main thread shows it to the driver. */
static int fetch_config(struct vhost_user *v)
{
	uint8_t config[VHOST_CONFIG_BYTES] = { 0 };
	int rc = v->kind->config_bytes ? talk_config(v, config) : 0;

	if (rc || !v->kind->config_bytes)
		return rc;
	put_le16(config + v->kind->queues_at,
		 (uint16_t)(v->vdev.n_queues - v->kind->more_queues));
	pthread_mutex_lock(&v->lock);
	bytes_copy(v->fresh, sizeof(v->fresh), config, sizeof(config));
	pthread_mutex_unlock(&v->lock);
	(void)!write(v->fresh_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
	return 0;
}

void vhost_on_fresh(void *ctx, int fd, uint32_t events)
{
	struct vhost_user *v = ctx;
	const size_t len = v->vdev.config_len;
	bool changed;

	(void)events;
	if (!event_take(fd))
		return;
	bus_lock(v->board->bus);
	pthread_mutex_lock(&v->lock);
	changed = memcmp(v->vdev.config, v->fresh, len) != 0;
	bytes_copy(v->vdev.config, sizeof(v->vdev.config), v->fresh, len);
	pthread_mutex_unlock(&v->lock);
	if (changed)
		vdev_config_changed(&v->vdev);
	bus_unlock(v->board->bus);
}

/* A peer that comes later has to be able to do what the driver was told. */
static bool as_able(const struct vhost_user *v)
{
	const uint64_t ours = VIRTIO_F_ACCESS_PLATFORM;

	return !(v->vdev.offered & ~ours & ~v->features) &&
	       v->queues >= v->vdev.n_queues;
}

static void connected(struct vhost_user *v, int fd)
{
	const char *why, *last;
	int rc;

	v->fd = fd;
	rc = talk_begin(v, &why);
	if (!rc && !as_able(v)) {
		why = "offers less than the one before";
		rc = -EPROTONOSUPPORT;
	}
	if (!rc) {
		why = "gives no device configuration";
		rc = fetch_config(v);
	}
	if (!rc) {
		if (worth_a_line(v, &last))
			log_info("%s: %s: connected again%s", v->vdev.label,
				 v->path, last);
		v->since_ns = clock_ns();
		v->silent = false;
		return;
	}
	if (!v->silent && worth_a_line(v, &last))
		log_warn("%s: %s %s (%s): tried again until it can be used%s",
			 v->vdev.label, v->path, why, strerror(-rc), last);
	v->silent = true;
	cut(v, RETRY_MS);
}

/* The dialer's answers, or its end, after which nothing can be connected. */
static void on_dialer(struct vhost_user *v)
{
	uint64_t tag;
	int sock, err, rc = dial_answer(v->dial_fd, &tag, &sock, &err);

	if (!rc)
		return;
	v->dialing = false;
	v->retry_ns = clock_ns() + RETRY_MS * (uint64_t)CLOCK_NS_PER_MS;
	if (rc < 0) {
		log_warn("%s: the process that connects is gone: %s is lost",
			 v->vdev.label, v->path);
		close(v->dial_fd);
		v->dial_fd = -1;
	} else if (!err) {
		v->silent = false; /* it is another: what is wrong with it? */
		connected(v, sock);
	}
}

/* Milliseconds until there is something to do unasked; -1: never. */
static int patience(const struct vhost_user *v)
{
	uint64_t now = clock_ns();

	if (v->fd >= 0 || v->dial_fd < 0 || v->dialing)
		return -1;
	return now >= v->retry_ns
		       ? 0
		       : (int)((v->retry_ns - now) / CLOCK_NS_PER_MS + 1);
}

static void dial_again(struct vhost_user *v)
{
	if (patience(v) != 0)
		return;
	/* One that is gone says so when it is asked for its answer. */
	v->dialing = dial_ask(v->dial_fd, 0, 0) != -EAGAIN;
	v->retry_ns = clock_ns() + RETRY_MS * (uint64_t)CLOCK_NS_PER_MS;
}

/*
 * A peer that shuts its channel does so for all who come, as they get the same
 * one: there is no news of a changed configuration any more, and that is all.
 */
static int deafen(struct vhost_user *v)
{
	for (unsigned i = 0; i < ARRAY_LEN(v->back); i++) {
		close(v->back[i]);
		v->back[i] = -1;
	}
	log_warn("%s: %s has shut its channel: a change of its configuration "
		 "is not seen from here on",
		 v->vdev.label, v->path);
	return 0;
}

/* What it says on its channel. */
static int listen_to(struct vhost_user *v)
{
	const struct vhost_wire back = {
		.fd = v->back[0],
		.end_ns = clock_ns() + VHOST_TALK_MS * CLOCK_NS_PER_MS,
		.acks = v->protocol & VHOST_P_REPLY_ACK,
	};
	bool changed = false;
	int rc = 0;

	for (int i = 0; !rc && i < HEARD_AT_ONCE; i++) {
		rc = vhost_hear(&back);
		if (rc != 1)
			break;
		changed = true;
		rc = 0;
	}
	if (rc == -EPIPE)
		rc = deafen(v);
	return !rc && changed ? fetch_config(v) : rc;
}

/*
 * Sleeps until anything happens, and sees to it. -errno: the connection is no
 * good any more.
 */
static int watch(struct vhost_user *v)
{
	struct pollfd p[] = {
		{ .fd = v->vdev.queue[0].worker.kick_fd, .events = POLLIN },
		{ .fd = v->fd, .events = POLLIN },
		{ .fd = v->fd < 0 ? -1 : v->back[0], .events = POLLIN },
		{ .fd = v->dialing ? v->dial_fd : -1, .events = POLLIN },
	};

	if (poll(p, ARRAY_LEN(p), patience(v)) > 0) {
		if (p[0].revents)
			worker_take_kick(&v->vdev.queue[0].worker);
		if (p[3].revents)
			on_dialer(v);
		/* It says nothing here unless it was asked. */
		if (p[1].revents)
			return p[1].revents & POLLHUP ? -EPIPE : -EPROTO;
	}
	dial_again(v);
	return v->fd < 0 ? 0 : listen_to(v);
}

/* The worker when it is held, or has nobody to serve the rings. */
void vhost_wait(void *ctx, bool held)
{
	struct vhost_user *v = of_vdev(((struct vqueue *)ctx)->dev);
	int rc;

	if (!held && v->fd >= 0 && !broken(v))
		return;
	rc = watch(v);
	if (rc)
		lose(v, rc);
}

/* As long as this runs the peer serves the guest. */
int vhost_serve(struct vdev *d)
{
	struct vhost_user *v = of_vdev(d);
	int rc;

	if (v->fd < 0)
		return 0;
	rc = talk_start(v);
	if (rc == -EFAULT)
		return rc;
	while (!rc && !vdev_wanted_back(&d->queue[0]))
		rc = watch(v);
	if (!rc)
		rc = talk_stop(v);
	if (rc)
		lose(v, rc);
	return 0;
}

void vhost_reset(struct vdev *d)
{
	struct vhost_user *v = of_vdev(d);

	atomic_store(&v->renewed, true);
	worker_kick(vdev_worker(d, 0)); /* it may have been broken */
}
