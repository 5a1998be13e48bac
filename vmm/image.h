/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image: what a guest starts from, as one ordered list. boot/ plans it from
 * files and never touches guest memory. Three readers walk the same list: a
 * plain VM copies it, a SEV VM copies it and encrypts and measures the measured
 * parts in order, and `carrel-sev digest` hashes those parts with no VM at all.
 * That is why the digest an owner expects cannot drift from a launch's.
 */
#ifndef CARREL_VMM_IMAGE_H
#define CARREL_VMM_IMAGE_H

#include <stdint.h>

#include "vmm/gmem.h"

#define IMAGE_PARTS 16
#define IMAGE_ITEMS 48

/* Bytes at a guest address before the first instruction. */
enum part_kind {
	PART_PLAIN, /* copied */
	PART_MEASURED, /* copied; under SEV encrypted and measured, in order */
};

struct image_part {
	const char *name; /* static: "firmware", "kernel hashes", ... */
	enum part_kind kind;
	gpa_t at;
	bool rom; /* needs a ROM region of its own (firmware) */
	const uint8_t *bytes;
	size_t len;
	uint64_t zeros; /* as many zero bytes follow; plain parts only */
};

/*
 * The first vCPU's state before its first instruction. Firmware begins at the
 * reset vector, in the state in which KVM makes a CPU. A kernel is entered by
 * the boot protocol that its mode stands for, and is given an address in the
 * register that this protocol names.
 */
enum image_mode {
	START_RESET, /* power-on; the rest does not count */
	START_LONG, /* 64 bits, paging on; RSI (Linux, x86/boot.rst) */
	START_FLAT, /* 32 bits, no paging; EBX (Xen's PVH) */
};

struct image_start {
	enum image_mode mode;
	gpa_t entry;
	gpa_t info; /* for the kernel: zero page, or start info */
	gpa_t gdt, page_table; /* START_LONG */
};

/* Selectors in that GDT (x86/boot.rst: __BOOT_CS and __BOOT_DS). */
#define IMAGE_CODE_SELECTOR 0x10
#define IMAGE_DATA_SELECTOR 0x18
#define IMAGE_GDT_LEN 0x20

/*
 * Bytes that the firmware asks for by fw_cfg: a numbered item, or a file with
 * a name. Not measured; the hashed ones are covered by the hash table part.
 */
struct image_item {
	uint16_t key; /* QEMU fw_cfg key; 0: a named file */
	char name[56]; /* "etc/e820" (fw_cfg file names are 56 bytes) */
	bool hashed;
	const uint8_t *bytes;
	size_t len;
};

struct image {
	struct image_part part[IMAGE_PARTS];
	size_t n_parts;
	struct image_item item[IMAGE_ITEMS];
	size_t n_items;
	struct image_start start; /* the first vCPU's */
	gpa_t secret; /* where a launch secret goes by default */
	uint64_t secret_len; /* 0: the firmware names no such area */
	void *owned[IMAGE_PARTS +
		    IMAGE_ITEMS]; /* buffers that image_close frees */
	size_t n_owned;
};

void image_open(struct image *im);
void image_close(struct image *im);

/* -ENOSPC: the list is full. bytes must live until image_close. */
int image_add_part(struct image *im, const struct image_part *p) MUST_USE;
int image_add_item(struct image *im, const struct image_item *it) MUST_USE;

/* Hands buf, from malloc, to the image. */
int image_own(struct image *im, void *buf) MUST_USE;

/*
 * Copies every part into m, adding a ROM region for each part that wants one
 * (on the first load; a second load of the same image, at reset, only copies).
 * -EFAULT: a part lies outside RAM; -EEXIST: ROM would overlap RAM.
 */
int image_load(const struct image *im, struct gmem *m) MUST_USE;

#endif
