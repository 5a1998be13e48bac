/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_kernel_test: a network device whose queues the host's kernel serves: what
 * is refused, which rings run when and from where, what becomes of errors. The
 * tap is one; the kernel is played here, at the two calls by which it is
 * reached, as a machine that builds carrel need not have vhost-net. Case
 * net-vhost has the real one.
 */
#include "tests/unit/tap_rig.h"

#include <dirent.h>

#include "devices/net_kernel.h"
#include "tests/unit/capture.h"
#include "tests/unit/vhost_kernel_rig.h"

static bool breaks(struct world *w)
{
	for (int i = 0; rig_status(&w->rig) == 15 && i < 25000; i++)
		rig_nap();
	return rig_status(&w->rig) & VIRTIO_S_NEEDS_RESET;
}

static struct world *begin(const char *name, unsigned pairs)
{
	struct world *w;

	kernel_new();
	w = world_open_as(name, pairs, VHOST_ON, false);
	assert_non_null(w->net.kernel);
	assert_int_equal(kernel.files, pairs);
	return w;
}

static void start(struct world *w)
{
	rig_start(&w->rig, FEATURES, QUEUES);
	for (unsigned i = 0; i < 2; i++)
		assert_true(eventually(&kernel.runs[i], true));
}

static unsigned descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 1000; n += fcntl(fd++, F_GETFD) >= 0)
		;
	return n;
}

struct refusal {
	const char *name;
	int open_errno;
	unsigned long refuses;
	uint64_t features;
	int rc;
	const char *says[2];
};

static void refused(const struct refusal *r, struct world *w,
		    enum config_vhost vhost)
{
	static const uint8_t none[NET_MAC_BYTES];
	const struct net_config cfg = { .tap = "two",
					.id = "net-tap",
					.mac = none,
					.pairs = 2,
					.vhost = vhost,
					.dial_fd = -1 };
	bool on = vhost == VHOST_ON;
	unsigned fds = descriptors();
	struct capture c;
	char text[512];
	int rc;

	kernel_new();
	kernel.open_errno = r->open_errno;
	kernel.refuses = r->refuses;
	kernel.features = r->features;
	c = capture_begin();
	rc = net_attach(&w->net, &cfg, &w->board, RIG_DEVFN + 8);
	capture_end(&c, text, sizeof(text));
	if (rc != (on ? r->rc : 0) || (!on && w->net.kernel))
		fail_msg("%s: %d", r->name, rc);
	for (unsigned i = 0; i < 2; i++)
		if (!strstr(text, r->says[i]))
			fail_msg("%s: %s", r->name, text);
	if (!strstr(text, on ? "vhost=on" : "carrel serves the tap itself") ||
	    strchr(text, '\n') != strrchr(text, '\n'))
		fail_msg("%s: %s", r->name, text);
	if (!on)
		net_close(&w->net);
	assert_int_equal(descriptors(), fds);
}

static void refusals(void **state)
{
	static const struct refusal t[] = {
		{ "no such file",
		  ENOENT,
		  0,
		  PLAYED,
		  -ENOENT,
		  { "/dev/vhost-net", "No such file" } },
		{ "not for us",
		  EACCES,
		  0,
		  PLAYED,
		  -EACCES,
		  { "/dev/vhost-net", "Permission" } },
		{ "no thread",
		  0,
		  SET_OWNER,
		  PLAYED,
		  -EIO,
		  { "gives no thread", "error" } },
		{ "features", 0, GET_FEATURES, PLAYED, -EIO, { "", "" } },
		{ "old",
		  0,
		  0,
		  PLAYED & ~(VIRTIO_F_VERSION_1),
		  -EPROTONOSUPPORT,
		  { "older than virtio 1", "" } },
		{ "memory",
		  0,
		  SET_MEMORY,
		  PLAYED,
		  -EIO,
		  { "the guest's memory", "error" } },
	};
	static struct world w;
	static const struct worker_hooks hooks = { rig_enter, NULL,
						   JAIL_KERNEL };

	(void)state;
	if (!can)
		skip();
	rig_open(&w.rig);
	assert_int_equal(event_open(&w.ev), 0);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		w.board = (struct net_board){ &w.rig.pci, &w.rig.mem,
					      &w.rig.irq, &w.rig.mmio,
					      &w.ev,	  &hooks,
					      &hooks };
		refused(&t[i], &w, VHOST_ON);
		if (i) /* a slot for each on this board */
			continue;
		refused(&t[i], &w, VHOST_AUTO);
	}
	event_close(&w.ev);
	rig_close(&w.rig);
}

