/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_again_test: a peer that is gone is connected to again when it is back:
 * nothing of the old stream gets into the new one, and one that comes and goes
 * costs little and says little.
 */
#include "tests/unit/net_rig.h"

#include "tests/unit/capture.h"
#include "vmm/clock.h"

static int setup(void **state)
{
	return world_open_with(state, true);
}

static bool link_is(struct world *w, bool up)
{
	for (int i = 0; i < 100; i++) {
		if (reg_get(&w->rig, LINK_AT, 2) == up)
			return true;
		rig_loop(&w->ev, 50);
	}
	return false;
}

/* The peer goes; the guest sees it. */
static void peer_goes(struct world *w)
{
	shutdown(w->peer, SHUT_RDWR);
	close(w->peer);
	assert_true(link_is(w, false));
}

static void peer_comes(struct world *w)
{
	assert_true(link_is(w, true));
	peer_accepts(w);
}

static void offer_rx(struct rig *r)
{
	rig_desc(r, RIG_DESC(RX), 0, RIG_DATA, 1526, W, 0);
	rig_offer(r, RX, 0);
	rig_kick(r, RX);
}

/* A frame of len bytes of byte; the guest's header is zero. */
static void offer_tx(struct rig *r, uint8_t byte, uint32_t len)
{
	static uint8_t b[HDR + NET_FRAME_MAX];

	memset(b + HDR, byte, len);
	assert_int_equal(
		gmem_write(&r->mem, at(RIG_DATA + 0x10000), b, HDR + len), 0);
	rig_desc(r, RIG_DESC(TX), 0, RIG_DATA + 0x10000, HDR + len, 0, 0);
	rig_offer(r, TX, 0);
	rig_kick(r, TX);
}

/* Whole frames both ways. */
static void frames_pass(struct world *w)
{
	uint8_t frame[NET_FRAME_MAX];
	struct rig *r = &w->rig;
	uint32_t len;

	offer_tx(r, 0x77, 60);
	assert_int_equal(peer_takes(w, frame), 60);
	assert_int_equal(frame[0], 0x77);
	assert_true(rig_wait(r, TX, &len));
	peer_gives(w, 5, 99);
	if (r->offered[RX] == r->used[RX])
		offer_rx(r);
	assert_true(rig_wait(r, RX, &len));
	assert_int_equal(len, HDR + 99);
	assert_int_equal(gmem_read(&r->mem, at(RIG_DATA + HDR), frame, 1), 0);
	assert_int_equal(frame[0], 5);
	assert_int_equal(rig_status(r), 15);
}

static void comes_back(void **state)
{
	struct world *w = *state;
	struct capture text = capture_begin();
	char line[1024];
	uint32_t len;

	offer_rx(&w->rig);
	for (int i = 0; i < 2; i++) {
		peer_goes(w);
		assert_true(rig_waits_irq(&w->rig, &w->net.pci.msix, 0));
		/* What the guest sends meanwhile is lost. */
		offer_tx(&w->rig, 0x11, 60);
		assert_true(rig_wait(&w->rig, TX, &len));
		peer_comes(w);
		assert_true(rig_waits_irq(&w->rig, &w->net.pci.msix, 0));
		frames_pass(w);
		offer_rx(&w->rig);
	}
	capture_end(&text, line, sizeof(line));
	assert_non_null(strstr(line, "is gone: the link is down until it is"));
	assert_non_null(strstr(line, "is back: the link is up"));
}

/* Half a frame in either direction, when the peer goes. */
static void begins_anew(void **state)
{
	struct world *w = *state;
	const uint8_t half[] = { 0, 0, 0, 200, 1, 2, 3 };
	struct capture quiet = capture_begin();
	char text[1024];
	int taken = 0;
	uint32_t len;

	offer_rx(&w->rig);
	assert_int_equal(send(w->peer, half, sizeof(half), 0), sizeof(half));
	/* More than the socket takes: the rest of one is kept. */
	for (; taken < RIG_QUEUE; taken++) {
		offer_tx(&w->rig, 0x22, 60001);
		for (int i = 0; i < 100; i++)
			rig_nap();
	}
	peer_goes(w);
	while (w->rig.used[TX] != w->rig.offered[TX])
		assert_true(rig_wait(&w->rig, TX, &len));
	peer_comes(w);
	frames_pass(w);
	capture_end(&quiet, text, sizeof(text));
}

/* A frame that waited for a buffer was the old peer's. */
static void forgets_what_waited(void **state)
{
	struct world *w = *state;
	struct capture quiet = capture_begin();
	char text[1024];
	uint32_t len;

	world_start(w, FEATURES | NET_F_MRG_RXBUF);
	rig_desc(&w->rig, RIG_DESC(RX), 0, RIG_DATA, 200, W, 0);
	rig_offer(&w->rig, RX, 0);
	rig_kick(&w->rig, RX);
	peer_gives(w, 9, 300);
	for (int i = 0; i < 100; i++)
		rig_nap();
	close(w->peer);
	offer_tx(&w->rig, 0x33, 60); /* finds out */
	assert_true(link_is(w, false));
	assert_true(rig_wait(&w->rig, TX, &len));
	peer_comes(w);
	frames_pass(w);
	capture_end(&quiet, text, sizeof(text));
}

