/* SPDX-License-Identifier: Apache-2.0 */
/*
 * board_map: where everything of the q35-like board sits. devices/ answers at
 * these addresses and boot/ describes them to the firmware (ACPI, e820), so
 * both read the one table here; docs/memory-map.md explains it.
 */
#ifndef CARREL_VMM_BOARD_MAP_H
#define CARREL_VMM_BOARD_MAP_H

/*
 * Guest-physical addresses. RAM is below GMEM_LOW_MAX and from GMEM_HIGH_BASE
 * up (vmm/gmem.h). The ECAM base is where OVMF programs PCIEXBAR; the guest
 * may move it, the tables follow the firmware we run.
 */
#define BOARD_ECAM_BASE 0xe0000000u
#define BOARD_ECAM_SIZE 0x10000000u /* 256 buses of 1 MiB; bus 0 answers */
#define BOARD_MMIO_LOW_BASE 0x80000000u /* 32-bit BARs: below the ECAM ... */
#define BOARD_MMIO_LOW_END 0xe0000000u
#define BOARD_MMIO_HIGH_BASE 0xf0000000u /* ... and above it */
#define BOARD_MMIO_HIGH_END 0xfc000000u
#define BOARD_IOAPIC_BASE 0xfec00000u
#define BOARD_LAPIC_BASE 0xfee00000u
#define BOARD_KVM_TSS_BASE 0xfeffd000u /* 3 pages that VMX on old hosts wants */
#define BOARD_KVM_IDENTITY_BASE 0xfeffc000u
#define BOARD_ROM_END 0x100000000ull /* the firmware image ends here */
#define BOARD_ROM_MIN 0x10000u
#define BOARD_ROM_MAX 0x1000000u /* 0xff000000: above the local APICs */

/* Ports. */
#define BOARD_PORT_RTC 0x70 /* 2: index, data */
#define BOARD_PORT_RESET_A 0x92 /* system control port A */
#define BOARD_PORT_KBC 0x64 /* answers the reset command only */
#define BOARD_PORT_BOOTMARK 0xf4 /* a guest says how far it is */
#define BOARD_PORT_SERIAL 0x3f8 /* 8: COM1 */
#define BOARD_PORT_DEBUGCON 0x402
#define BOARD_PORT_PVPANIC 0x505
#define BOARD_PORT_FWCFG 0x510 /* 12: selector, data, DMA */
#define BOARD_PORT_FWCFG_SIZE 12
#define BOARD_PORT_PCI_ADDR 0xcf8
#define BOARD_PORT_RESET 0xcf9
#define BOARD_PORT_PCI_DATA 0xcfc

/*
 * The ICH9 power-management block at PMBASE (ICH9 datasheet, 13.8.3) and the
 * fixed ACPI hardware in it. The FADT names the addresses below.
 */
#define BOARD_PMBASE 0x600
#define BOARD_PM_SIZE 0x80
#define BOARD_PM1A_EVT 0x600 /* 4: status, enable */
#define BOARD_PM1A_CNT 0x604 /* 2 */
#define BOARD_PM_TIMER 0x608 /* 4: 24 bits at 3.579545 MHz */
#define BOARD_GPE0 0x620 /* 16: read as 0; no event, so not in the FADT */
#define BOARD_SLP_TYP_S5 0 /* PM1_CNT.SLP_TYP for soft-off */

/* The value that resets when written to BOARD_PORT_RESET. */
#define BOARD_RESET_VALUE 0x06

/* Interrupt lines (GSIs). The timer's ISA line 0 arrives on GSI 2. */
#define BOARD_IRQ_TIMER_GSI 2
#define BOARD_IRQ_SERIAL 4
#define BOARD_IRQ_RTC 8
#define BOARD_IRQ_SCI 9 /* level, active high */

/* PCI functions on bus 0: slot << 3 | function. */
#define BOARD_DEVFN_MCH 0x00 /* 8086:29c0 */
#define BOARD_DEVFN_LPC 0xf8 /* 8086:2918, slot 31 */

/* Vendor and device of the host bridge: OVMF picks q35 by them. */
#define BOARD_PCI_INTEL 0x8086
#define BOARD_PCI_MCH 0x29c0
#define BOARD_PCI_LPC 0x2918

#endif
