/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostile: a guest that is nothing but attacks on the devices, started as
 * firmware. Each prints "hostile: NAME: OUTCOME"; an outcome other than the
 * expected one is followed by "WRONG". Then a disk read has to work still,
 * ports and addresses get random accesses, and port 0xCF9 resets the machine:
 * whoever started it looks for that end.
 */
#include "tests/guest/disk.h"

#include <stddef.h>

void main(void);

#define TABLE 0x4000u /* MSI-X */
#define INDIRECT 0x103000u
#define HOLE 0x70000000u /* above this guest's RAM */
#define ROM 0xffff0000u

#define TABLE_FLAG 4u
#define NEEDS_RESET 0x40u

enum outcome { BROKEN, ANSWERED, SILENT };

static enum outcome outcome(void)
{
	for (unsigned i = 0; i < 2000; i++) {
		for (unsigned k = 0; k < 20000; k++) {
			if (get16(USED + 2))
				return ANSWERED;
			__asm__ volatile("pause");
		}
		if (get8(BAR + 20) & NEEDS_RESET)
			return BROKEN;
		if (i > 50 && !(get8(BAR + 20) & 4))
			break;
	}
	return SILENT;
}

/* The attacks. */

static void none(void)
{
	read_sector();
	offer(0, 1);
}

static void loop(void)
{
	desc(DESC, 0, HEADER, 16, NEXT, 1);
	desc(DESC, 1, HEADER, 16, NEXT, 0);
	offer(0, 1);
}

static void head_out_of_range(void)
{
	read_sector();
	offer(0xffff, 1);
}

static void next_out_of_range(void)
{
	read_sector();
	desc(DESC, 1, DATA, 512, NEXT | WRITE, SIZE);
	offer(0, 1);
}

static void index_jumps(void)
{
	read_sector();
	offer(0, SIZE + 1);
}

static void indirect_in_indirect(void)
{
	desc(DESC, 0, INDIRECT, 16, TABLE_FLAG, 0);
	desc(INDIRECT, 0, INDIRECT, 16, TABLE_FLAG, 0);
	offer(0, 1);
}

static void indirect_of_4_gib(void)
{
	desc(DESC, 0, INDIRECT, 0xfffffff0, TABLE_FLAG, 0);
	offer(0, 1);
}

static void data_in_a_hole(void)
{
	read_sector();
	desc(DESC, 1, HOLE, 512, NEXT | WRITE, 2);
	offer(0, 1);
}

static void data_in_the_rom(void)
{
	read_sector();
	desc(DESC, 1, ROM, 512, NEXT | WRITE, 2);
	offer(0, 1);
}

static void data_in_the_bar(void)
{
	read_sector();
	desc(DESC, 1, BAR, 512, NEXT | WRITE, 2);
	offer(0, 1);
}

static void data_wraps(void)
{
	read_sector();
	desc(DESC, 1, 0xffffff00, 512, NEXT | WRITE, 2);
	put32(DESC + 16 + 4, 0xffffffff);
	offer(0, 1);
}

static void no_status(void)
{
	desc(DESC, 0, HEADER, 16, 0, 0);
	offer(0, 1);
}

static void short_header(void)
{
	desc(DESC, 0, HEADER, 3, NEXT, 1);
	desc(DESC, 1, STATUS, 1, WRITE, 0);
	offer(0, 1);
}

static void status_on_the_ring(void)
{
	/* Its own business: the answer lands in the used index's high byte. */
	read_sector();
	desc(DESC, 2, USED + 3, 1, WRITE, 0);
	offer(0, 1);
}

static void sector_wraps(void)
{
	read_sector();
	put32(HEADER + 8, 0xffffffff);
	put32(HEADER + 12, 0xffffffff);
	offer(0, 1);
}

static void queue_of_no_size(void)
{
	features(0, 1);
	queue(0, DESC, AVAIL, USED);
}

static void queue_of_65535(void)
{
	features(0, 1);
	queue(0xffff, DESC, AVAIL, USED);
}

static void queue_in_the_rom(void)
{
	features(0, 1);
	queue(SIZE, ROM, AVAIL, ROM + 0x1000);
}

static void queue_unaligned(void)
{
	features(0, 1);
	queue(SIZE, DESC + 1, AVAIL + 1, USED + 1);
}

static void queue_moves(void)
{
	put16(BAR + 22, 0);
	put32(BAR + 32, DESC + 0x1000);
}

static void no_features(void)
{
	features(0, 0);
	queue(SIZE, DESC, AVAIL, USED);
}

/* Messages to nowhere; KVM may think of them what it likes. */
static void odd_interrupts(void)
{
	for (unsigned i = 0; i < 2; i++) {
		put32(BAR + TABLE + 16 * i, 0xdeadbeef);
		put32(BAR + TABLE + 16 * i + 4, 0xffffffff);
		put32(BAR + TABLE + 16 * i + 8, 0xffffffff);
		put32(BAR + TABLE + 16 * i + 12, 0);
	}
	put16(BAR + 16, 0);
	put16(BAR + 22, 0);
	put16(BAR + 26, 1);
	read_sector();
	offer(0, 1);
}