/* What is no frame costs the connection: the peer hears of it. */
static void liar_is_cut_off(void **state)
{
	struct world *w = *state;
	const uint8_t bad[] = { 0, 1, 0, 18, 1, 2, 3 };
	struct capture quiet = capture_begin();
	struct pollfd p = { .fd = w->peer, .events = POLLIN };
	char text[1024];

	offer_rx(&w->rig);
	assert_int_equal(send(w->peer, bad, sizeof(bad), 0), sizeof(bad));
	assert_true(link_is(w, false));
	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_true(recv(w->peer, text, 1, 0) <= 0);
	close(w->peer);
	peer_comes(w);
	frames_pass(w);
	capture_end(&quiet, text, sizeof(text));
}

/* Nobody is there for a while, the VM is stopped, the driver starts anew. */
static void comes_back_late(void **state)
{
	struct world *w = *state;
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct capture quiet = capture_begin();
	char text[1024];

	offer_rx(&w->rig);
	close(w->listener);
	assert_int_equal(unlink(w->path), 0);
	peer_goes(w);
	rig_loop(&w->ev, 500);
	assert_int_equal(reg_get(&w->rig, LINK_AT, 2), 0);
	rig_start(&w->rig, FEATURES, 2);
	net_pause(&w->net);
	w->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", w->path);
	assert_int_equal(bind(w->listener, (void *)&a, sizeof(a)), 0);
	assert_int_equal(listen(w->listener, 1), 0);
	peer_comes(w);
	net_resume(&w->net);
	for (int i = 0; i < 500; i++) /* what came before is dropped */
		rig_nap();
	frames_pass(w);
	capture_end(&quiet, text, sizeof(text));
}

static void set_link_keeps_it_down(void **state)
{
	struct world *w = *state;
	struct capture quiet = capture_begin();
	char text[1024];

	offer_rx(&w->rig);
	net_set_link(&w->net, false);
	shutdown(w->peer, SHUT_RDWR);
	close(w->peer);
	for (int i = 0; i < 20; i++)
		rig_loop(&w->ev, 50);
	peer_accepts(w);
	assert_int_equal(reg_get(&w->rig, LINK_AT, 2), 0);
	net_set_link(&w->net, true);
	assert_int_equal(reg_get(&w->rig, LINK_AT, 2), 1);
	frames_pass(w);
	capture_end(&quiet, text, sizeof(text));
	assert_non_null(strstr(text, "is back: the link is down, as set_link"));
}

static unsigned lines_of(const char *text)
{
	unsigned n = 0;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		n++;
	return n;
}

/* As a passt that has another client: it lets us in and hangs up. */
static void flapping_is_slow_and_quiet(void **state)
{
	struct world *w = *state;
	struct capture quiet = capture_begin();
	uint64_t end = clock_ns() + 6 * CLOCK_NS_PER_S;
	struct pollfd p = { .fd = w->listener, .events = POLLIN };
	unsigned times = 0;
	char text[4096];

	offer_rx(&w->rig);
	peer_goes(w);
	while (clock_ns() < end) {
		rig_loop(&w->ev, 20);
		if (poll(&p, 1, 0) != 1)
			continue;
		close(accept(w->listener, NULL, NULL));
		times++;
	}
	w->peer = -1;
	capture_end(&quiet, text, sizeof(text));
	assert_true(times >= 3 && times <= 6); /* after 0.2, 0.6, 1.4, 3 s */
	assert_true(lines_of(text) <= 6);
}

static void dialer_dies(void **state)
{
	struct world *w = *state;
	struct capture quiet = capture_begin();
	char text[1024];

	offer_rx(&w->rig);
	assert_int_equal(shutdown(w->net.link.dial_fd, SHUT_RDWR), 0);
	rig_loop(&w->ev, 50);
	frames_pass(w); /* all else goes on */
	offer_rx(&w->rig);
	peer_goes(w);
	rig_loop(&w->ev, 600);
	assert_int_equal(reg_get(&w->rig, LINK_AT, 2), 0);
	w->peer = -1;
	capture_end(&quiet, text, sizeof(text));
	assert_non_null(strstr(text, "has ended"));
	assert_non_null(strstr(text, "until carrel is started again"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, world_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(comes_back),
		TEST(begins_anew),
		TEST(forgets_what_waited),
		TEST(liar_is_cut_off),
		TEST(comes_back_late),
		TEST(set_link_keeps_it_down),
		TEST(flapping_is_slow_and_quiet),
		TEST(dialer_dies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
