/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disk-load DEVICE SECONDS WORKERS: writes and reads a disk, around the page
 * cache, and compares, for so long or until there is ENOUGH. Each worker has a
 * part of the disk to itself, writes blocks of it at random places, one after
 * the other, and flushes now and then; what it reads must be what it wrote
 * last. Says "load: N writes, N reads, N bad" at the end, and every second how
 * far it is.
 * Each 512 bytes begin with their place on the disk, a generation and a sum of
 * both, so that what was lost, doubled or misplaced can be told apart.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/fs.h>

#define ENOUGH "/tmp/load.enough"
#define BLOCK 16384
#define SECTOR 512
#define BLOCKS 256 /* a worker's */
#define FLUSH_EVERY 64
#define DISCARD_EVERY 97

struct stamp {
	uint64_t place, generation, sum;
};

struct counts {
	volatile uint64_t writes, reads, discards, bad;
};

static uint64_t sum_of(uint64_t place, uint64_t generation)
{
	return (place * 0x9e3779b97f4a7c15ull ^ generation) *
	       0xff51afd7ed558ccdull;
}

static void fill(uint8_t *b, uint64_t at, uint64_t generation)
{
	for (int i = 0; i < BLOCK; i += SECTOR) {
		struct stamp s = { at + i, generation, 0 };

		s.sum = sum_of(s.place, s.generation);
		for (int k = 0; k < SECTOR; k += 32)
			memcpy(b + i + k, &s, sizeof(s));
	}
}

static int good(const uint8_t *b, uint64_t at, uint64_t generation)
{
	static uint8_t want[BLOCK];

	fill(want, at, generation);
	return !memcmp(b, want, BLOCK);
}

static uint64_t next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static void give_up(const char *what, uint64_t at)
{
	printf("load: %s at %llu: %s\n", what, (unsigned long long)at,
	       strerror(errno));
	exit(1);
}

static void check(int fd, uint8_t *b, uint64_t at, uint64_t generation,
		  struct counts *c)
{
	if (pread(fd, b, BLOCK, (off_t)at) != BLOCK)
		give_up("read", at);
	c->reads++;
	if (generation && !good(b, at, generation)) {
		const struct stamp *s = (const void *)b;

		c->bad++;
		printf("load: bad at %llu: place %llu generation %llu, not "
		       "%llu\n",
		       (unsigned long long)at, (unsigned long long)s->place,
		       (unsigned long long)s->generation,
		       (unsigned long long)generation);
	}
}

static void work(const char *path, unsigned n, time_t seconds, struct counts *c)
{
	static uint64_t generation[BLOCKS];
	uint64_t base = (uint64_t)n * BLOCKS * BLOCK,
		 x = 88172645463325252ull + n;
	int fd = open(path, O_RDWR | O_DIRECT);
	time_t end = time(NULL) + seconds;
	uint8_t *b = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (fd < 0 || b == MAP_FAILED)
		give_up("open", 0);
	for (uint64_t g = 1; time(NULL) < end && access(ENOUGH, F_OK); g++) {
		uint64_t w = next(&x) % BLOCKS, r = next(&x) % BLOCKS;
		uint64_t range[2] = { base + w * BLOCK, BLOCK };

		fill(b, base + w * BLOCK, g);
		if (g % DISCARD_EVERY == 0 && !ioctl(fd, BLKDISCARD, range))
			c->discards++;
		if (pwrite(fd, b, BLOCK, (off_t)(base + w * BLOCK)) != BLOCK)
			give_up("write", base + w * BLOCK);
		generation[w] = g;
		c->writes++;
		if (g % FLUSH_EVERY == 0 && fdatasync(fd))
			give_up("flush", 0);
		check(fd, b, base + r * BLOCK, generation[r], c);
	}
	for (uint64_t i = 0; i < BLOCKS; i++)
		check(fd, b, base + i * BLOCK, generation[i], c);
	if (fsync(fd))
		give_up("flush", 0);
}

static void say(const char *what, const struct counts *c, unsigned n)
{
	struct counts all = { 0 };

	for (unsigned i = 0; i < n; i++) {
		all.writes += c[i].writes;
		all.reads += c[i].reads;
		all.discards += c[i].discards;
		all.bad += c[i].bad;
	}
	printf("%s: %llu writes, %llu reads, %llu discards, %llu bad\n", what,
	       (unsigned long long)all.writes, (unsigned long long)all.reads,
	       (unsigned long long)all.discards, (unsigned long long)all.bad);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	unsigned n = argc == 4 ? (unsigned)atoi(argv[3]) : 0, left = n;
	int status, failed = 0;
	struct counts *c = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!n || c == MAP_FAILED)
		return 2;
	for (unsigned i = 0; i < n; i++)
		if (!fork()) {
			work(argv[1], i, atoi(argv[2]), &c[i]);
			_exit(0);
		}
	while (left) {
		while (left && waitpid(-1, &status, WNOHANG) > 0) {
			left--;
			failed += status != 0;
		}
		sleep(1);
		say("at", c, n);
	}
	say("load", c, n);
	return failed || !c->writes;
}
