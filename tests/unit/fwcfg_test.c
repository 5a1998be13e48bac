/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fwcfg_test: items that are refused, descriptors that lie, then what firmware
 * reads by port and by DMA.
 */
#include "tests/unit/board_rig.h"

#include <errno.h>

#include "devices/fwcfg.h"

#define RAM (4 * MIB)
#define DESC 0x1000ull
#define BUF 0x200000ull
#define SELECT 0x510
#define DATA 0x511
#define DMA 0x514

#define READ 0x02u
#define SKIP 0x04u
#define SEL 0x08u
#define WRITE 0x10u

static uint8_t big[70000];

struct world {
	struct board_rig rig;
	struct gmem mem;
	struct fwcfg f;
};

static int setup(void **state)
{
	static struct world w;

	rig_open(&w.rig);
	w.mem = (struct gmem){ 0 };
	assert_int_equal(gmem_open(&w.mem, RAM), 0);
	for (size_t i = 0; i < sizeof big; i++)
		big[i] = (uint8_t)(i * 7 + i / 251);
	fwcfg_open(&w.f, &w.mem);
	assert_int_equal(fwcfg_add(&w.f, 0x11, NULL, big, sizeof big), 0);
	assert_int_equal(fwcfg_add(&w.f, 0, "etc/e820", big, 20), 0);
	assert_int_equal(fwcfg_add(&w.f, 0, "bootorder", big + 5, 3), 0);
	assert_int_equal(fwcfg_add_number(&w.f, FWCFG_KEY_CPUS, 0x1234, 2), 0);
	assert_int_equal(fwcfg_attach(&w.f, &w.rig.pio), 0);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	fwcfg_close(&w->f);
	gmem_close(&w->mem);
	rig_close(&w->rig);
	return 0;
}

static uint32_t be32(const void *p)
{
	return __builtin_bswap32(get_le32(p));
}

static void poke(struct world *w, uint64_t at, const void *src, size_t len)
{
	assert_int_equal(gmem_write(&w->mem, (gpa_t){ at }, src, len), 0);
}

static void peek(struct world *w, uint64_t at, void *dst, size_t len)
{
	assert_int_equal(gmem_read(&w->mem, (gpa_t){ at }, dst, len), 0);
}

/* Runs a descriptor and returns its control word afterwards. */
static uint32_t dma_at(struct world *w, uint64_t at, uint32_t control,
		       uint32_t len, uint64_t addr)
{
	uint8_t d[16];

	put_le32(d, __builtin_bswap32(control));
	put_le32(d + 4, __builtin_bswap32(len));
	put_le64(d + 8, __builtin_bswap64(addr));
	poke(w, at, d, sizeof d);
	out(&w->rig, DMA, 4, __builtin_bswap32((uint32_t)(at >> 32)));
	out(&w->rig, DMA + 4, 4, __builtin_bswap32((uint32_t)at));
	peek(w, at, d, sizeof d);
	assert_int_equal(be32(d + 4), len);
	return be32(d);
}

static uint32_t dma(struct world *w, uint32_t control, uint32_t len,
		    uint64_t addr)
{
	return dma_at(w, DESC, control, len, addr);
}

static void refuses_items(void **state)
{
	struct world *w = *state;
	struct fwcfg *f = &w->f;
	char name[FWCFG_NAME + 1];

	memset(name, 'a', sizeof name);
	name[FWCFG_NAME] = 0;
	assert_int_equal(fwcfg_add(f, 0x00, NULL, big, 1), -EEXIST);
	assert_int_equal(fwcfg_add(f, 0x19, NULL, big, 1), -EEXIST);
	assert_int_equal(fwcfg_add(f, 0x20, NULL, big, 1), -EINVAL);
	assert_int_equal(fwcfg_add(f, 0, "etc/e820", big, 1), -EEXIST);
	assert_int_equal(fwcfg_add(f, 0, "", big, 1), -EINVAL);
	assert_int_equal(fwcfg_add(f, 0, name, big, 1), -ENAMETOOLONG);
	assert_int_equal(fwcfg_add(f, 0x12, NULL, big, 1ull << 32), -EFBIG);
	name[FWCFG_NAME - 1] = 0;
	for (unsigned i = 0;; i++) {
		int rc;

		name[0] = (char)('a' + i % 26);
		name[1] = (char)('a' + i / 26);
		rc = fwcfg_add(f, 0, name, big, 1);
		if (rc == -ENOSPC)
			break;
		assert_int_equal(rc, 0);
		assert_true(i < FWCFG_ITEMS);
	}
	assert_int_equal(fwcfg_add(f, 0x12, NULL, big, 1), -ENOSPC);
}

