/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan: files in, launch image out. All files are hostile: an owner's tool and
 * a VMM read the same ones, and neither may be led astray by a length that
 * lies. Never touches guest memory; the caller loads, or hashes, the result.
 */
#ifndef CARREL_BOOT_PLAN_H
#define CARREL_BOOT_PLAN_H

#include "vmm/image.h"

struct boot_source {
	const char *firmware; /* path; NULL: the kernel starts by itself */
	const char *kernel, *initrd; /* paths or NULL */
	const char *cmdline; /* text or NULL */
	bool kernel_hashes; /* measured table of the three hashes */
	/* The board, for tables that describe it; cpus = 0: leave them out. */
	uint64_t ram_low, ram_high; /* bytes below and above 4 GiB */
	unsigned cpus;
	const char *name; /* of the VM, for SMBIOS; may be NULL */
};

/* 0, or -errno after one log line; im is then empty and closed. */
int boot_plan(struct image *im, const struct boot_source *src) MUST_USE;

#endif