static const struct {
	const char *name;
	void (*run)(void);
	enum outcome expected;
} attacks[] = {
	{ "an honest read", none, ANSWERED },
	{ "a loop", loop, BROKEN },
	{ "a head out of range", head_out_of_range, BROKEN },
	{ "a next out of range", next_out_of_range, BROKEN },
	{ "an index that jumps", index_jumps, BROKEN },
	{ "indirect in indirect", indirect_in_indirect, BROKEN },
	{ "an indirect table of 4 GiB", indirect_of_4_gib, BROKEN },
	{ "data in a hole", data_in_a_hole, BROKEN },
	{ "data in the ROM", data_in_the_rom, BROKEN },
	{ "data in the device itself", data_in_the_bar, BROKEN },
	{ "data that wraps", data_wraps, BROKEN },
	{ "no status", no_status, BROKEN },
	{ "a short header", short_header, BROKEN },
	{ "a status on the ring", status_on_the_ring, ANSWERED },
	{ "a sector that wraps", sector_wraps, ANSWERED },
	{ "a queue of no size", queue_of_no_size, BROKEN },
	{ "a queue of 65535", queue_of_65535, BROKEN },
	{ "a queue in the ROM", queue_in_the_rom, BROKEN },
	{ "an unaligned queue", queue_unaligned, BROKEN },
	{ "a queue that moves", queue_moves, BROKEN },
	{ "no features", no_features, BROKEN },
	{ "odd interrupts", odd_interrupts, ANSWERED },
};

static void report(const char *name, enum outcome expected)
{
	enum outcome got = outcome();

	say("hostile: ");
	say(name);
	say(got == BROKEN     ? ": broken"
	    : got == ANSWERED ? ": answered"
			      : ": silent");
	say(got == expected ? "\n" : " WRONG\n");
}

static void attack_disk(void)
{
	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		start();
		attacks[i].run();
		report(attacks[i].name, attacks[i].expected);
	}
}

/* The balloon's pages, in the place of the disk. */
static void attack_balloon(unsigned disk, unsigned balloon)
{
	static const struct {
		const char *name;
		uint32_t pfn, len;
		enum outcome expected;
	} t[] = {
		{ "balloon: a page of its own", 0x200, 4, ANSWERED },
		{ "balloon: a page in a hole", HOLE >> 12, 4, BROKEN },
		{ "balloon: a page in the ROM", ROM >> 12, 4, BROKEN },
		{ "balloon: a page in the device", BAR >> 12, 4, BROKEN },
		{ "balloon: the last page", 0xffffffff, 4, BROKEN },
		{ "balloon: half a number", 0x200, 6, BROKEN },
		{ "balloon: numbers without end", 0x200, 0x4000000, BROKEN },
	};

	cfg_set(disk, 4, 0);
	cfg_set(balloon, 0x10, BAR);
	cfg_set(balloon, 4, 6);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		start();
		put32(DATA, t[i].pfn);
		put32(DATA + 4, t[i].pfn);
		desc(DESC, 0, DATA, t[i].len, 0, 0);
		offer(0, 1);
		report(t[i].name, t[i].expected);
	}
	cfg_set(balloon, 4, 0);
	cfg_set(disk, 4, 6);
}

/* What the disk still says: status and the first bytes of sector 0. */
static void read_again(void)
{
	start();
	read_sector();
	offer(0, 1);
	say(outcome() == ANSWERED && get8(STATUS) == 0 ? "hostile: sector "
						       : "WRONG ");
	say_hex(get32(DATA));
	say("\n");
}

static uint32_t random32(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

/* Ports whose writing ends the machine: they come last. */
static int ends(uint16_t port)
{
	return port == 0x64 || port == 0x92 || port == 0x505 ||
	       (port & ~3u) == 0x604 || (port & ~3u) == 0xcf8;
}

static void random_port(uint32_t *x)
{
	static const uint16_t first[] = { 0x510, 0x3f8, 0x70,  0x600,
					  0x620, 0xcfc, 0x402, 0 };
	uint32_t r = random32(x), v = random32(x);
	uint16_t port = first[r & 7];

	port = (uint16_t)(port ? port + (r >> 8 & 15) : r >> 16);
	if (ends(port) || ends((uint16_t)(port + 3)))
		return;
	switch (r >> 4 & 3) {
	case 0: out8(port, (uint8_t)v); break;
	case 1: out16(port, (uint16_t)v); break;
	case 2: out32(port, v); break;
	default: (void)in32(port); break;
	}
}

/* The disk's registers, or anywhere in the PCI windows and their holes. */
static void random_address(uint32_t *x)
{
	uint32_t r = random32(x);
	uint32_t at = r & 1 ? BAR + (r >> 8 & 0x7ffc)
			    : 0x80000000u + r % 0x7e000000u;

	if (random32(x) & 1)
		put32(at, random32(x));
	else
		(void)get32(at);
}

static void random_cfg(uint32_t *x)
{
	uint32_t r = random32(x);

	cfg_set(r & 31, r >> 8 & 0xfc, random32(x));
	(void)cfg_get(r & 31, r >> 16 & 0xfc);
}

void main(void)
{
	unsigned slot = find_disk();
	uint32_t x = 0x2545f491;

	cfg_set(slot, 0x10, BAR);
	cfg_set(slot, 4, 6);
	msix_on(slot);
	attack_disk();
	attack_balloon(slot, find(0x10451af4));
	read_again();
	say("hostile: random accesses\n");
	for (unsigned i = 0; i < 4000; i++) {
		random_port(&x);
		random_address(&x);
		if (i >=
		    2000) /* which moves everything away, sooner or later */
			random_cfg(&x);
	}
	out8(0xcf9, 6);
}
