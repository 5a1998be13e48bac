/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_steps: what the chapters of boot_plan share. plan.c is the recipe and
 * the firmware, plan_kernel.c the kernel that is handed over, plan_board.c the
 * tables that describe the board, plan_direct.c a kernel without a firmware.
 * Only these four include this.
 */
#ifndef CARREL_BOOT_PLAN_STEPS_H
#define CARREL_BOOT_PLAN_STEPS_H

#include "boot/bzimage.h"
#include "boot/firmware.h"
#include "boot/plan.h"

/* fw_cfg keys (QEMU, docs/specs/fw_cfg.rst); sizes are u32, counts u16. */
enum plan_key {
	KEY_CPUS = 0x05,
	KEY_KERNEL_SIZE = 0x08,
	KEY_INITRD_SIZE = 0x0b,
	KEY_BOOT_MENU = 0x0e,
	KEY_CPUS_MAX = 0x0f,
	KEY_KERNEL_DATA = 0x11,
	KEY_INITRD_DATA = 0x12,
	KEY_CMDLINE_SIZE = 0x14,
	KEY_CMDLINE_DATA = 0x15,
	KEY_SETUP_SIZE = 0x17,
	KEY_SETUP_DATA = 0x18,
};

struct plan_bytes {
	uint8_t *at;
	size_t len;
};

/* What is known while the plan is made; buffers belong to the image. */
struct plan {
	struct image *im;
	const struct boot_source *src;
	struct firmware fw;
	struct plan_bytes firmware, kernel, initrd;
	struct bzimage bz;
	const char *cmdline; /* never NULL once there is a kernel */
};

/* Zeroed memory that lives as long as the image; NULL after a log line. */
void *plan_alloc(struct plan *p, size_t len);

/* file_read (vmm/file.h) into a buffer of the image. */
int plan_read(struct plan *p, const char *path, const char *what, uint64_t max,
	      struct plan_bytes *out) MUST_USE;

/* An item that holds a number of size bytes. */
int plan_number(struct plan *p, enum plan_key key, size_t size,
		uint32_t v) MUST_USE;

/* An initrd of this size still fits the 32-bit fields that tell of it. */
#define PLAN_INITRD_MAX (2 * GIB)

/* The caller's command line may go away: the image gets one of its own. */
int plan_cmdline(struct plan *p) MUST_USE;

/* Chapters: 0, or -errno after one log line. */
int plan_kernel(struct plan *p) MUST_USE;
int plan_board(struct plan *p) MUST_USE;
int plan_direct(struct plan *p) MUST_USE;

#endif
