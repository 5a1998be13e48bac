/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhost_talk: see the header. User addresses, by which the peer finds rings,
 * are guest addresses here: it has no use for ours.
 */
#include "devices/vhost_talk.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "devices/vhost_ring.h"
#include "devices/vhost_wire.h"
#include "vmm/clock.h"
#include "vmm/log.h"

#define WANTED                                                                 \
	(VHOST_P_MQ | VHOST_P_REPLY_ACK | VHOST_P_BACKEND_REQ |                \
	 VHOST_P_CONFIG | VHOST_P_INFLIGHT)
#define SLOW_LINES 8 /* a guest can lie about what is answered, for ever */
#define RING_IDX 2 /* in either ring (virtio 1.2, 2.7.6) */

static struct vhost_wire wire(const struct vhost_user *v)
{
	return (struct vhost_wire){
		.fd = v->fd,
		.end_ns = clock_ns() + VHOST_TALK_MS * CLOCK_NS_PER_MS,
		.acks = v->protocol & VHOST_P_REPLY_ACK,
	};
}

static int ask_u64(const struct vhost_wire *w, uint32_t what, uint64_t *out)
{
	struct vhost_msg m = { .h = { .request = what } };
	int rc = vhost_ask(w, &m, sizeof(m.p.u64), NULL);

	*out = rc ? 0 : m.p.u64;
	return rc;
}

static int tell_fd(const struct vhost_wire *w, uint32_t what, uint64_t value,
		   int fd)
{
	struct vhost_msg m = { .h = { .request = what,
				      .size = sizeof(m.p.u64) },
			       .p.u64 = value };

	return vhost_tell(w, &m, &fd, fd < 0 ? 0 : 1);
}

static int tell_state(const struct vhost_wire *w, uint32_t what, unsigned i,
		      uint32_t num)
{
	struct vhost_msg m = { .h = { .request = what,
				      .size = sizeof(m.p.state) },
			       .p.state = { i, num } };

	return vhost_tell(w, &m, NULL, 0);
}

static int tell_alone(const struct vhost_wire *w, uint32_t what, int fd)
{
	struct vhost_msg m = { .h = { .request = what } };

	return vhost_tell(w, &m, &fd, fd < 0 ? 0 : 1);
}

/* Only where the peer has protocol features at all. */
static int settle_protocol(struct vhost_user *v, struct vhost_wire *w)
{
	uint64_t queues = 1;
	int rc = ask_u64(w, VHOST_GET_PROTOCOL_FEATURES, &v->protocol);

	v->protocol &= WANTED;
	if (!rc)
		rc = tell_fd(w, VHOST_SET_PROTOCOL_FEATURES, v->protocol, -1);
	w->acks = v->protocol & VHOST_P_REPLY_ACK;
	if (!rc && v->protocol & VHOST_P_MQ)
		rc = ask_u64(w, VHOST_GET_QUEUE_NUM, &queues);
	v->queues = (unsigned)min_u64(queues, VDEV_QUEUES);
	return rc;
}

int talk_begin(struct vhost_user *v, const char **why)
{
	const uint64_t both = VHOST_P_BACKEND_REQ | VHOST_P_CONFIG;
	struct vhost_wire w;
	int rc;

	v->protocol = 0;
	v->queues = 1;
	w = wire(v);
	*why = "speaks no vhost-user";
	rc = ask_u64(&w, VHOST_GET_FEATURES, &v->features);
	if (rc == -ETIMEDOUT)
		*why = "does not answer; does it serve another VM?";
	if (!rc && !(v->features & VIRTIO_F_VERSION_1)) {
		*why = "is older than virtio 1";
		return -EPROTONOSUPPORT;
	}
	if (!rc && v->features & VHOST_F_PROTOCOL)
		rc = settle_protocol(v, &w);
	if (!rc)
		rc = tell_alone(&w, VHOST_SET_OWNER, -1);
	if (!rc && (v->protocol & both) == both && v->back[1] >= 0)
		rc = tell_alone(&w, VHOST_SET_BACKEND_REQ_FD, v->back[1]);
	if (rc || !v->kind->config_bytes || v->protocol & VHOST_P_CONFIG)
		return rc;
	*why = "has no device configuration";
	return -EPROTONOSUPPORT;
}