/* What the kernel is told, and that it is not told of the platform. */
static void hands_over(void **state)
{
	struct world *w;
	uint64_t at_host, want;

	(void)state;
	kernel_new();
	kernel.features = PLAYED & ~VIRTIO_F_EVENT_IDX;
	w = world_open_as("two", 2, VHOST_AUTO, true);
	assert_non_null(w->net.kernel);
	assert_false(rig_features(&w->rig) & VIRTIO_F_EVENT_IDX);
	assert_true(rig_features(&w->rig) & VIRTIO_F_ACCESS_PLATFORM);
	want = FEATURES | VIRTIO_F_ACCESS_PLATFORM | VIRTIO_F_INDIRECT_DESC;
	rig_start(&w->rig, want, QUEUES);
	assert_true(eventually(&kernel.runs[1], true));
	assert_int_equal(kernel.accepted, VIRTIO_F_VERSION_1 | NET_F_MRG_RXBUF |
						  VIRTIO_F_INDIRECT_DESC);
	assert_int_equal(kernel.regions, 1);
	assert_int_equal(kernel.region.guest_phys_addr, 0);
	assert_int_equal(kernel.region.memory_size, RIG_RAM);
	assert_int_equal(gmem_uaddr(&w->rig.mem, at(RIG_USED(1)), 1, &at_host),
			 0);
	assert_int_equal(kernel.addr[1].used_user_addr, at_host);
	assert_int_equal(kernel.region.userspace_addr + RIG_USED(1), at_host);
	assert_false(kernel.runs[2] || kernel.runs[3]);
	world_close(w);
}

static void follows_the_pairs(void **state)
{
	const struct command two = { "two", { 4, 0, 2, 0 }, 4, 0 };
	const struct command one = { "one", { 4, 0, 1, 0 }, 4, 0 };
	struct world *w = begin("two", 2);

	(void)state;
	start(w);
	command(w, &two);
	assert_true(eventually(&kernel.runs[2], true));
	assert_true(eventually(&kernel.runs[3], true));
	command(w, &one);
	assert_true(!kernel.runs[2] && !kernel.runs[3] && kernel.runs[0]);
	assert_int_equal(kernel.starts[0], 1);
	world_close(w);
	assert_false(kernel.runs[0] || kernel.runs[1]);
}

/* Held, nobody reaches memory; then it goes on, and after a reset from 0. */
static void rests(void **state)
{
	struct world *w = begin("two", 2);
	eventfd_t rung;

	(void)state;
	start(w);
	kernel.base[0] = 7;
	kernel.base[1] = 65535;
	net_pause(&w->net);
	assert_false(kernel.runs[0] || kernel.runs[1]);
	kernel.base[0] = kernel.base[1] = 99;
	net_resume(&w->net);
	assert_true(eventually(&kernel.runs[1], true));
	assert_int_equal(kernel.base[0], 7);
	assert_int_equal(kernel.base[1], 65535);
	reg_set(&w->rig, 20, 1, 0);
	assert_false(kernel.runs[0] || kernel.runs[1]);
	start(w);
	for (int i = 0; i < 3; rig_kick(&w->rig, 1), i++)
		;
	/* The kernel, woken by each, leaves them there: 3 starts, 3 kicks. */
	assert_true(!eventfd_read(kernel.kick_fd[1], &rung) && rung >= 5);
	assert_int_equal(kernel.base[0] + kernel.base[1], 0);
	world_close(w);
}

/* While it is down we take what is sent, and the kernel goes on behind it. */
static void link_down(void **state)
{
	struct world *w = begin("two", 2);
	struct rig *r = &w->rig;
	uint32_t len;

	(void)state;
	start(w);
	kernel.base[0] = 5;
	net_set_link(&w->net, false);
	assert_true(eventually(&kernel.runs[1], false));
	assert_int_equal(reg_get(r, VIRTIO_PCI_DEVICE + 6, 2), 0);
	for (uint16_t i = 0; i < 3; i++) {
		rig_desc(r, RIG_DESC(1), i, RIG_DATA, HDR + 60, 0, 0);
		rig_offer(r, 1, i);
		rig_kick(r, 1);
		assert_true(rig_wait(r, 1, &len));
	}
	assert_int_equal(counter_get(&w->net.pair[0]->tx.tally.drops), 3);
	net_set_link(&w->net, true);
	assert_true(eventually(&kernel.runs[1], true));
	assert_int_equal(kernel.base[0], 5);
	assert_int_equal(kernel.base[1], 3);
	world_close(w);
}

