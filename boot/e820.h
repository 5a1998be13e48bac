/* SPDX-License-Identifier: Apache-2.0 */
/*
 * e820: the map from which OVMF, by fw_cfg, or a kernel that starts without
 * firmware learns where RAM is. For OVMF the ECAM window is left out on
 * purpose: it reserves that itself where it puts PCIEXBAR.
 */
#ifndef CARREL_BOOT_E820_H
#define CARREL_BOOT_E820_H

#include <stdint.h>

#include "vmm/num.h"

#define E820_FILE "etc/e820"
#define E820_ENTRY_LEN 20
#define E820_MAX (6 * E820_ENTRY_LEN)

/* Bytes of RAM from 0 up and from 4 GiB up; returns the length of the map. */
size_t e820_build(uint8_t map[E820_MAX], uint64_t ram_low, uint64_t ram_high);

/* The same for a kernel: nothing but this map tells it what is taken. */
size_t e820_build_direct(uint8_t map[E820_MAX], uint64_t ram_low,
			 uint64_t ram_high);

#endif
