/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bus_test: claims that overlap or wrap, accesses that straddle, open bus.
 */
#include "vmm/bus.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* A device that notes its last access and may refuse it. */
struct probe {
	uint64_t off;
	size_t len;
	uint64_t value;
	unsigned reads, writes;
	bool refuse;
};

static bool probe_read(void *dev, uint64_t off, uint8_t *buf, size_t len)
{
	struct probe *p = dev;

	p->off = off;
	p->len = len;
	p->reads++;
	put_le(buf, len, 0x1122334455667788);
	return !p->refuse;
}

static bool probe_write(void *dev, uint64_t off, const uint8_t *buf, size_t len)
{
	struct probe *p = dev;

	p->off = off;
	p->len = len;
	p->value = get_le(buf, len);
	p->writes++;
	return !p->refuse;
}

static const struct bus_ops ops = {
	.name = "probe",
	.read = probe_read,
	.write = probe_write,
};

static const struct bus_ops silent = { .name = "silent" };

struct rig {
	pthread_mutex_t lock;
	struct bus bus;
	struct probe p, q;
};

static int open_rig(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	*state = r;
	pthread_mutex_init(&r->lock, NULL);
	bus_open(&r->bus, &r->lock);
	return bus_claim(&r->bus, 0x100, 0x10, &ops, &r->p) ||
	       bus_claim(&r->bus, 0x110, 0x10, &ops, &r->q);
}

static int close_rig(void **state)
{
	free(*state);
	return 0;
}

static void claims(void **state)
{
	static const struct {
		uint64_t base, size;
		int rc;
	} t[] = {
		{ 0x200, 0, -ERANGE },	   { ~0ull, 2, -ERANGE },
		{ 0x200, ~0ull, -ERANGE }, { 0x100, 0x10, -EEXIST },
		{ 0x10f, 1, -EEXIST },	   { 0xff, 2, -EEXIST },
		{ 0x0, 0x1000, -EEXIST }, /* around both */
		{ 0x108, 0x10, -EEXIST }, /* across both */
		{ 0x11f, 0x10, -EEXIST },  { 0, ~0ull, -EEXIST },
		{ 0x120, 1, 0 },	   { 0xff, 1, 0 },
		{ ~0ull, 1, 0 }, /* the last byte there is */
	};
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_int_equal(
			bus_claim(&r->bus, t[i].base, t[i].size, &ops, &r->p),
			t[i].rc);
}

static void accesses(void **state)
{
	static const struct {
		uint64_t at;
		size_t len;
		char who; /* 0: nobody */
		uint64_t off;
	} t[] = {
		{ 0xff, 1, 0, 0 },    { 0xff, 2, 0, 0 }, /* enters a claim */
		{ 0x10f, 2, 0, 0 }, /* across two claims */
		{ 0x11d, 4, 0, 0 }, /* leaves a claim */
		{ 0x120, 1, 0, 0 },   { ~0ull, 1, 0, 0 },
		{ ~0ull, 8, 0, 0 }, /* wraps */
		{ 0x100, 8, 'p', 0 }, { 0x10f, 1, 'p', 0xf },
		{ 0x110, 2, 'q', 0 }, { 0x11c, 4, 'q', 0xc },
	};
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		uint8_t in[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, out[9] = { 0 };
		struct probe *p = t[i].who == 'p' ? &r->p : &r->q;
		uint64_t ones = t[i].len == 8 ? ~0ull
					      : (1ull << 8 * t[i].len) - 1;

		r->p = r->q = (struct probe){ .off = 99 };
		bus_read(&r->bus, t[i].at, out, t[i].len);
		bus_write(&r->bus, t[i].at, in, t[i].len);
		assert_int_equal(r->p.reads, t[i].who == 'p');
		assert_int_equal(r->q.reads, t[i].who == 'q');
		assert_int_equal(r->p.writes, t[i].who == 'p');
		assert_int_equal(r->q.writes, t[i].who == 'q');
		assert_int_equal(out[t[i].len], 0);
		if (!t[i].who) {
			assert_int_equal(get_le(out, t[i].len), ones);
			continue;
		}
		assert_int_equal(p->off, t[i].off);
		assert_int_equal(p->len, t[i].len);
		assert_int_equal(get_le(out, t[i].len),
				 0x1122334455667788 & ones);
		assert_int_equal(p->value, 0x0807060504030201 & ones);
	}
}

static void refusal_is_open_bus(void **state)
{
	struct rig *r = *state;
	uint32_t v = 0;

	r->p.refuse = true;
	bus_read(&r->bus, 0x100, &v, sizeof(v));
	assert_int_equal(v, 0xffffffff);
	assert_int_equal(bus_claim(&r->bus, 0x300, 4, &silent, NULL), 0);
	v = 0;
	bus_read(&r->bus, 0x300, &v, sizeof(v));
	assert_int_equal(v, 0xffffffff);
	bus_write(&r->bus, 0x300, &v, sizeof(v));
}

static void release(void **state)
{
	struct rig *r = *state;
	uint8_t v;

	bus_release(&r->bus, 0x101, &r->p); /* not where it starts */
	bus_release(&r->bus, 0x100, &r->q); /* not its own */
	bus_release(&r->bus, 0x50, &r->p); /* nobody's */
	bus_read(&r->bus, 0x100, &v, 1);
	assert_int_equal(r->p.reads, 1);
	bus_release(&r->bus, 0x100, &r->p);
	bus_read(&r->bus, 0x100, &v, 1);
	assert_int_equal(r->p.reads, 1);
	assert_int_equal(v, 0xff);
	bus_read(&r->bus, 0x110, &v, 1);
	assert_int_equal(r->q.reads, 1);
	assert_int_equal(bus_claim(&r->bus, 0x100, 0x10, &ops, &r->q), 0);
}

/* Claimed in an order that is neither up nor down; every one is found. */
static void full_bus(void **state)
{
	struct rig *r = *state;
	uint8_t v;

	bus_release(&r->bus, 0x100, &r->p);
	bus_release(&r->bus, 0x110, &r->q);
	for (uint64_t i = 0; i < BUS_SLOTS; i++)
		assert_int_equal(bus_claim(&r->bus, (i * 37 % BUS_SLOTS) * 2, 1,
					   &ops, &r->p),
				 0);
	assert_int_equal(bus_claim(&r->bus, 0x10000, 1, &ops, &r->p), -ENOSPC);
	for (uint64_t i = 0; i < 2 * BUS_SLOTS; i++)
		bus_read(&r->bus, i, &v, 1);
	assert_int_equal(r->p.reads, BUS_SLOTS);
	for (uint64_t i = 0; i < BUS_SLOTS; i++)
		bus_release(&r->bus, (i * 59 % BUS_SLOTS) * 2, &r->p);
	assert_int_equal(r->bus.n, 0);
}

int main(void)
{
#define RIG(f) cmocka_unit_test_setup_teardown(f, open_rig, close_rig)
	const struct CMUnitTest tests[] = {
		RIG(claims),  RIG(accesses), RIG(refusal_is_open_bus),
		RIG(release), RIG(full_bus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
