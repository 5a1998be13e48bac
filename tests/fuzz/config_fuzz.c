/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_fuzz: any bytes as the tree of --config. What is accepted must come
 * back the same from its own dump.
 */
#include "vmm/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A memfd by name. */
struct scratch {
	int fd;
	char path[32];
};

static struct scratch scratch_open(void)
{
	struct scratch s = { .fd = memfd_create("tree", 0) };

	CHECK(s.fd >= 0);
	snprintf(s.path, sizeof(s.path), "/proc/self/fd/%d", s.fd);
	return s;
}

static int parse(struct config *c, const struct scratch *s)
{
	char *argv[] = { (char *)"carrel", (char *)"run", (char *)"--config",
			 (char *)(uintptr_t)s->path };

	return config_parse(c, 4, argv);
}

static size_t dump(struct config *c, const struct scratch *s, uint8_t *out,
		   size_t cap)
{
	ssize_t n;

	c->dump_dtb = s->path;
	if (config_dump(c))
		abort();
	n = pread(s->fd, out, cap, 0);
	CHECK(n > 0);
	config_close(c);
	return (size_t)n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t one[256 * KIB], two[256 * KIB];
	struct scratch in = scratch_open(), out = scratch_open();
	struct config c;
	size_t n;

	if (write(in.fd, data, len) != (ssize_t)len)
		abort();
	if (!parse(&c, &in)) {
		n = dump(&c, &out, one, sizeof(one));
		if (parse(&c, &out))
			abort();
		if (dump(&c, &in, two, sizeof(two)) != n ||
		    memcmp(one, two, n) != 0)
			abort();
	}
	close(in.fd);
	close(out.fd);
	return 0;
}
