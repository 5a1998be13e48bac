/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_tap_test: a network device over a tap in a network namespace of this
 * process's own. The witness is a packet socket on the kernel's side. Where
 * there are no namespaces or taps, the tests are skipped.
 */
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

static int request(const char *name, unsigned long what, struct ifreq *r)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), rc;

	(void)snprintf(r->ifr_name, sizeof(r->ifr_name), "%s", name);
	rc = ioctl(fd, what, r);
	close(fd);
	return rc;
}

/* A tap that stays after this. */
static int make_tap(const char *name, int more, int mtu)
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

/* No frames of the kernel's own between those of the tests. */
static void be_quiet(void)
{
	int fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY);

	if (fd < 0)
		return;
	(void)!write(fd, "1", 1);
	close(fd);
}

static bool make_network(void)
{
	if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return false;
	be_quiet();
	return !make_tap("two", IFF_MULTI_QUEUE, 1500) &&
	       !make_tap("one", 0, 9000);
}

static int open_witness(const char *name)
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

static struct world *world_open(const char *name, unsigned pairs)
{
	static struct world w;
	static const uint8_t none[NET_MAC_BYTES];
	struct net_config cfg = {
		.tap = name, .id = "net-tap", .mac = none, .pairs = pairs
	};

	if (!can)
		skip();
	w = (struct world){ 0 };
	rig_open(&w.rig);
	assert_int_equal(event_open(&w.ev), 0);
	w.board = (struct net_board){ &w.rig.pci,  &w.rig.mem, &w.rig.irq,
				      &w.rig.mmio, &w.ev,      NULL };
	assert_int_equal(net_attach(&w.net, &cfg, &w.board, RIG_DEVFN), 0);
	w.witness = open_witness(name);
	rig_place(&w.rig);
	rig_msix(&w.rig, &w.net.pci.msix);
	return &w;
}

static void world_close(struct world *w)
{
	close(w->witness);
	net_close(&w->net);
	event_close(&w->ev);
	rig_close(&w->rig);
}

static void world_start(struct world *w)
{
	const volatile bool *fresh = &w->net.pair[0]->rx.fresh;

	rig_start(&w->rig, FEATURES, QUEUES);
	for (int i = 0; *fresh && i < 25000; i++)
		rig_nap();
	assert_false(*fresh);
}

static void taps_are_refused(void **state)
{
	static const struct {
		const char *name;
		unsigned n;
		int rc;
	} table[] = {
		{ "none", 1, -ENODEV },
		{ "lo", 1, -EINVAL },
		{ "one", 2, -EINVAL },
	};
	struct net_end *end[2];

	(void)state;
	if (!can)
		skip();
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (tap_open(end, table[i].n, table[i].name) != table[i].rc)
			fail_msg("%s", table[i].name);
	assert_int_equal(if_nametoindex("none"), 0); /* nor was it made */
	assert_int_equal(tap_open(end, 1, "one"), 0);
	assert_int_equal(tap_open(end + 1, 1, "one"), -EBUSY);
	end[0]->ops->close(end[0]);
}

static void offers(void **state)
{
	struct world *w = world_open("one", 1);
	uint64_t f = rig_features(&w->rig), want = FEATURES;

	(void)state;
	assert_true(f & NET_F_MTU && !(f & NET_F_MQ));
	assert_int_equal(reg_get(&w->rig, VIRTIO_PCI_DEVICE + 10, 2), 9000);
	world_close(w);

	w = world_open("two", 2);
	f = rig_features(&w->rig);
	assert_true((f & want) == want);
	assert_false(f & NET_F_MTU);
	assert_int_equal(reg_get(&w->rig, VIRTIO_PCI_DEVICE + 8, 2), 2);
	assert_int_equal(reg_get(&w->rig, VIRTIO_PCI_DEVICE, 1) & 3, 2);
	assert_false(rig_negotiate(&w->rig, VIRTIO_F_VERSION_1 | NET_F_MQ));
	assert_false(
		rig_negotiate(&w->rig, VIRTIO_F_VERSION_1 | NET_F_GUEST_TSO4));
	assert_true(rig_negotiate(&w->rig, want));
	world_close(w);
}

struct command {
	const char *name;
	uint8_t bytes[12];
	uint32_t len;
	int ack; /* -1: the device breaks */
};

static void command(struct world *w, const struct command *c)
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

