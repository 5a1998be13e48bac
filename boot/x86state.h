/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x86state: what in memory the first instruction needs when no firmware has
 * run: descriptors, and page tables that map the first 4 GiB to themselves in
 * pages of 2 MiB. The registers that point here are vmm/vcpu_start.c's.
 */
#ifndef CARREL_BOOT_X86STATE_H
#define CARREL_BOOT_X86STATE_H

#include <stdint.h>

#define X86STATE_GDT 0x0000u /* offsets from where the block is loaded */
#define X86STATE_PML4 0x1000u
#define X86STATE_LEN 0x7000u

/* base: where the block will be, on a page boundary. */
void x86state_build(uint8_t state[X86STATE_LEN], uint32_t base);

#endif
