/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_board: the tables that describe the board to the firmware. They are the
 * host's word: nothing here is measured.
 */
#include "boot/plan_steps.h"

#include <errno.h>

#include "boot/acpi.h"
#include "boot/e820.h"
#include "boot/smbios.h"

/* Everything that describes the board, in one allocation. */
struct board_tables {
	struct acpi acpi;
	struct smbios smbios;
	uint8_t e820[E820_MAX];
	size_t e820_len;
};

static int add_file(struct plan *p, const char *name, const uint8_t *bytes,
		    size_t len)
{
	struct image_item it = { .bytes = bytes, .len = len };

	bytes_copy(it.name, sizeof(it.name) - 1, name, strlen(name));
	return image_add_item(p->im, &it);
}

static int add_tables(struct plan *p, const struct board_tables *t)
{
	const struct acpi *a = &t->acpi;
	const struct smbios *s = &t->smbios;
	const struct {
		const char *name;
		const uint8_t *bytes;
		size_t len;
	} files[] = {
		{ E820_FILE, t->e820, t->e820_len },
		{ ACPI_FILE_TABLES, a->tables, a->tables_len },
		{ ACPI_FILE_RSDP, a->rsdp, sizeof(a->rsdp) },
		{ ACPI_FILE_LOADER, a->loader, a->loader_len },
		{ SMBIOS_FILE_TABLES, s->tables, s->tables_len },
		{ SMBIOS_FILE_ANCHOR, s->anchor, sizeof(s->anchor) },
	};
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(files) && !rc; i++)
		rc = add_file(p, files[i].name, files[i].bytes, files[i].len);
	return rc;
}

int plan_board(struct plan *p)
{
	const struct boot_source *src = p->src;
	const struct smbios_source smbios = { .name = src->name,
					      .cpus = src->cpus,
					      .ram_low = src->ram_low,
					      .ram_high = src->ram_high,
					      .efi = true };
	struct board_tables *t = plan_alloc(p, sizeof(*t));
	int rc;

	if (!t)
		return -ENOMEM;
	acpi_build(&t->acpi, src->cpus);
	smbios_build(&t->smbios, &smbios);
	t->e820_len = e820_build(t->e820, src->ram_low, src->ram_high);
	rc = add_tables(p, t);
	if (!rc)
		rc = plan_number(p, KEY_CPUS, 2, src->cpus);
	if (!rc)
		rc = plan_number(p, KEY_CPUS_MAX, 2, src->cpus);
	if (!rc)
		rc = plan_number(p, KEY_BOOT_MENU, 2, 0);
	return rc;
}