static void control(void **state)
{
	static const struct command table[] = {
		{ "half a header", { 4 }, 1, -1 },
		{ "an unknown class", { 9, 0, 1, 0 }, 4, 1 },
		{ "an unknown command", { 4, 1, 1, 0 }, 4, 1 },
		{ "promiscuous mode", { 0, 0, 1 }, 3, 1 },
		{ "no pairs", { 4, 0, 0, 0 }, 4, 1 },
		{ "a pair too many", { 4, 0, 3, 0 }, 4, 1 },
		{ "32768 pairs", { 4, 0, 0, 0x80 }, 4, 1 },
		{ "half a number", { 4, 0, 1 }, 3, 1 },
		{ "a number and more", { 4, 0, 1, 0, 0 }, 5, 1 },
		{ "nothing behind it", { 4, 0 }, 2, 1 },
		{ "offloads that are none", { 5, 0, 1 }, 10, 1 },
		{ "TSO without sums", { 5, 0, 0x80 }, 10, 1 },
		{ "two pairs", { 4, 0, 2, 0 }, 4, 0 },
		{ "two pairs again", { 4, 0, 2, 0 }, 4, 0 },
		{ "one pair", { 4, 0, 1, 0 }, 4, 0 },
		{ "no offloads", { 5, 0 }, 10, 0 },
		{ "sums and TSO", { 5, 0, 0x82, 1 }, 10, 0 },
	};
	struct world *w = world_open("two", 2);
	struct rig *r = &w->rig;

	(void)state;
	world_start(w);
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		command(w, &table[i]);
	/* Nowhere to put the answer. */
	rig_desc(r, RIG_DESC(CONTROL), 0, RIG_DATA, 4, 0, 0);
	rig_offer(r, CONTROL, 0);
	rig_kick(r, CONTROL);
	assert_false(rig_wait(r, CONTROL, &(uint32_t){ 0 }));
	world_close(w);
}

static void fill(uint8_t *frame, uint8_t seed, size_t len)
{
	for (size_t i = 0; i < len; i++)
		frame[i] = (uint8_t)(seed + i);
	frame[0] &= 0xfe;
	frame[12] = OURS >> 8;
	frame[13] = OURS & 0xff;
}

static size_t witness_takes(struct world *w, uint8_t *to, size_t cap)
{
	struct pollfd p = { .fd = w->witness, .events = POLLIN };

	assert_int_equal(poll(&p, 1, 5000), 1);
	return (size_t)recv(w->witness, to, cap, 0);
}

static void guest_sends(struct world *w, const struct net_hdr *h,
			const uint8_t *frame, uint32_t len)
{
	struct rig *r = &w->rig;
	uint32_t used;

	assert_int_equal(gmem_write(&r->mem, at(RIG_DATA), h, HDR), 0);
	assert_int_equal(gmem_write(&r->mem, at(RIG_DATA + HDR), frame, len),
			 0);
	rig_desc(r, RIG_DESC(1), 0, RIG_DATA, 7, N, 1);
	rig_desc(r, RIG_DESC(1), 1, RIG_DATA + 7, HDR - 7 + len, 0, 0);
	rig_offer(r, 1, 0);
	rig_kick(r, 1);
	assert_true(rig_wait(r, 1, &used));
}

static void sends(void **state)
{
	static const struct net_hdr none, wrong[] = {
		{ .flags = 1, .csum_start = 60000, .csum_offset = 16 },
		{ .flags = 1, .csum_start = 14, .csum_offset = 0xffff },
		{ .flags = 1, .csum_start = 0xffff, .csum_offset = 0xffff },
	};
	uint8_t frame[1514], got[2000];
	struct world *w = world_open("two", 2);

	(void)state;
	world_start(w);
	fill(frame, 3, sizeof(frame));
	/* What the kernel will not have costs a frame, not the device. */
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		guest_sends(w, &wrong[i], frame, 100);
	guest_sends(w, &none, frame, 13);
	assert_int_equal(atomic_load(&w->net.pair[0]->tx.dropped),
			 ARRAY_LEN(wrong) + 1);
	guest_sends(w, &none, frame, sizeof(frame));
	assert_int_equal(witness_takes(w, got, sizeof(got)), sizeof(frame));
	assert_memory_equal(got, frame, sizeof(frame));
	assert_int_equal(rig_status(&w->rig), 15);
	world_close(w);
}