/* Items of a launch image: numbered, named, and one that does not fit. */
static void image_items(void **state)
{
	struct world *w = *state;
	struct image im;
	struct image_item it = { .key = 0x12, .bytes = big, .len = 5 };
	uint8_t got[5];

	image_open(&im);
	assert_int_equal(image_add_item(&im, &it), 0);
	it = (struct image_item){ .name = "etc/x", .bytes = big + 9, .len = 2 };
	assert_int_equal(image_add_item(&im, &it), 0);
	assert_int_equal(fwcfg_add_image(&w->f, &im), 0);
	assert_int_equal(dma(w, 0x12 << 16 | SEL | READ, 5, BUF), 0);
	peek(w, BUF, got, 5);
	assert_memory_equal(got, big, 5);
	assert_int_equal(dma(w, 0x22 << 16 | SEL | READ, 2, BUF), 0);
	peek(w, BUF, got, 2);
	assert_memory_equal(got, big + 9, 2);
	assert_int_equal(fwcfg_add_image(&w->f, &im), -EEXIST);
	memset(im.item[0].name, 'n', sizeof im.item[0].name);
	im.item[0].key = 0; /* a name without an end */
	assert_int_equal(fwcfg_add_image(&w->f, &im), -ENAMETOOLONG);
	image_close(&im);
}

struct lie {
	const char *name;
	uint32_t control, len;
	uint64_t addr;
};

static void refuses_dma(void **state)
{
	static const struct lie table[] = {
		{ "write", 0x11 << 16 | SEL | WRITE, 4, BUF },
		{ "hole", 0x11 << 16 | SEL | READ, 4, RAM },
		{ "over the end", 0x11 << 16 | SEL | READ, 4, RAM - 3 },
		{ "wraps", 0x11 << 16 | SEL | READ, 4, ~0ull - 1 },
		{ "longer than RAM", 0x11 << 16 | SEL | READ, 0xffffffff, 0 },
		{ "far past the item", 0x05 << 16 | SEL | READ, 5000, BUF },
		{ "padding in a hole", 0x05 << 16 | SEL | READ, 64, RAM - 2 },
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const struct lie *t = &table[i];

		print_message("%s\n", t->name);
		assert_int_equal(dma(w, t->control, t->len, t->addr), 1);
	}
}

/* No descriptor, nothing to answer to: but nothing happens either. */
static void bad_descriptor(void **state)
{
	static const uint64_t bad[] = { RAM, RAM - 15, ~0ull, ~0ull - 15,
					1ull << 63 };
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		out(&w->rig, DMA, 4,
		    __builtin_bswap32((uint32_t)(bad[i] >> 32)));
		out(&w->rig, DMA + 4, 4, __builtin_bswap32((uint32_t)bad[i]));
	}
	/* The high half does not stay behind. */
	assert_int_equal(dma(w, 0x11 << 16 | SEL | READ, 1, BUF), 0);
}

static void nobody_there(void **state)
{
	struct world *w = *state;
	struct board_rig *r = &w->rig;

	out(r, SELECT, 2, 0x00);
	out(r, SELECT, 1, 0x11); /* not a selector */
	assert_int_equal(in(r, SELECT, 2), 0xffff);
	assert_int_equal(in(r, DATA, 2), 0xffff);
	assert_int_equal(in(r, DATA, 4), 0xffffffff);
	assert_int_equal(in(r, DATA, 1), 'Q');
	assert_int_equal(in(r, 0x512, 1), 0xff);
	out(r, DATA, 1, 0x55);
	assert_int_equal(in(r, DATA, 1), 'E');
}

