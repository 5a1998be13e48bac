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
#include "boot/plan_steps.h"
#include "vmm/board_map.h"
#include "vmm/file.h"
#include "vmm/log.h"

void *plan_alloc(struct plan *p, size_t len)
{
	void *buf = calloc(1, len);

	if (buf && !image_own(p->im, buf))
		return buf;
	log_error("launch image: no memory for %zu bytes", len);
	free(buf);
	return NULL;
}

int plan_read(struct plan *p, const char *path, const char *what, uint64_t max,
	      struct plan_bytes *out)
{
	int rc = file_read(path, what, max, &out->at, &out->len);

	if (rc)
		return rc;
	rc = image_own(p->im, out->at);
	if (rc)
		free(out->at);
	return rc;
}

int plan_number(struct plan *p, enum plan_key key, size_t size, uint32_t v)
{
	struct image_item it = { .key = (uint16_t)key, .len = size };
	uint8_t *bytes = plan_alloc(p, size);

	if (!bytes)
		return -ENOMEM;
	put_le(bytes, size, v);
	it.bytes = bytes;
	return image_add_item(p->im, &it);
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
	int rc = plan_read(p, path, "firmware", BOARD_ROM_MAX, &p->firmware);

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

static int check_source(const struct boot_source *src)
{
	const char *stray = src->initrd		 ? "an initrd"
			    : src->cmdline	 ? "a command line"
			    : src->kernel_hashes ? "kernel-hashes=on"
						 : NULL;

	if (!src->firmware && (!src->kernel || !src->cpus)) {
		log_error("firmware: none given, nor a kernel that a VM could "
			  "start without one");
		return -EINVAL;
	}
	if (!src->firmware && src->kernel_hashes) {
		log_error("kernel-hashes=on needs a firmware that checks them");
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

static int plan_chapters(struct plan *p)
{
	int rc;

	if (!p->src->firmware)
		return plan_direct(p);
	rc = plan_firmware(p);
	if (!rc && p->src->kernel)
		rc = plan_kernel(p);
	if (!rc && p->src->cpus)
		rc = plan_board(p);
	return rc;
}

int boot_plan(struct image *im, const struct boot_source *src)
{
	struct plan p = { .im = im, .src = src };
	int rc;

	image_open(im);
	rc = check_source(src);
	if (!rc)
		rc = plan_chapters(&p);
	if (rc == -ENOSPC)
		log_error("launch image: it has too many parts");
	if (rc)
		image_close(im);
	return rc;
}