int talk_config(struct vhost_user *v, uint8_t *config)
{
	const struct vhost_config asked = { .size = v->kind->config_bytes };
	uint32_t size = VHOST_CONFIG_HEAD + asked.size;
	struct vhost_msg m = { .h = { VHOST_GET_CONFIG, 0, size },
			       .p.config = asked };
	struct vhost_wire w = wire(v);
	int rc = vhost_ask(&w, &m, size, NULL);

	if (!rc)
		rc = vhost_config_ok(&asked, &m.p.config);
	if (!rc)
		bytes_copy(config, VHOST_CONFIG_BYTES, m.p.config.bytes,
			   asked.size);
	return rc;
}

/* RAM alone: the firmware's image is nobody's to write. */
static int tell_memory(struct vhost_user *v, const struct vhost_wire *w)
{
	const struct gmem *mem = v->vdev.mem;
	struct vhost_msg m = { .h = { .request = VHOST_SET_MEM_TABLE } };
	struct vhost_memory *t = &m.p.memory;
	int fd[VHOST_REGIONS];

	static_assert(GMEM_REGIONS <= VHOST_REGIONS, "room for each");

	for (size_t i = 0; i < mem->n; i++) {
		const struct gmem_region *r = &mem->r[i];

		if (r->kind != GMEM_RAM)
			continue;
		fd[t->n] = r->fd;
		t->r[t->n++] = (struct vhost_region){
			.guest = r->base.v,
			.size = r->size,
			.user = r->base.v,
		};
	}
	m.h.size = 8 + t->n * (uint32_t)sizeof(t->r[0]);
	return vhost_tell(w, &m, fd, t->n);
}

static void renounce_inflight(struct vhost_user *v)
{
	if (v->inflight_fd >= 0)
		close(v->inflight_fd);
	v->inflight_fd = -1;
}

/* A peer that keeps its books in shared memory can die and be followed. */
static int share_inflight(struct vhost_user *v, const struct vhost_wire *w)
{
	struct vhost_msg m = { .h = { VHOST_GET_INFLIGHT_FD, 0,
				      sizeof(m.p.inflight) } };
	struct vhost_inflight asked = { .queues = (uint16_t)v->vdev.n_queues };
	int rc;

	if (v->inflight_fd < 0) {
		for (unsigned i = 0; i < v->vdev.n_queues; i++)
			asked.queue_size = (uint16_t)max_u64(
				asked.queue_size, v->vdev.queue[i].setup.size);
		m.p.inflight = asked;
		rc = vhost_ask(w, &m, sizeof(m.p.inflight), &v->inflight_fd);
		if (!rc)
			rc = vhost_inflight_ok(&asked, &m.p.inflight,
					       v->inflight_fd >= 0);
		if (rc) {
			renounce_inflight(v);
			return rc;
		}
		v->inflight = m.p.inflight;
	}
	m.h = (struct vhost_header){ VHOST_SET_INFLIGHT_FD, 0,
				     sizeof(m.p.inflight) };
	m.p.inflight = v->inflight;
	return vhost_tell(w, &m, &v->inflight_fd, 1);
}

static int start_ring(struct vhost_user *v, const struct vhost_wire *w,
		      unsigned i)
{
	const struct vqueue *q = &v->vdev.queue[i];
	struct vhost_msg m = {
		.h = { VHOST_SET_VRING_ADDR, 0, sizeof(m.p.addr) },
		.p.addr = { .index = i,
			    .desc = q->setup.desc.v,
			    .used = q->setup.used.v,
			    .avail = q->setup.avail.v },
	};
	int rc = tell_state(w, VHOST_SET_VRING_NUM, i, q->setup.size);

	if (!rc)
		rc = tell_state(w, VHOST_SET_VRING_BASE, i, v->base[i]);
	if (!rc)
		rc = vhost_tell(w, &m, NULL, 0);
	if (!rc)
		rc = tell_fd(w, VHOST_SET_VRING_CALL, i, q->call_fd);
	if (!rc)
		rc = tell_fd(w, VHOST_SET_VRING_KICK, i, q->kick_fd);
	return rc;
}

/* From the kick on the peer serves it. */
static int open_ring(struct vhost_user *v, const struct vhost_wire *w,
		     unsigned i, bool again)
{
	const struct vdev_transport *t = &v->vdev.transport;
	int rc = 0;

	if (v->features & VHOST_F_PROTOCOL)
		rc = tell_state(w, VHOST_SET_VRING_ENABLE, i, 1);
	if (rc)
		return rc;
	vdev_ring(&v->vdev, i);
	/*
	 * What was answered while nobody listened has interrupted nobody. Not
	 * by the peer's eventfd: see vdev_ring.
	 */
	if (again)
		t->queue_interrupt(t->ctx, &v->vdev.queue[i]);
	return 0;
}

