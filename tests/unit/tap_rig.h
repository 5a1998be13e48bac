/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tap_rig: a network device over a tap in a network namespace of this process's
 * own. The witness is a packet socket on the kernel's side. Where there are no
 * namespaces or taps, the tests are skipped.
 */
#ifndef CARREL_TESTS_UNIT_TAP_RIG_H
#define CARREL_TESTS_UNIT_TAP_RIG_H

#include "tests/unit/virtio_rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "devices/net.h"
#include "devices/tap.h"

#define OURS 0x88b5 /* an Ethernet type for experiments */
#define W VRING_DESC_WRITE
#define N VRING_DESC_NEXT
#define HDR 12u
#define FEATURES                                                               \
	(VIRTIO_F_VERSION_1 | NET_F_MAC | NET_F_STATUS | NET_F_MRG_RXBUF |     \
	 NET_F_CTRL_VQ | NET_F_CTRL_GUEST_OFFLOADS | NET_F_MQ |                \
	 NET_GUEST_OFFLOADS | NET_F_CSUM)
#define CONTROL 4
#define QUEUES 5

struct world {
	struct rig rig;
	struct net_board board;
	struct event ev;
	struct net net;
	int witness;
};

static bool can; /* make namespaces and taps */

static inline int request(const char *name, unsigned long what, struct ifreq *r)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), rc;

	(void)snprintf(r->ifr_name, sizeof(r->ifr_name), "%s", name);
	rc = ioctl(fd, what, r);
	close(fd);
	return rc;
}

/* A tap that stays after this. */
static inline int make_tap(const char *name, int more, int mtu)
{
	struct ifreq r = { .ifr_flags = (short)(IFF_TAP | IFF_NO_PI |
						IFF_VNET_HDR | more) };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -1;
	(void)snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &r) || ioctl(fd, TUNSETPERSIST, 1))
		return -1;
	close(fd);
	r = (struct ifreq){ .ifr_mtu = mtu };
	if (request(name, SIOCSIFMTU, &r))
		return -1;
	r = (struct ifreq){ .ifr_flags = IFF_UP };
	return request(name, SIOCSIFFLAGS, &r);
}

/* As `ip link del`, whoever has it open. */
static inline void delete_tap(const char *name)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg i;
	} m = {
		.h = { .nlmsg_len = sizeof(m),
		       .nlmsg_type = RTM_DELLINK,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.i.ifi_index = (int)if_nametoindex(name),
	};
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	assert_int_equal(send(fd, &m, sizeof(m), 0), sizeof(m));
	for (int i = 0; i < 2500 && if_nametoindex(name); i++)
		rig_nap();
	assert_int_equal(if_nametoindex(name), 0);
	close(fd);
}

/* No frames of the kernel's own between those of the tests. */
static inline void be_quiet(void)
{
	int fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY);

	if (fd < 0)
		return;
	(void)!write(fd, "1", 1);
	close(fd);
}

static inline bool make_network(void)
{
	if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return false;
	be_quiet();
	return !make_tap("two", IFF_MULTI_QUEUE, 1500) &&
	       !make_tap("one", 0, 9000);
}

static inline int open_witness(const char *name)
{
	struct sockaddr_ll a = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(OURS),
		.sll_ifindex = (int)if_nametoindex(name),
	};
	int fd = socket(AF_PACKET, SOCK_RAW, htons(OURS));

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (void *)&a, sizeof(a)), 0);
	return fd;
}

static inline struct world *world_open_as(const char *name, unsigned pairs,
					  enum config_vhost vhost,
					  bool platform)
{
	static struct world w;
	static const struct worker_hooks hooks = { rig_enter, NULL,
						   JAIL_WORKER };
	static const struct worker_hooks kernel = { rig_enter, NULL,
						    JAIL_KERNEL };
	static const uint8_t none[NET_MAC_BYTES];
	struct net_config cfg = { .tap = name,
				  .id = "net-tap",
				  .mac = none,
				  .pairs = pairs,
				  .dial_fd = -1,
				  .vhost = vhost,
				  .platform = platform };

	if (!can)
		skip();
	w = (struct world){ 0 };
	rig_open(&w.rig);
	assert_int_equal(event_open(&w.ev), 0);
	w.board = (struct net_board){ &w.rig.pci,  &w.rig.mem, &w.rig.irq,
				      &w.rig.mmio, &w.ev,      &hooks,
				      &kernel };
	assert_int_equal(net_attach(&w.net, &cfg, &w.board, RIG_DEVFN), 0);
	w.witness = open_witness(name);
	rig_place(&w.rig);
	rig_msix(&w.rig, &w.net.pci.msix);
	return &w;
}

static inline struct world *world_open(const char *name, unsigned pairs)
{
	return world_open_as(name, pairs, VHOST_OFF, false);
}

static inline void world_close(struct world *w)
{
	close(w->witness);
	net_close(&w->net);
	event_close(&w->ev);
	rig_close(&w->rig);
}

static inline void world_start(struct world *w)
{
	const volatile bool *fresh = &w->net.pair[0]->rx.fresh;

	rig_start(&w->rig, FEATURES, QUEUES);
	for (int i = 0; *fresh && i < 25000; i++)
		rig_nap();
	assert_false(*fresh);
}

struct command {
	const char *name;
	uint8_t bytes[12];
	uint32_t len;
	int ack; /* -1: the device breaks */
};

static inline void command(struct world *w, const struct command *c)
{
	struct rig *r = &w->rig;
	uint8_t ack = 0xee;
	uint32_t len = 0;

	assert_int_equal(gmem_write(&r->mem, at(RIG_DATA), c->bytes, 12), 0);
	assert_int_equal(gmem_write(&r->mem, at(RIG_DATA + 64), &ack, 1), 0);
	rig_desc(r, RIG_DESC(CONTROL), 0, RIG_DATA, c->len, N, 1);
	rig_desc(r, RIG_DESC(CONTROL), 1, RIG_DATA + 64, 1, W, 0);
	rig_offer(r, CONTROL, 0);
	rig_kick(r, CONTROL);
	if (rig_wait(r, CONTROL, &len) != (c->ack >= 0))
		fail_msg("%s", c->name);
	if (c->ack < 0) {
		world_start(w);
		return;
	}
	assert_int_equal(gmem_read(&r->mem, at(RIG_DATA + 64), &ack, 1), 0);
	if (ack != c->ack || len != 1)
		fail_msg("%s: ack %u", c->name, ack);
}

static inline void fill(uint8_t *frame, uint8_t seed, size_t len)
{
	for (size_t i = 0; i < len; i++)
		frame[i] = (uint8_t)(seed + i);
	frame[0] &= 0xfe;
	frame[12] = OURS >> 8;
	frame[13] = OURS & 0xff;
}

#endif
