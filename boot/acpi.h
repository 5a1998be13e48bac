/* SPDX-License-Identifier: Apache-2.0 */
/*
 * acpi: the board's ACPI tables, as the three fw_cfg files that OVMF installs
 * them from: all tables in one piece with pointers relative to its start, the
 * RSDP, and a script that says which fields become addresses and which bytes
 * are checksums once the firmware has chosen where the pieces go. Built from
 * our own numbers only; no guest or file has a say.
 */
#ifndef CARREL_BOOT_ACPI_H
#define CARREL_BOOT_ACPI_H

#include <stdint.h>

#include "vmm/num.h"

#define ACPI_CPUS_MAX 64
#define ACPI_TABLES_MAX 4096
#define ACPI_RSDP_LEN 36
#define ACPI_COMMAND_LEN 128 /* one command of the loader script */
#define ACPI_COMMANDS 12

#define ACPI_FILE_TABLES "etc/acpi/tables"
#define ACPI_FILE_RSDP "etc/acpi/rsdp"
#define ACPI_FILE_LOADER "etc/table-loader"

struct acpi {
	uint8_t tables[ACPI_TABLES_MAX];
	size_t tables_len;
	uint8_t rsdp[ACPI_RSDP_LEN];
	uint8_t loader[ACPI_COMMANDS * ACPI_COMMAND_LEN];
	size_t loader_len;
};

/* cpus: 1 to ACPI_CPUS_MAX, with local APIC identifiers 0 to cpus - 1. */
void acpi_build(struct acpi *a, unsigned cpus);

#endif
