/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhost_vsock_test: a socket device that the host's kernel serves: what is
 * refused, when its rings run and from where, what becomes of errors.
 */
#include "tests/unit/vhost_kernel_rig.h"

#include "devices/vhost_vsock.h"
#include "tests/unit/capture.h"

struct world {
	struct rig rig;
	struct vhost_vsock dev;
};

static int attach(struct world *w, bool platform)
{
	static const struct worker_hooks hooks = { rig_enter, NULL,
						   JAIL_KERNEL };
	const struct vhost_vsock_config cfg = { .cid = 7,
						.platform = platform };

	return vhost_vsock_attach(&w->dev, &cfg, &w->rig.pci, RIG_DEVFN,
				  &w->rig.mem, &w->rig.irq, &hooks);
}

static int world_open(void **state)
{
	static struct world w;

	kernel_new();
	rig_open(&w.rig);
	assert_int_equal(attach(&w, true), 0);
	rig_place(&w.rig);
	rig_msix(&w.rig, &w.dev.pci.msix);
	*state = &w;
	return 0;
}

static int world_close(void **state)
{
	struct world *w = *state;

	vhost_vsock_close(&w->dev);
	assert_false(kernel.runs[0] || kernel.runs[1]);
	rig_close(&w->rig);
	return 0;
}

static void start(struct world *w)
{
	rig_start(&w->rig, VIRTIO_F_VERSION_1 | VIRTIO_F_ACCESS_PLATFORM, 3);
	assert_true(eventually(&kernel.runs[1], true));
}

static void refusals(void **state)
{
	static const struct {
		const char *name;
		int open_errno;
		unsigned long refuses;
		int refusal, rc;
		const char *says[2];
	} t[] = {
		{ "no module",
		  ENOENT,
		  0,
		  0,
		  -ENOENT,
		  { "/dev/vhost-vsock", "modprobe vhost_vsock" } },
		{ "no device",
		  ENODEV,
		  0,
		  0,
		  -ENODEV,
		  { "/dev/vhost-vsock", "modprobe vhost_vsock" } },
		{ "not for us",
		  EACCES,
		  0,
		  0,
		  -EACCES,
		  { "/dev/vhost-vsock", "group kvm" } },
		{ "no thread",
		  0,
		  SET_OWNER,
		  ENOMEM,
		  -ENOMEM,
		  { "gives no thread", "memory" } },
		{ "taken",
		  0,
		  SET_CID,
		  EADDRINUSE,
		  -EADDRINUSE,
		  { "cid=7", "another VM of this host has it" } },
		{ "no address",
		  0,
		  SET_CID,
		  EINVAL,
		  -EINVAL,
		  { "cid=7: Invalid", "" } },
		{ "no bell", 0, SET_CALL, EBADF, -EBADF, { "vsock: Bad", "" } },
	};
	struct world w = { .rig = { .pci = { 0 } } };

	(void)state;
	rig_open(&w.rig);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct capture c;
		char text[512];
		int rc;

		kernel_new();
		kernel.open_errno = t[i].open_errno;
		kernel.refuses = t[i].refuses;
		kernel.refusal = t[i].refusal;
		c = capture_begin();
		rc = attach(&w, false);
		capture_end(&c, text, sizeof(text));
		if (rc != t[i].rc || !strstr(text, t[i].says[0]) ||
		    !strstr(text, t[i].says[1]) ||
		    strchr(text, '\n') != strrchr(text, '\n'))
			fail_msg("%s: %d: %s", t[i].name, rc, text);
	}
	rig_close(&w.rig);
}

static void hands_over(void **state)
{
	struct world *w = *state;

	assert_int_equal(kernel.cid, 7);
	assert_int_equal(reg_get(&w->rig, VIRTIO_PCI_DEVICE, 8), 7);
	assert_false(kernel.runs[0]);
	start(w);
	assert_true(kernel.runs[0]);
	assert_int_equal(kernel.accepted, VIRTIO_F_VERSION_1);
	assert_int_equal(kernel.region.memory_size, RIG_RAM);
}

/* Held, nobody reaches memory; then it goes on, and after a reset from 0. */
static void rests(void **state)
{
	struct world *w = *state;

	start(w);
	kernel.base[0] = 3;
	kernel.base[1] = 65535;
	vhost_vsock_pause(&w->dev);
	assert_false(kernel.runs[0] || kernel.runs[1]);
	kernel.base[0] = kernel.base[1] = 99;
	vhost_vsock_resume(&w->dev);
	assert_true(eventually(&kernel.runs[1], true));
	assert_int_equal(kernel.base[0], 3);
	assert_int_equal(kernel.base[1], 65535);
	reg_set(&w->rig, 20, 1, 0);
	assert_false(kernel.runs[0] || kernel.runs[1]);
	start(w);
	assert_int_equal(kernel.base[0] + kernel.base[1], 0);
}

/* A driver that sets up one of two is waited for. */
static void half_a_device(void **state)
{
	struct world *w = *state;

	assert_true(rig_negotiate(&w->rig, VIRTIO_F_VERSION_1 |
						   VIRTIO_F_ACCESS_PLATFORM));
	rig_queue(&w->rig, 1, RIG_QUEUE);
	reg_set(&w->rig, 20, 1, 15);
	vhost_vsock_pause(&w->dev); /* it is here that it has looked */
	vhost_vsock_resume(&w->dev);
	assert_false(kernel.runs[1]);
	rig_queue(&w->rig, 0, RIG_QUEUE);
	assert_true(eventually(&kernel.runs[1], true));
}

static void breaks_the_device(void **state)
{
	static const unsigned long t[] = { 0, SET_FEATURES, SET_ADDR,
					   SET_RUNNING };
	struct world *w = *state;
	struct capture c;
	char text[512];

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		start(w);
		vhost_vsock_pause(&w->dev);
		c = capture_begin();
		kernel.refuses = t[i];
		vhost_vsock_resume(&w->dev);
		if (!t[i])
			assert_int_equal(eventfd_write(kernel.err_fd, 1), 0);
		for (int k = 0; k < 25000 && rig_status(&w->rig) == 15; k++)
			rig_nap();
		assert_true(rig_status(&w->rig) & VIRTIO_S_NEEDS_RESET);
		assert_true(eventually(&kernel.runs[1], false));
		capture_end(&c, text, sizeof(text));
		if (!strstr(text, "vsock: the host's kernel") ||
		    strchr(text, '\n') != strrchr(text, '\n'))
			fail_msg("%zu: %s", i, text);
		kernel.refuses = 0;
	}
	start(w);
}

#define RIGGED(fn) cmocka_unit_test_setup_teardown(fn, world_open, world_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals),
		RIGGED(hands_over),
		RIGGED(rests),
		RIGGED(half_a_device),
		RIGGED(breaks_the_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
