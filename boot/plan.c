/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan: see the header. Order matters in one place only: measured parts are
 * measured in the order in which they are added, firmware first, then the
 * kernel hashes.
 */
#include "boot/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "boot/acpi.h"
#include "boot/bzimage.h"
#include "boot/e820.h"
#include "boot/firmware.h"
#include "boot/hashes.h"
#include "boot/smbios.h"
#include "vmm/board_map.h"
#include "vmm/file.h"
#include "vmm/log.h"

/* A kernel and an initrd of these sizes still fit the 32-bit fw_cfg items. */
#define KERNEL_MAX (256 * MIB)
#define INITRD_MAX (2 * GIB)

/* fw_cfg keys (QEMU, docs/specs/fw_cfg); sizes are u32, counts u16. */
enum key {
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

struct bytes {
	uint8_t *at;
	size_t len;
};

/* What is known while the plan is made. */
struct plan {
	struct image *im;
	const struct boot_source *src;
	struct firmware fw;
	const char *cmdline; /* never NULL */
	struct bytes firmware, kernel, initrd; /* owned by the image */
	struct bzimage bz;
};

/* Memory from calloc that lives as long as the image. */
static void *plan_alloc(struct plan *p, size_t len)
{
	void *buf = calloc(1, len);

	if (buf && !image_own(p->im, buf))
		return buf;
	log_error("launch image: no memory for %zu bytes", len);
	free(buf);
	return NULL;
}

static int read_owned(struct plan *p, const char *path, const char *what,
		      uint64_t max, struct bytes *out)
{
	int rc = file_read(path, what, max, &out->at, &out->len);

	if (rc)
		return rc;
	rc = image_own(p->im, out->at);
	if (rc)
		free(out->at);
	return rc;
}

static int add_item(struct plan *p, enum key key, bool hashed,
		    const uint8_t *bytes, size_t len)
{
	return image_add_item(p->im, &(struct image_item){ .key = (uint16_t)key,
							   .hashed = hashed,
							   .bytes = bytes,
							   .len = len });
}

static int add_number(struct plan *p, enum key key, size_t size, uint32_t v)
{
	uint8_t *bytes = plan_alloc(p, size);

	if (!bytes)
		return -ENOMEM;
	put_le(bytes, size, v);
	return add_item(p, key, false, bytes, size);
}

static int add_file(struct plan *p, const char *name, const uint8_t *bytes,
		    size_t len)
{
	struct image_item it = { .bytes = bytes, .len = len };

	bytes_copy(it.name, sizeof(it.name) - 1, name, strlen(name));
	return image_add_item(p->im, &it);
}

/* A size under one key and the bytes under another. */
static int add_blob(struct plan *p, enum key size, enum key data,
		    const uint8_t *bytes, size_t len)
{
	int rc = add_number(p, size, 4, (uint32_t)len);

	return rc ? rc : add_item(p, data, true, bytes, len);
}

/* The areas that SEV writes to must be RAM, if the board is known. */
static int check_area_ram(const struct plan *p, const struct firmware_area *a,
			  const char *what)
{
	const uint64_t ram = p->src->ram_low;

	if (ram == 0 || range_ok(a->base, a->size, ram))
		return 0;
	log_error("firmware %s: its %s area at %#" PRIx32 ", %" PRIu32
		  " bytes, is outside of the VM's RAM below 4 GiB (%" PRIu64
		  " bytes)",
		  p->src->firmware, what, a->base, a->size, ram);
	return -EINVAL;
}

static int plan_firmware(struct plan *p)
{
	const char *path = p->src->firmware, *why;
	struct image_part part = { .name = "firmware",
				   .kind = PART_MEASURED,
				   .rom = true };
	int rc = read_owned(p, path, "firmware", BOARD_ROM_MAX, &p->firmware);

	if (rc)
		return rc;
	rc = firmware_parse(&p->fw, p->firmware.at, p->firmware.len, &why);
	if (rc) {
		log_error("firmware %s: %s (%zu bytes)", path, why,
			  p->firmware.len);
		return rc;
	}
	rc = check_area_ram(p, &p->fw.secret, "secret");
	if (!rc)
		rc = check_area_ram(p, &p->fw.hashes, "hash");
	if (rc)
		return rc;
	p->im->secret = (gpa_t){ p->fw.secret.base };
	p->im->secret_len = p->fw.secret.size;
	part.at = (gpa_t){ BOARD_ROM_END - p->firmware.len };
	part.bytes = p->firmware.at;
	part.len = p->firmware.len;
	return image_add_part(p->im, &part);
}

static int read_kernel(struct plan *p)
{
	const struct boot_source *src = p->src;
	const char *why;
	int rc = read_owned(p, src->kernel, "kernel", KERNEL_MAX, &p->kernel);

	if (rc)
		return rc;
	rc = bzimage_parse(&p->bz, p->kernel.at, p->kernel.len, &why);
	if (rc) {
		log_error("kernel %s: %s", src->kernel, why);
		return rc;
	}
	if (!p->bz.efi_stub)
		log_warn("kernel %s: has no EFI stub; OVMF will not start it",
			 src->kernel);
	if (strlen(p->cmdline) > p->bz.cmdline_max) {
		log_error("command line: %zu bytes; kernel %s accepts at most "
			  "%" PRIu32,
			  strlen(p->cmdline), src->kernel, p->bz.cmdline_max);
		return -EINVAL;
	}
	if (src->initrd)
		rc = read_owned(p, src->initrd, "initrd", INITRD_MAX,
				&p->initrd);
	return rc;
}

static int check_fits(const struct plan *p)
{
	const uint64_t ram = p->src->ram_low + p->src->ram_high;
	const uint64_t need = (uint64_t)p->kernel.len + p->initrd.len;

	if (ram == 0 || need < ram)
		return 0;
	log_error("kernel and initrd: %" PRIu64 " bytes do not fit the VM's "
		  "memory of %" PRIu64,
		  need, ram);
	return -EINVAL;
}

/* As the firmware reads them: setup and rest make up the file unchanged. */
static int add_kernel_items(struct plan *p)
{
	const size_t setup = p->bz.setup_bytes;
	int rc;

	rc = add_blob(p, KEY_SETUP_SIZE, KEY_SETUP_DATA, p->kernel.at, setup);
	if (!rc)
		rc = add_blob(p, KEY_KERNEL_SIZE, KEY_KERNEL_DATA,
			      p->kernel.at + setup, p->kernel.len - setup);
	if (!rc)
		rc = add_blob(p, KEY_INITRD_SIZE, KEY_INITRD_DATA, p->initrd.at,
			      p->initrd.len);
	if (!rc)
		rc = add_blob(p, KEY_CMDLINE_SIZE, KEY_CMDLINE_DATA,
			      (const uint8_t *)p->cmdline,
			      strlen(p->cmdline) + 1);
	return rc;
}

static int check_hash_area(const struct plan *p)
{
	const struct firmware_area *a = &p->fw.hashes;

	if (a->size == 0) {
		log_error("firmware %s: has no area for kernel hashes; use an "
			  "AmdSev build of OVMF, or kernel-hashes=off",
			  p->src->firmware);
		return -EINVAL;
	}
	if (a->size < HASHES_LEN || a->base % 16) {
		log_error("firmware %s: its hash area at %#" PRIx32 ", %" PRIu32
			  " bytes, cannot take the table: %d bytes, aligned "
			  "to 16, are needed",
			  p->src->firmware, a->base, a->size, HASHES_LEN);
		return -EINVAL;
	}
	return 0;
}

static int plan_hashes(struct plan *p)
{
	const struct hashes_source src = { .kernel = p->kernel.at,
					   .kernel_len = p->kernel.len,
					   .initrd = p->initrd.at,
					   .initrd_len = p->initrd.len,
					   .cmdline = p->cmdline };
	struct image_part part = { .name = "kernel hashes",
				   .kind = PART_MEASURED,
				   .at = { p->fw.hashes.base },
				   .len = HASHES_LEN };
	int rc = check_hash_area(p);
	uint8_t *table;

	if (rc)
		return rc;
	table = plan_alloc(p, HASHES_LEN);
	if (!table)
		return -ENOMEM;
	rc = hashes_build(table, &src);
	if (rc) {
		log_error("kernel hashes: SHA-256 is not available");
		return rc;
	}
	part.bytes = table;
	return image_add_part(p->im, &part);
}

static int plan_kernel(struct plan *p)
{
	int rc = read_kernel(p);

	if (!rc)
		rc = check_fits(p);
	if (!rc)
		rc = add_kernel_items(p);
	if (!rc && p->src->kernel_hashes)
		rc = plan_hashes(p);
	return rc;
}

/* Everything that describes the board, in one allocation. */
struct board_tables {
	struct acpi acpi;
	struct smbios smbios;
	uint8_t e820[E820_MAX];
	size_t e820_len;
};

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

static int plan_board(struct plan *p)
{
	const struct boot_source *src = p->src;
	const struct smbios_source smbios = { .name = src->name,
					      .cpus = src->cpus,
					      .ram_low = src->ram_low,
					      .ram_high = src->ram_high };
	struct board_tables *t = plan_alloc(p, sizeof(*t));
	int rc;

	if (!t)
		return -ENOMEM;
	acpi_build(&t->acpi, src->cpus);
	smbios_build(&t->smbios, &smbios);
	t->e820_len = e820_build(t->e820, src->ram_low, src->ram_high);
	rc = add_tables(p, t);
	if (!rc)
		rc = add_number(p, KEY_CPUS, 2, src->cpus);
	if (!rc)
		rc = add_number(p, KEY_CPUS_MAX, 2, src->cpus);
	if (!rc)
		rc = add_number(p, KEY_BOOT_MENU, 2, 0);
	return rc;
}

static int check_source(const struct boot_source *src)
{
	const char *stray = src->initrd		 ? "an initrd"
			    : src->cmdline	 ? "a command line"
			    : src->kernel_hashes ? "kernel-hashes=on"
						 : NULL;

	if (!src->firmware) {
		log_error("firmware: none given; the board starts from one");
		return -EINVAL;
	}
	if (!src->kernel && stray) {
		log_error("%s needs a kernel to go with", stray);
		return -EINVAL;
	}
	if (src->cpus > ACPI_CPUS_MAX) {
		log_error("cpus: %u; at most %d are accepted", src->cpus,
			  ACPI_CPUS_MAX);
		return -EINVAL;
	}
	return 0;
}

/* The caller's text may go away: the image keeps its own. */
static int copy_cmdline(struct plan *p)
{
	const char *text = p->src->cmdline ? p->src->cmdline : "";
	const size_t len = strlen(text) + 1;
	char *copy = plan_alloc(p, len);

	if (!copy)
		return -ENOMEM;
	bytes_copy(copy, len, text, len);
	p->cmdline = copy;
	return 0;
}

int boot_plan(struct image *im, const struct boot_source *src)
{
	struct plan p = { .im = im, .src = src };
	int rc;

	image_open(im);
	rc = check_source(src);
	if (!rc)
		rc = plan_firmware(&p);
	if (!rc && src->kernel)
		rc = copy_cmdline(&p);
	if (!rc && src->kernel)
		rc = plan_kernel(&p);
	if (!rc && src->cpus)
		rc = plan_board(&p);
	if (rc == -ENOSPC)
		log_error("launch image: it has too many parts");
	if (rc)
		image_close(im);
	return rc;
}