static void by_port(void **state)
{
	struct world *w = *state;
	struct board_rig *r = &w->rig;

	assert_int_equal(in(r, DATA, 1), 'Q'); /* selected at power-on */
	out(r, SELECT, 2, 0x01);
	assert_int_equal(in(r, DATA, 1), 3);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(in(r, DATA, 1), 0);
	out(r, SELECT, 2, FWCFG_KEY_CPUS);
	assert_int_equal(in(r, DATA, 1), 0x34);
	assert_int_equal(in(r, DATA, 1), 0x12);
	assert_int_equal(in(r, DATA, 1), 0);
	out(r, SELECT, 2, 0x4011); /* the write channel of the item */
	for (size_t i = 0; i < sizeof big; i++)
		assert_int_equal(in(r, DATA, 1), big[i]);
	assert_int_equal(in(r, DATA, 1), 0);
	out(r, SELECT, 2, 0x7777);
	assert_int_equal(in(r, DATA, 1), 0);
	assert_int_equal(in(r, DMA, 4), 0x554d4551); /* "QEMU" in memory */
	assert_int_equal(in(r, DMA + 4, 4), 0x47464320);
	fwcfg_reset(&w->f);
	assert_int_equal(in(r, DATA, 1), 'Q');
}

static void directory(void **state)
{
	struct world *w = *state;
	uint8_t d[4 + 2 * 64];

	assert_int_equal(dma(w, 0x19 << 16 | SEL | READ, sizeof d, BUF), 0);
	peek(w, BUF, d, sizeof d);
	assert_int_equal(be32(d), 2);
	assert_int_equal(be32(d + 4), 20);
	assert_int_equal(be32(d + 8), 0x20 << 16);
	assert_string_equal((char *)d + 12, "etc/e820");
	assert_int_equal(be32(d + 68), 3);
	assert_int_equal(be32(d + 72), 0x21 << 16);
	assert_string_equal((char *)d + 76, "bootorder");
	assert_int_equal(dma(w, 0x21 << 16 | SEL | READ, 3, BUF), 0);
	peek(w, BUF, d, 3);
	assert_memory_equal(d, big + 5, 3);
}

static void by_dma(void **state)
{
	static uint8_t got[sizeof big + 100], zero[100];
	struct world *w = *state;

	memset(got, 0xee, sizeof got);
	poke(w, BUF, got, sizeof got);
	assert_int_equal(dma(w, 0x11 << 16 | SEL, 0, 0), 0);
	assert_int_equal(dma(w, READ, 1000, BUF), 0);
	assert_int_equal(dma(w, SKIP, 500, ~0ull), 0);
	assert_int_equal(dma(w, READ, sizeof big - 1400, BUF + 1000), 0);
	peek(w, BUF, got, sizeof got);
	assert_memory_equal(got, big, 1000);
	assert_memory_equal(got + 1000, big + 1500, sizeof big - 1500);
	/* 100 bytes past the item's end: zeros; and there it stays. */
	assert_memory_equal(got + sizeof big - 500, zero, 100);
	assert_int_equal(got[sizeof big - 400], 0xee);
	assert_int_equal(dma(w, SKIP, 0xffffffff, 0), 0);
	assert_int_equal(dma(w, READ, 4, BUF), 0);
	peek(w, BUF, got, 4);
	assert_memory_equal(got, zero, 4);
	/* Unaligned, at the very end of RAM, and onto itself. */
	assert_int_equal(
		dma_at(w, RAM - 16, 0x11 << 16 | SEL | READ, 9, BUF + 1), 0);
	peek(w, BUF + 1, got, 9);
	assert_memory_equal(got, big, 9);
	assert_int_equal(dma(w, READ, 4, DESC), 0);
}

static void hostile(void **state)
{
	struct world *w = *state;

	hammer(&w->rig, 0x510 - 3, 15);
	for (unsigned key = 0; key <= 0xffff; key++) {
		out(&w->rig, SELECT, 2, key);
		(void)in(&w->rig, DATA, 1);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(refuses_items),  T(image_items),  T(refuses_dma),
		T(bad_descriptor), T(nobody_there), T(by_port),
		T(directory),	   T(by_dma),	    T(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
