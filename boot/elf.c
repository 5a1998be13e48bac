/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elf: see the header. Offsets and numbers are those of the ELF-64 object file
 * format (System V ABI, chapters 4 and 5); the note's are Xen's elfnote.h.
 */
#include "boot/elf.h"

#include <errno.h>

/* File header. */
#define EHDR_LEN 64u
#define E_CLASS 4
#define CLASS_64 2
#define E_DATA 5
#define DATA_LITTLE 1
#define E_TYPE 16
#define TYPE_EXEC 2
#define E_MACHINE 18
#define MACHINE_X86_64 62
#define E_PHOFF 32
#define E_PHENTSIZE 54
#define E_PHNUM 56

/* Program header. */
#define PHDR_LEN 56u
#define PHDRS_MAX 64u
#define P_TYPE 0
#define PT_LOAD 1u
#define PT_NOTE 4u
#define P_OFFSET 8
#define P_PADDR 24
#define P_FILESZ 32
#define P_MEMSZ 40

/* A note: u32 name's and descriptor's length, u32 type, both padded to 4. */
#define NOTE_LEN 12u
#define NOTE_PAD 4u
#define NOTE_PHYS32_ENTRY 18u
#define NOTE_NAME "Xen"

struct file {
	const uint8_t *at;
	size_t len;
	const uint8_t *phdrs;
	unsigned n_phdrs;
};

bool elf_is(const uint8_t *image, size_t len)
{
	return len >= 4 && memcmp(image, "\177ELF", 4) == 0;
}

/* NULL, or why the file header is not one of a kernel that we start. */
static const char *not_kernel(const uint8_t *h, size_t len)
{
	if (!elf_is(h, len) || len < EHDR_LEN)
		return "it is no ELF file";
	if (h[E_CLASS] != CLASS_64 || h[E_DATA] != DATA_LITTLE ||
	    get_le16(h + E_MACHINE) != MACHINE_X86_64)
		return "it is an ELF file, but not for x86-64";
	if (get_le16(h + E_TYPE) != TYPE_EXEC)
		return "it is an ELF file, but not an executable with fixed "
		       "addresses";
	return NULL;
}

static const char *find_phdrs(struct file *f)
{
	const uint64_t off = get_le64(f->at + E_PHOFF);
	const unsigned n = get_le16(f->at + E_PHNUM);

	if (get_le16(f->at + E_PHENTSIZE) != PHDR_LEN || n == 0)
		return "it has no program headers of 56 bytes";
	if (n > PHDRS_MAX)
		return "it has more than 64 program headers";
	if (!range_ok(off, n * PHDR_LEN, f->len))
		return "its program headers are beyond its end";
	f->phdrs = f->at + off;
	f->n_phdrs = n;
	return NULL;
}

static bool overlaps(const struct elf *e, uint64_t at, uint64_t len)
{
	for (size_t i = 0; i < e->n; i++) {
		const struct elf_segment *s = &e->segment[i];

		if (at < s->at + s->len + s->zeros && s->at < at + len)
			return true;
	}
	return false;
}

static const char *add_segment(struct elf *e, const uint8_t *p, size_t file_len)
{
	const uint64_t off = get_le64(p + P_OFFSET), at = get_le64(p + P_PADDR);
	const uint64_t len = get_le64(p + P_FILESZ);
	const uint64_t mem_len = get_le64(p + P_MEMSZ);

	if (mem_len == 0)
		return NULL;
	if (!range_ok(off, len, file_len))
		return "it is truncated: a segment is beyond its end";
	if (mem_len < len)
		return "a segment is smaller in memory than in the file";
	if (!range_ok(at, mem_len, 4 * GIB))
		return "a segment does not fit below 4 GiB";
	if (overlaps(e, at, mem_len))
		return "two of its segments overlap";
	if (e->n == ELF_SEGMENTS)
		return "it has more than 8 segments to load";
	e->segment[e->n++] = (struct elf_segment){ .at = at,
						   .off = (size_t)off,
						   .len = (size_t)len,
						   .zeros = mem_len - len };
	e->begin = e->n == 1 ? at : min_u64(e->begin, at);
	e->end = max_u64(e->end, at + mem_len);
	return NULL;
}

/* The entry point in one note's descriptor of 4 or 8 bytes; 0: not in it. */
static uint64_t entry_in(const uint8_t *note, size_t name_len,
			 const uint8_t *desc, size_t desc_len)
{
	if (get_le32(note + 8) != NOTE_PHYS32_ENTRY ||
	    (desc_len != 4 && desc_len != 8) || name_len != sizeof(NOTE_NAME) ||
	    memcmp(note + NOTE_LEN, NOTE_NAME, sizeof(NOTE_NAME)) != 0)
		return 0;
	return get_le(desc, desc_len);
}

/* The first entry point among len bytes of notes; 0: none, or they end. */
static uint64_t entry_among(const uint8_t *notes, size_t len)
{
	size_t at = 0;

	while (range_ok(at, NOTE_LEN, len)) {
		const uint8_t *note = notes + at;
		uint64_t name_len = get_le32(note), desc_len;
		uint64_t desc = at + NOTE_LEN, next, entry;

		desc_len = get_le32(note + 4);
		if (!align_up(desc + name_len, NOTE_PAD, &desc) ||
		    !range_ok(desc, desc_len, len))
			return 0;
		entry = entry_in(note, (size_t)name_len, notes + desc,
				 (size_t)desc_len);
		if (entry)
			return entry;
		if (!align_up(desc + desc_len, NOTE_PAD, &next))
			return 0;
		at = (size_t)next;
	}
	return 0;
}

static const char *find_entry(struct elf *e, const struct file *f)
{
	uint64_t entry = 0;

	for (unsigned i = 0; !entry && i < f->n_phdrs; i++) {
		const uint8_t *p = f->phdrs + i * PHDR_LEN;
		const uint64_t off = get_le64(p + P_OFFSET);
		const uint64_t len = get_le64(p + P_FILESZ);

		if (get_le32(p + P_TYPE) != PT_NOTE)
			continue;
		if (!range_ok(off, len, f->len))
			return "it is truncated: its notes are beyond its end";
		entry = entry_among(f->at + off, (size_t)len);
	}
	if (!entry)
		return "it has no PVH entry point (Linux: CONFIG_PVH)";
	if (!overlaps(e, entry, 1) || entry > UINT32_MAX)
		return "its PVH entry point is in none of its segments";
	e->entry = (uint32_t)entry;
	return NULL;
}

int elf_parse(struct elf *e, const uint8_t *image, size_t len, const char **why)
{
	struct file f = { .at = image, .len = len };
	struct elf found = { .n = 0 };

	*why = not_kernel(image, len);
	if (!*why)
		*why = find_phdrs(&f);
	for (unsigned i = 0; !*why && i < f.n_phdrs; i++) {
		const uint8_t *p = f.phdrs + i * PHDR_LEN;

		if (get_le32(p + P_TYPE) == PT_LOAD)
			*why = add_segment(&found, p, len);
	}
	if (!*why && found.n == 0)
		*why = "it has nothing to load";
	if (!*why)
		*why = find_entry(&found, &f);
	if (*why)
		return -EINVAL;
	*e = found;
	return 0;
}
