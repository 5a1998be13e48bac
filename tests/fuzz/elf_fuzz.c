/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elf_fuzz: any bytes as a vmlinux. What is accepted must be loadable as it
 * says: segments inside the file and below 4 GiB, apart from each other, with
 * the entry in one of them.
 */
#include "boot/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint64_t end_of(const struct elf_segment *s)
{
	return s->at + s->len + s->zeros;
}

static void check(const struct elf *e, size_t len)
{
	bool entered = false;

	CHECK(e->n >= 1 && e->n <= ELF_SEGMENTS);
	for (size_t i = 0; i < e->n; i++) {
		const struct elf_segment *s = &e->segment[i];

		CHECK(range_ok(s->off, s->len, len));
		CHECK(s->at < end_of(s) && end_of(s) <= 4 * GIB);
		CHECK(e->begin <= s->at && end_of(s) <= e->end);
		entered = entered ||
			  (e->entry >= s->at && e->entry < end_of(s));
		for (size_t k = 0; k < i; k++)
			CHECK(end_of(&e->segment[k]) <= s->at ||
			      end_of(s) <= e->segment[k].at);
	}
	CHECK(entered);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct elf e;
	const char *why = NULL;

	if (elf_parse(&e, data, len, &why))
		CHECK(why);
	else
		check(&e, len);
	return 0;
}
