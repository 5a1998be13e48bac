/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fwcfg: the firmware configuration device, in QEMU's interface version 3
 * (QEMU docs/specs/fw_cfg.rst): numbered items and a directory of named files,
 * read byte by byte through a port or by DMA. The guest writes nothing here.
 * Selector, DMA address and descriptor are the guest's and hostile; items are
 * ours, borrowed, and never change once the guest runs.
 */
#ifndef CARREL_DEVICES_FWCFG_H
#define CARREL_DEVICES_FWCFG_H

#include <stdint.h>

#include "vmm/bus.h"
#include "vmm/gmem.h"
#include "vmm/image.h"

#define FWCFG_ITEMS 64
#define FWCFG_NAME 56 /* with its NUL */
#define FWCFG_FILES (FWCFG_ITEMS - 3)
#define FWCFG_DIR_ENTRY 64

/* Keys that QEMU numbers and firmware asks for. */
#define FWCFG_KEY_CPUS 0x05
#define FWCFG_KEY_BOOT_MENU 0x0e
#define FWCFG_KEY_CPUS_MAX 0x0f

struct fwcfg_item {
	uint16_t key;
	uint32_t len;
	const uint8_t *bytes; /* NULL: in small */
	uint8_t small[8];
};

struct fwcfg {
	const struct gmem *mem;
	struct bus *pio;
	struct fwcfg_item item[FWCFG_ITEMS];
	size_t n;
	size_t n_files;
	uint8_t dir[4 + FWCFG_FILES * FWCFG_DIR_ENTRY];
	uint16_t key; /* selected; perhaps of no item */
	uint32_t pos; /* in the selected item, <= its length */
	uint64_t dma; /* address of the descriptor, as written so far */
	bool warned;
	/* When the kernel and the initrd were first asked for; 0: not yet. */
	uint64_t asked_ns[2];
	bool told[2]; /* that they were read to their end */
};

/* Signature, interface version and an empty directory. */
void fwcfg_open(struct fwcfg *f, const struct gmem *mem);

/*
 * An item by number, or with name != NULL a file (key is then ignored: files
 * are numbered from 0x20 in order). bytes are borrowed. -EEXIST: the key or
 * name is taken; -ENAMETOOLONG, -EINVAL: name; -EFBIG: 4 GiB or more; -ENOSPC.
 */
int fwcfg_add(struct fwcfg *f, uint16_t key, const char *name,
	      const uint8_t *bytes, size_t len) MUST_USE;

/* A little-endian number of 2, 4 or 8 bytes, kept inside the device. */
int fwcfg_add_number(struct fwcfg *f, uint16_t key, uint64_t v,
		     size_t len) MUST_USE;

/* Every item of an image; -errno of the first that does not fit. */
int fwcfg_add_image(struct fwcfg *f, const struct image *im) MUST_USE;

int fwcfg_attach(struct fwcfg *f, struct bus *pio) MUST_USE;
void fwcfg_reset(struct fwcfg *f);
void fwcfg_close(struct fwcfg *f);

#endif