/* Does the device's worker sleep at any of some moments? */
static bool sleeps(void)
{
	struct dirent *e;
	bool any = false;
	DIR *d;

	for (int i = 0; !any && i < 20; i++, usleep(10000)) {
		d = opendir("/proc/self/task");
		assert_non_null(d);
		while ((e = readdir(d)) != NULL) {
			char path[320], text[64] = "";
			FILE *f;

			snprintf(path, sizeof(path), "/proc/self/task/%s/stat",
				 e->d_name);
			f = fopen(path, "r");
			if (f && fgets(text, sizeof(text), f))
				any |= strstr(text, "(net-tap.q0) S") != NULL;
			if (f)
				fclose(f);
		}
		closedir(d);
	}
	return any;
}

/* KVM rings for queues, too, that nobody has enabled: nobody has to run. */
static void bells_of_no_use(void **state)
{
	struct world *w = begin("two", 2);

	(void)state;
	start(w); /* pair 1 is not in use */
	net_set_link(&w->net, false);
	assert_true(eventually(&kernel.runs[1], false));
	assert_true(sleeps());
	assert_int_equal(eventfd_write(kernel.kick_fd[3], 1), 0);
	assert_true(sleeps());
	world_close(w);
}

/* As rig_start, of a device that may be broken by its end. */
static void begin_driving(struct rig *r)
{
	assert_true(rig_negotiate(r, FEATURES));
	for (uint16_t q = 0; q < QUEUES; q++)
		rig_queue(r, q, RIG_QUEUE);
	reg_set(r, 20, 1, 15);
}

/* What the kernel complains of, and what it refuses, breaks the device. */
static void breaks_the_device(void **state)
{
	static const unsigned long t[] = {
		0, SET_FEATURES, SET_NUM, SET_BASE, SET_ADDR, SET_BACKEND
	};
	struct world *w = begin("two", 2);
	struct capture c;
	char text[2048];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		if (!t[i])
			start(w);
		c = capture_begin();
		kernel.refuses = t[i];
		if (t[i])
			begin_driving(&w->rig);
		else
			assert_int_equal(eventfd_write(kernel.err_fd, 1), 0);
		assert_true(breaks(w));
		for (int k = 0; k < 2; k++)
			assert_true(eventually(&kernel.runs[k], false));
		capture_end(&c, text, sizeof(text));
		if (!strstr(text, "the host's kernel") ||
		    strchr(text, '\n') != strrchr(text, '\n'))
			fail_msg("%zu: %s", i, text);
		kernel.refuses = 0;
	}
	start(w); /* a reset is all that it takes */
	world_close(w);
}

/* The firmware's image is memory, but not the kernel's to write. */
static void ring_in_rom(void **state)
{
	const gpa_t rom = { 16 * MIB };
	struct world *w = begin("two", 2);
	struct rig *r = &w->rig;

	(void)state;
	assert_int_equal(gmem_add(&r->mem, rom, GMEM_PAGE, GMEM_ROM, "rom"), 0);
	assert_true(rig_negotiate(r, FEATURES));
	reg_set(r, 22, 2, 0);
	reg_set(r, 24, 2, RIG_QUEUE);
	reg_set(r, 32, 8, rom.v);
	reg_set(r, 40, 8, RIG_AVAIL(0));
	reg_set(r, 48, 8, RIG_USED(0));
	reg_set(r, 28, 2, 1);
	reg_set(r, 20, 1, 15);
	assert_true(breaks(w) && !kernel.starts[0]);
	world_close(w);
}

/* Nobody says so, yet the guest hears of it. */
static void tap_deleted(void **state)
{
	struct world *w;

	(void)state;
	if (!can)
		skip();
	assert_int_equal(make_tap("three", IFF_MULTI_QUEUE, 1500), 0);
	w = begin("three", 2);
	start(w);
	delete_tap("three");
	/* As it does when the guest sends by it (vhost_tx_batch). */
	assert_int_equal(eventfd_write(kernel.err_fd, 1), 0);
	assert_true(eventually(&kernel.runs[0], false));
	rig_loop(&w->ev, 100);
	assert_int_equal(reg_get(&w->rig, VIRTIO_PCI_DEVICE + 6, 2), 0);
	assert_int_equal(rig_status(&w->rig), 15);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals),
		cmocka_unit_test(hands_over),
		cmocka_unit_test(follows_the_pairs),
		cmocka_unit_test(rests),
		cmocka_unit_test(link_down),
		cmocka_unit_test(bells_of_no_use),
		cmocka_unit_test(breaks_the_device),
		cmocka_unit_test(ring_in_rom),
		cmocka_unit_test(tap_deleted),
	};

	can = make_network();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
