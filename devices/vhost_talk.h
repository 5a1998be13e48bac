/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhost_talk: what is said to a vhost-user peer, in which order. In the worker,
 * and before it exists in the thread that attaches the device. Every
 * conversation has one deadline. An error means that the connection is to be
 * cut.
 */
#ifndef CARREL_DEVICES_VHOST_TALK_H
#define CARREL_DEVICES_VHOST_TALK_H

#include "devices/vhost_user.h"

/* A conversation; and how long requests in flight may take at a stop. */
#define VHOST_TALK_MS 5000u

/* v->fd is connected: who is there, and what can it do? *why: in words. */
int talk_begin(struct vhost_user *v, const char **why) MUST_USE;

/* The device's configuration as the peer has it, of kind->config_bytes. */
int talk_config(struct vhost_user *v, uint8_t *config) MUST_USE;

/* After a reset nothing that an earlier peer had taken counts any more. */
void talk_renew(struct vhost_user *v);

/*
 * Hands the rings that the driver has set up over. -EFAULT: the driver put one
 * where the peer cannot reach it.
 */
int talk_start(struct vhost_user *v) MUST_USE;

/*
 * Takes them back, and waits until what the peer had taken is answered; if that
 * takes too long, v->settled is false and the peer may still touch memory.
 */
int talk_stop(struct vhost_user *v) MUST_USE;

/*
 * How many requests of the driver's are unanswered; where the answer is 0, or
 * with always, the next peer begins behind the last answer.
 */
unsigned talk_unanswered(struct vhost_user *v, bool always);

#endif
