/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_link: whether a network device's link is up: while nobody took it down
 * and the peer is there. Workers find out that it is not; the main thread tells
 * the guest. A passt that is gone is asked for again and again, through a
 * process that may connect (dial.h); a tap that is gone stays so.
 */
#ifndef CARREL_DEVICES_NET_LINK_H
#define CARREL_DEVICES_NET_LINK_H

#include <stdatomic.h>

#include "vmm/num.h"

struct net;

struct net_link {
	bool wanted; /* set_link */
	_Atomic(bool) up; /* frames pass */
	_Atomic(int) lost; /* why the peer is: -errno, or 0 */
	int lost_fd; /* eventfd: a worker found out */
	int dial_fd; /* whom to ask for a new connection; -1: nobody */
	int again_fd; /* timerfd: when to ask */
	unsigned wait_ms; /* before the next question */
	unsigned told; /* lines about a peer that comes and goes */
	uint64_t since_ns; /* since when it is there */
};

/* dial_fd: as in net_config. 0, or -errno; then net_link_close cleans up. */
int net_link_open(struct net *n, int dial_fd) MUST_USE;
void net_link_close(struct net *n);

/* Once the device is attached: the main thread listens. -errno. */
int net_link_attach(struct net *n) MUST_USE;

/* In a worker: the peer is gone, and why. */
void net_link_lose(struct net *n, int why);

/* Pulls the cable out or plugs it in. Main thread. */
void net_set_link(struct net *n, bool up);

#endif