void talk_renew(struct vhost_user *v)
{
	if (!atomic_exchange(&v->renewed, false))
		return;
	for (unsigned i = 0; i < v->vdev.n_queues; i++)
		v->base[i] = 0;
	renounce_inflight(v);
	v->asked = false;
	v->settled = true;
}

int talk_start(struct vhost_user *v)
{
	const struct vdev *d = &v->vdev;
	const struct vhost_wire w = wire(v);
	/* The peer knows of no platform: a guest's address is one of RAM. */
	uint64_t features = (d->accepted & ~VIRTIO_F_ACCESS_PLATFORM) |
			    (v->features & VHOST_F_PROTOCOL);
	bool again;
	int rc = 0;

	talk_renew(v);
	for (unsigned i = 0; i < d->n_queues; i++)
		if (d->queue[i].enabled && !vhost_ring_reachable(d, i))
			return -EFAULT;
	rc = tell_fd(&w, VHOST_SET_FEATURES, features, -1);
	if (!rc)
		rc = tell_memory(v, &w);
	if (!rc && v->protocol & VHOST_P_INFLIGHT)
		rc = share_inflight(v, &w);
	if (rc)
		return rc;
	/* From the first kick on that it has, it may have taken something. */
	again = v->asked;
	v->with_peer = v->asked = true;
	for (unsigned i = 0; !rc && i < d->n_queues; i++)
		if (d->queue[i].enabled)
			rc = start_ring(v, &w, i);
	for (unsigned i = 0; !rc && i < d->n_queues; i++)
		if (d->queue[i].enabled)
			rc = open_ring(v, &w, i, again);
	return rc;
}

/* A ring's own index, that of the driver or of the device. */
static uint16_t ring_idx(const struct vhost_user *v, gpa_t ring)
{
	uint16_t idx = 0;

	/* virtq_open has checked where it is. */
	(void)!gmem_load16(v->vdev.mem, (gpa_t){ ring.v + RING_IDX }, &idx);
	return idx;
}

static bool all_answered(const struct vhost_user *v)
{
	const struct vdev *d = &v->vdev;

	for (unsigned i = 0; i < d->n_queues; i++)
		if (d->queue[i].enabled &&
		    ring_idx(v, d->queue[i].setup.used) != v->base[i])
			return false;
	return true;
}

static int stop_ring(struct vhost_user *v, const struct vhost_wire *w,
		     unsigned i)
{
	struct vhost_msg m = { .h = { VHOST_GET_VRING_BASE, 0,
				      sizeof(m.p.state) },
			       .p.state = { i, 0 } };
	const struct vhost_state asked = m.p.state;
	int rc = vhost_ask(w, &m, sizeof(m.p.state), NULL);

	if (!rc)
		rc = vhost_base_ok(&asked, &m.p.state);
	if (!rc)
		v->base[i] = (uint16_t)m.p.state.num;
	return rc;
}

int talk_stop(struct vhost_user *v)
{
	const struct vhost_wire w = wire(v);
	int rc = 0;

	for (unsigned i = 0; !rc && i < v->vdev.n_queues; i++)
		if (v->vdev.queue[i].enabled)
			rc = stop_ring(v, &w, i);
	if (rc)
		return rc;
	v->with_peer = false;
	/* Of a ring that is stopped, requests may still be on their way. */
	while (!(v->settled = all_answered(v)) && clock_ns() < w.end_ns)
		(void)poll(NULL, 0, 1);
	if (!v->settled && v->told_slow++ < SLOW_LINES)
		log_warn("%s: %s: requests are still unanswered %u s after "
			 "the device was stopped%s",
			 v->vdev.label, v->path, VHOST_TALK_MS / 1000,
			 v->told_slow == SLOW_LINES ? " (last such line)" : "");
	return 0;
}

unsigned talk_unanswered(struct vhost_user *v, bool always)
{
	const struct vdev *d = &v->vdev;
	unsigned n = 0;

	for (unsigned i = 0; i < d->n_queues; i++)
		if (d->queue[i].enabled)
			n += (uint16_t)(ring_idx(v, d->queue[i].setup.avail) -
					ring_idx(v, d->queue[i].setup.used));
	for (unsigned i = 0; (always || !n) && i < d->n_queues; i++)
		if (d->queue[i].enabled)
			v->base[i] = ring_idx(v, d->queue[i].setup.used);
	return n;
}
