/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pvh: see the header. A map entry is an e820 entry and four bytes.
 */
#include "boot/pvh.h"

#include "boot/writer.h"

#define MAGIC 0x336ec578u
#define VERSION 1u
#define MODULES 0x100u /* offsets in the page */
#define MAP 0x200u

static void put_header(struct writer *w, const struct pvh_source *src)
{
	writer_u32(w, MAGIC);
	writer_u32(w, VERSION);
	writer_u32(w, 0); /* flags: none that we are */
	writer_u32(w, src->initrd_len ? 1 : 0);
	writer_u64(w, src->initrd_len ? src->at + MODULES : 0);
	writer_u64(w, src->cmdline);
	writer_u64(w, src->rsdp);
	writer_u64(w, src->at + MAP);
	writer_u32(w, (uint32_t)(src->e820_len / E820_ENTRY_LEN));
	writer_u32(w, 0);
}

static void put_initrd(struct writer *w, const struct pvh_source *src)
{
	writer_u64(w, src->initrd);
	writer_u64(w, src->initrd_len);
	writer_u64(w, 0); /* no command line of its own */
	writer_u64(w, 0);
}

void pvh_build(uint8_t page[PVH_LEN], const struct pvh_source *src)
{
	struct writer w = { .bytes = page, .cap = PVH_LEN };

	memset(page, 0, PVH_LEN);
	put_header(&w, src);
	CHECK(w.len <= MODULES);
	w.len = MODULES;
	if (src->initrd_len)
		put_initrd(&w, src);
	w.len = MAP;
	for (size_t i = 0; i < src->e820_len; i += E820_ENTRY_LEN) {
		writer_bytes(&w, src->e820 + i, E820_ENTRY_LEN);
		writer_u32(&w, 0);
	}
}
