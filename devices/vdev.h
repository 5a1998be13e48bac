/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vdev: a virtio device without its transport: status, features and queues,
 * each queue with a worker of its own (virtio 1.2, 2 and 3). The driver is
 * hostile: whatever it gets wrong breaks the device (DEVICE_NEEDS_RESET, one
 * log line), and a broken device does nothing until it is reset.
 *
 * Registers (vdev_* called by the transport) run under the bus lock. A queue's
 * ring and chain belong to its worker, except while that is held.
 */
#ifndef CARREL_DEVICES_VDEV_H
#define CARREL_DEVICES_VDEV_H

#include "devices/virtq.h"
#include "devices/worker.h"

#define VDEV_QUEUES 17
#define VDEV_CONFIG 64 /* bytes of device configuration, at most */

struct vdev;
struct vqueue;

struct vdev_ops {
	const char *name; /* "virtio-blk" */
	uint16_t type; /* virtio 1.2, 5 */
	uint32_t class; /* PCI's, 24 bits */
	/*
	 * In a worker: one request. *written: valid bytes at the start of the
	 * chain's writable part. An error breaks the device; what merely
	 * failed is told to the driver in the request's own status. Before it
	 * waits for anything it calls vdev_will_wait. With -EAGAIN it has done
	 * nothing: it gets the request again, when vdev_wait_until said.
	 */
	int (*request)(struct vdev *d, struct chain *c, uint32_t *written);
	/*
	 * All of these may be NULL. serve, in a worker: what is to be done for
	 * a queue, in the place of vdev_serve; it returns when nothing is left
	 * or the worker is held. opened, with the worker held: a ring is new.
	 * features_ok: do the accepted bits agree with each other?
	 */
	int (*serve)(struct vdev *d, struct vqueue *q);
	void (*opened)(struct vdev *d, unsigned i);
	bool (*features_ok)(uint64_t accepted);
	/*
	 * For a device whose queues depend on each other, in the place of
	 * request: one worker, queue 0's, serves them all. It returns when
	 * nothing is left or vdev_wanted_back; an error breaks the device.
	 */
	int (*serve_all)(struct vdev *d);
	/*
	 * The driver writes len bytes of configuration at off, inside it, bus
	 * lock held. False: no field that may be written is there.
	 */
	bool (*config_write)(struct vdev *d, uint64_t off, const uint8_t *buf,
			     size_t len);
	/* At the end of a reset, workers held, bus lock held. */
	void (*reset)(struct vdev *d);
};

struct vqueue {
	struct vdev *dev;
	struct virtq_setup setup; /* registers */
	bool enabled;
	_Atomic(uint16_t) vector;
	/*
	 * Of a queue that another process serves, eventfds: the driver's
	 * notifications go to the first, its interrupts come from the second.
	 * -1, as vdev_open leaves them: the worker serves it.
	 */
	int kick_fd, call_fd;
	struct worker worker;
	struct virtq ring;
	struct chain chain;
	uint64_t announced_ns; /* when we last thought of an interrupt */
};

/* How the transport interrupts: for a queue, or for a new configuration. */
struct vdev_transport {
	void (*queue_interrupt)(void *ctx, const struct vqueue *q);
	void (*config_interrupt)(void *ctx);
	void *ctx;
};

struct vdev {
	const struct vdev_ops *ops;
	const char *label; /* for log lines: "disk0" */
	const struct gmem *mem;
	struct vdev_transport transport;
	uint64_t offered, required, accepted; /* feature bits */
	_Atomic(uint8_t) status;
	_Atomic(unsigned) breaks; /* how often it was broken */
	bool live; /* DRIVER_OK: workers are not held for it */
	bool master; /* may reach memory: nor for that */
	bool foreign_bells; /* another process has its queues' eventfds */
	/* Under the bus lock, as is their change. */
	uint8_t config[VDEV_CONFIG];
	uint8_t generation;
	size_t config_len;
	unsigned n_queues, n_workers;
	struct vqueue queue[VDEV_QUEUES];
};

/*
 * features: those of the device type; the ring's and VERSION_1 are added.
 * platform: offer ACCESS_PLATFORM and refuse a driver without it (a SEV guest,
 * where only shared pages can be reached). config is filled in by the caller
 * before or after, the transport later.
 */
int vdev_open(struct vdev *d, const struct vdev_ops *ops, const char *label,
	      const struct gmem *mem, uint64_t features, bool platform,
	      unsigned queues, const struct worker_hooks *hooks) MUST_USE;
void vdev_close(struct vdev *d);

/* Any thread. why: static text. */
void vdev_break(struct vdev *d, const char *why);

/*
 * In a worker, from request: what follows may take long, so the driver hears
 * now of the requests of this queue that are done.
 */
int vdev_will_wait(struct chain *c) MUST_USE;

/*
 * Likewise: the request is not to be served before that moment (clock_ns).
 * Always -EAGAIN, for the handler to return.
 */
int vdev_wait_until(struct vdev *d, struct chain *c, uint64_t ns) MUST_USE;

/* The worker that serves queue i. */
struct worker *vdev_worker(struct vdev *d, unsigned i);

/* What the driver's notifications of queue i are written to. */
int vdev_doorbell(struct vdev *d, unsigned i);
void vdev_ring(struct vdev *d, unsigned i);

/* In a worker, from request: which queue this is. */
unsigned vdev_queue_of(const struct vdev *d, const struct chain *c);

/*
 * For ops->serve and serve_all: requests, each through ops->request; an
 * interrupt, if the driver wants one, for what was given back; the same unless
 * the last was a moment ago; and whether to go on.
 */
int vdev_serve(struct vqueue *q) MUST_USE;
int vdev_announce(struct vqueue *q) MUST_USE;
int vdev_announce_late(struct vqueue *q) MUST_USE;
bool vdev_wanted_back(const struct vqueue *q);

/* After config was changed, both under the bus lock: the driver is told. */
void vdev_config_changed(struct vdev *d);

/* Each queue is looked at again: what it waited for may have changed. */
void vdev_kick(struct vdev *d);

/* Bytes that the device read from and wrote to buffers so far. Any thread. */
uint64_t vdev_moved(const struct vdev *d);

/* Counted; pause returns when no worker touches guest memory any more. */
void vdev_pause(struct vdev *d);
void vdev_resume(struct vdev *d);

/*
 * May the device reach guest memory? Not at first. Off waits for requests in
 * flight; what the driver offers waits until it is on again.
 */
void vdev_set_master(struct vdev *d, bool on);

/* What the transport's registers do. */
void vdev_reset(struct vdev *d); /* waits for requests in flight */
uint8_t vdev_status(const struct vdev *d);
void vdev_set_status(struct vdev *d, uint8_t v);
void vdev_accept(struct vdev *d, unsigned word, uint32_t bits);
bool vdev_config_read(const struct vdev *d, uint64_t off, uint8_t *buf,
		      size_t len);
bool vdev_config_write(struct vdev *d, uint64_t off, const uint8_t *buf,
		       size_t len);
void vdev_setup_queue(struct vdev *d, unsigned i, const struct virtq_setup *s);
void vdev_enable_queue(struct vdev *d, unsigned i);

#endif