/* A frame into buffers of each bytes from RIG_DATA + from on. */
static void receive_one(struct world *w, uint8_t seed, uint32_t each,
			uint64_t from)
{
	unsigned buffers = (HDR + 1514 + each - 1) / each;
	uint8_t frame[1514], got[1514];
	uint32_t len = 0, sum = 0;
	struct rig *r = &w->rig;
	struct net_hdr h;

	fill(frame, seed, sizeof(frame));
	assert_int_equal(send(w->witness, frame, sizeof(frame), 0),
			 sizeof(frame));
	for (unsigned i = 0; i < buffers; i++) {
		assert_true(rig_wait(r, 0, &len));
		sum += len;
	}
	assert_int_equal(sum, HDR + 1514);
	assert_int_equal(gmem_read(&r->mem, at(RIG_DATA + from), &h, HDR), 0);
	assert_int_equal(h.num_buffers, buffers);
	assert_int_equal(h.gso_type, 0);
	assert_int_equal(
		gmem_read(&r->mem, at(RIG_DATA + from + HDR), got, sizeof(got)),
		0);
	assert_memory_equal(got, frame, sizeof(frame));
}

static void receive(uint32_t each)
{
	struct world *w = world_open("two", 2);
	struct rig *r = &w->rig;
	uint64_t from = 0;

	world_start(w);
	for (uint16_t i = 0; i < RIG_QUEUE; i++) {
		rig_desc(r, RIG_DESC(0), i, RIG_DATA + i * each, each, W, 0);
		rig_offer(r, 0, i);
	}
	rig_kick(r, 0);
	for (uint8_t seed = 0; seed < 3; seed++) {
		receive_one(w, seed, each, from);
		from += (HDR + 1514 + each - 1) / each * each;
	}
	world_close(w);
}

/* Room for the largest frame: the kernel writes into the buffers itself. */
static void receives_straight(void **state)
{
	(void)state;
	receive(0x2800);
}

static void receives_over_several(void **state)
{
	(void)state;
	receive(700);
}

/* As `ip link del`, whoever has it open. */
static void delete_tap(const char *name)
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

static uint64_t cpu_ns(void)
{
	struct timespec t;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* A driver's queue stops a moment later than it says, and that is no loss. */
static void sends_by_a_pair_out_of_use(void **state)
{
	const struct command one = { "one pair", { 4, 0, 1, 0 }, 4, 0 };
	struct world *w = world_open("two", 2);
	struct rig *r = &w->rig;
	uint32_t len;

	(void)state;
	world_start(w);
	command(w, &one);
	rig_desc(r, RIG_DESC(3), 0, RIG_DATA, HDR + 60, 0, 0);
	rig_offer(r, 3, 0);
	rig_kick(r, 3);
	assert_true(rig_wait(r, 3, &len));
	rig_loop(&w->ev, 20);
	assert_int_equal(reg_get(r, VIRTIO_PCI_DEVICE + 6, 2), 1);
	world_close(w);
}

/* Before the driver comes: it gets no link, and nobody spins. */
static void deleted_before_the_driver(void **state)
{
	const struct command late = { "offloads", { 5, 0, 0x82, 1 }, 10, 1 };
	struct world *w;
	struct rig *r;
	uint64_t cpu;
	uint32_t len;

	(void)state;
	if (!can)
		skip();
	assert_int_equal(make_tap("three", IFF_MULTI_QUEUE, 1500), 0);
	w = world_open("three", 2);
	r = &w->rig;
	delete_tap("three");
	rig_start(r, FEATURES, QUEUES);
	rig_loop(&w->ev, 100);
	assert_int_equal(reg_get(r, VIRTIO_PCI_DEVICE + 6, 2), 0);
	cpu = cpu_ns();
	rig_loop(&w->ev, 200);
	assert_true(cpu_ns() - cpu < 50000000);
	rig_desc(r, RIG_DESC(1), 0, RIG_DATA, HDR + 60, 0, 0);
	rig_offer(r, 1, 0);
	rig_kick(r, 1);
	assert_true(rig_wait(r, 1, &len)); /* dropped, as on a dead wire */
	command(w, &late); /* refused: the device is well */
	assert_int_equal(rig_status(r), 15);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taps_are_refused),
		cmocka_unit_test(offers),
		cmocka_unit_test(control),
		cmocka_unit_test(sends),
		cmocka_unit_test(receives_straight),
		cmocka_unit_test(receives_over_several),
		cmocka_unit_test(sends_by_a_pair_out_of_use),
		cmocka_unit_test(deleted_before_the_driver),
	};

	can = make_network();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
