/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smbios: the inventory that a guest's tools read (SMBIOS 3.0), as the two
 * fw_cfg files that OVMF installs it from. Only the VM's name comes from
 * outside; it is cut and made printable.
 */
#ifndef CARREL_BOOT_SMBIOS_H
#define CARREL_BOOT_SMBIOS_H

#include <stdint.h>

#include "vmm/num.h"

#define SMBIOS_FILE_TABLES "etc/smbios/smbios-tables"
#define SMBIOS_FILE_ANCHOR "etc/smbios/smbios-anchor"

#define SMBIOS_ANCHOR_LEN 24
#define SMBIOS_TABLES_MAX 1024
#define SMBIOS_NAME_MAX 64

struct smbios {
	uint8_t tables[SMBIOS_TABLES_MAX];
	size_t tables_len;
	uint8_t anchor[SMBIOS_ANCHOR_LEN];
};

struct smbios_source {
	const char *name; /* of the VM: the serial number; may be NULL */
	unsigned cpus; /* 1 to 255 */
	uint64_t ram_low, ram_high; /* bytes below and above 4 GiB */
	bool efi; /* a firmware runs, and it is an EFI one */
};

void smbios_build(struct smbios *s, const struct smbios_source *src);

/* Says in the anchor where the tables are, which a firmware would do. */
void smbios_place(struct smbios *s, uint64_t tables_at);

#endif
