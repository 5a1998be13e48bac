/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout: where a start without firmware puts things in guest memory. All of
 * it lies below 1 MiB, which is why a kernel must not; the initrd goes to the
 * top of the RAM below 4 GiB. docs/memory-map.md shows it as a table.
 */
#ifndef CARREL_BOOT_LAYOUT_H
#define CARREL_BOOT_LAYOUT_H

#define LAYOUT_STATE 0x1000u /* GDT and page tables: x86state.h */
#define LAYOUT_INFO 0x8000u /* zero page, or PVH's start info: one page */
#define LAYOUT_CMDLINE 0x10000u
#define LAYOUT_CMDLINE_MAX 0x10000u /* bytes, NUL included */
#define LAYOUT_LOW_END 0xa0000u /* of RAM; then what PCs had for video */

/*
 * ACPI and SMBIOS: systems without EFI look for both entry points here, on
 * 16-byte boundaries (ACPI 6.4, 5.2.5.1; SMBIOS 3.0, 5.2.2).
 */
#define LAYOUT_RSDP 0xf0000u
#define LAYOUT_SMBIOS_ANCHOR 0xf0040u
#define LAYOUT_ACPI 0xf1000u
#define LAYOUT_SMBIOS 0xf8000u

#define LAYOUT_KERNEL 0x100000u /* a kernel is here or above */

#endif
