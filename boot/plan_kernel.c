/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_kernel: a kernel, its initrd and command line for the firmware to read
 * over fw_cfg, and the table of their hashes for it to check them by.
 */
#include "boot/plan_steps.h"

#include <errno.h>
#include <inttypes.h>

#include "boot/hashes.h"
#include "vmm/log.h"

#define KERNEL_MAX (256 * MIB)

int plan_cmdline(struct plan *p)
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

static int read_kernel(struct plan *p)
{
	const struct boot_source *src = p->src;
	const char *why;
	int rc = plan_read(p, src->kernel, "kernel", KERNEL_MAX, &p->kernel);

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
		rc = plan_read(p, src->initrd, "initrd", PLAN_INITRD_MAX,
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

/* A size under one key and the bytes under another. */
static int add_pair(struct plan *p, enum plan_key size, enum plan_key data,
		    const uint8_t *bytes, size_t len)
{
	const struct image_item it = { .key = (uint16_t)data,
				       .hashed = p->src->kernel_hashes,
				       .bytes = bytes,
				       .len = len };
	int rc = plan_number(p, size, 4, (uint32_t)len);

	return rc ? rc : image_add_item(p->im, &it);
}

/* As the firmware reads them: setup and rest make up the file unchanged. */
static int add_items(struct plan *p)
{
	const size_t setup = p->bz.setup_bytes;
	int rc;

	rc = add_pair(p, KEY_SETUP_SIZE, KEY_SETUP_DATA, p->kernel.at, setup);
	if (!rc)
		rc = add_pair(p, KEY_KERNEL_SIZE, KEY_KERNEL_DATA,
			      p->kernel.at + setup, p->kernel.len - setup);
	if (!rc)
		rc = add_pair(p, KEY_INITRD_SIZE, KEY_INITRD_DATA, p->initrd.at,
			      p->initrd.len);
	if (!rc)
		rc = add_pair(p, KEY_CMDLINE_SIZE, KEY_CMDLINE_DATA,
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

static int add_hashes(struct plan *p)
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
	hashes_build(table, &src);
	part.bytes = table;
	return image_add_part(p->im, &part);
}

int plan_kernel(struct plan *p)
{
	int rc = plan_cmdline(p);

	if (!rc)
		rc = read_kernel(p);
	if (!rc)
		rc = check_fits(p);
	if (!rc)
		rc = add_items(p);
	if (!rc && p->src->kernel_hashes)
		rc = add_hashes(p);
	return rc;
}
