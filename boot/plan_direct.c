/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_direct: a start without firmware. What a firmware would find out and
 * pass on is put into memory next to the kernel, and the first vCPU begins in
 * the kernel, by the protocol that the kind of file has: a bzImage by Linux's
 * 64-bit one, an ELF file by PVH.
 */
#include "boot/plan_steps.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#include "boot/acpi.h"
#include "boot/e820.h"
#include "boot/elf.h"
#include "boot/layout.h"
#include "boot/loader.h"
#include "boot/pvh.h"
#include "boot/smbios.h"
#include "boot/x86state.h"
#include "boot/zeropage.h"
#include "vmm/log.h"

/* A vmlinux with its symbols is large; they are read, and not loaded. */
#define KERNEL_MAX (1 * GIB)

/* Linux cuts longer ones off (COMMAND_LINE_SIZE), NUL included. */
#define PVH_CMDLINE_MAX 2047u

/* What the steps find out. */
struct direct {
	struct plan *p;
	bool is_elf;
	struct elf elf;
	uint64_t begin, end; /* the kernel's memory while it starts */
	uint64_t initrd_end; /* the initrd must end here or below */
	uint32_t initrd;
	uint8_t e820[E820_MAX];
	size_t e820_len;
};

static int add_part(struct plan *p, const char *name, uint64_t at,
		    const uint8_t *bytes, size_t len)
{
	const struct image_part part = { .name = name,
					 .kind = PART_PLAIN,
					 .at = { at },
					 .bytes = bytes,
					 .len = len };

	return image_add_part(p->im, &part);
}

static int parse_elf(struct direct *d, const char **why)
{
	const struct plan *p = d->p;
	int rc = elf_parse(&d->elf, p->kernel.at, p->kernel.len, why);

	if (rc)
		return rc;
	d->begin = d->elf.begin;
	d->end = d->elf.end;
	d->initrd_end = p->src->ram_low;
	return 0;
}

static int parse_bzimage(struct direct *d, const char **why)
{
	struct plan *p = d->p;
	int rc = bzimage_parse(&p->bz, p->kernel.at, p->kernel.len, why);
	uint64_t size;

	if (rc)
		return rc;
	*why = "it has no 64-bit entry point; with --firmware it may start";
	if (!p->bz.entry64)
		return -EINVAL;
	*why = "the address at which it wants to run is impossible";
	size = max_u64(p->bz.init_size, p->kernel.len - p->bz.setup_bytes);
	if (!add_u64(p->bz.load_at, size, &d->end))
		return -EINVAL;
	d->begin = p->bz.load_at;
	d->initrd_end = min_u64(p->src->ram_low, p->bz.initrd_max + 1ull);
	return 0;
}

static int check_room(const struct direct *d)
{
	const struct boot_source *src = d->p->src;

	if (d->begin < LAYOUT_KERNEL) {
		log_error("kernel %s: wants to be at %#" PRIx64
			  "; below 1 MiB is no room for it",
			  src->kernel, d->begin);
		return -EINVAL;
	}
	if (d->begin > d->end || d->end > src->ram_low) {
		log_error("kernel %s: starts in the memory from %#" PRIx64
			  " to %#" PRIx64 "; the VM has %" PRIu64
			  " bytes below 4 GiB, see --memory",
			  src->kernel, d->begin, d->end, src->ram_low);
		return -EINVAL;
	}
	return 0;
}

static int check_cmdline(const struct direct *d)
{
	const struct plan *p = d->p;
	const size_t len = strlen(p->cmdline);
	const uint32_t max = d->is_elf ? PVH_CMDLINE_MAX : p->bz.cmdline_max;

	if (len <= max && len < LAYOUT_CMDLINE_MAX)
		return 0;
	log_error("command line: %zu bytes; kernel %s accepts at most %" PRIu32,
		  len, p->src->kernel,
		  (uint32_t)min_u64(max, LAYOUT_CMDLINE_MAX - 1));
	return -EINVAL;
}

static int read_kernel(struct direct *d)
{
	struct plan *p = d->p;
	const char *why;
	int rc = plan_read(p, p->src->kernel, "kernel", KERNEL_MAX, &p->kernel);

	if (rc)
		return rc;
	d->is_elf = elf_is(p->kernel.at, p->kernel.len);
	rc = d->is_elf ? parse_elf(d, &why) : parse_bzimage(d, &why);
	if (rc) {
		log_error("kernel %s: %s", p->src->kernel, why);
		return rc;
	}
	rc = check_room(d);
	return rc ? rc : check_cmdline(d);
}

static int add_elf(struct direct *d)
{
	struct plan *p = d->p;
	int rc = 0;

	for (size_t i = 0; !rc && i < d->elf.n; i++) {
		const struct elf_segment *s = &d->elf.segment[i];
		const struct image_part part = { .name = "kernel",
						 .kind = PART_PLAIN,
						 .at = { s->at },
						 .bytes = p->kernel.at + s->off,
						 .len = s->len,
						 .zeros = s->zeros };

		rc = image_add_part(p->im, &part);
	}
	return rc;
}

static int add_kernel(struct direct *d)
{
	struct plan *p = d->p;
	const size_t setup = p->bz.setup_bytes;

	if (d->is_elf)
		return add_elf(d);
	return add_part(p, "kernel", p->bz.load_at, p->kernel.at + setup,
			p->kernel.len - setup);
}

/* As high as it may be: a kernel that moves itself finds room below it. */
static int add_initrd(struct direct *d)
{
	struct plan *p = d->p;
	uint64_t at;
	int rc;

	if (!p->src->initrd)
		return 0;
	rc = plan_read(p, p->src->initrd, "initrd", PLAN_INITRD_MAX,
		       &p->initrd);
	if (rc)
		return rc;
	at = d->initrd_end - min_u64(d->initrd_end, p->initrd.len);
	at &= ~(GMEM_PAGE - 1);
	if (at < d->end) {
		log_error("initrd %s: its %zu bytes do not fit between the "
			  "kernel's end, %#" PRIx64 ", and %#" PRIx64
			  "; see --memory",
			  p->src->initrd, p->initrd.len, d->end, d->initrd_end);
		return -EINVAL;
	}
	d->initrd = (uint32_t)at;
	return add_part(p, "initrd", at, p->initrd.at, p->initrd.len);
}

/* Bytes of ours, in a part of their own that is filled by the caller. */
static uint8_t *add_own(struct plan *p, const char *name, uint64_t at,
			size_t len, int *rc)
{
	uint8_t *bytes = plan_alloc(p, len);

	*rc = bytes ? add_part(p, name, at, bytes, len) : -ENOMEM;
	return *rc ? NULL : bytes;
}

static void put_acpi(uint8_t *tables, struct acpi *a)
{
	const struct loader_file files[] = {
		{ ACPI_FILE_RSDP, a->rsdp, sizeof(a->rsdp), LAYOUT_RSDP },
		{ ACPI_FILE_TABLES, a->tables, a->tables_len, LAYOUT_ACPI },
	};

	static_assert(LAYOUT_ACPI + ACPI_TABLES_MAX <= LAYOUT_SMBIOS, "");
	static_assert(LAYOUT_RSDP + ACPI_RSDP_LEN <= LAYOUT_SMBIOS_ANCHOR, "");
	loader_run(a->loader, a->loader_len, files, ARRAY_LEN(files));
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		bytes_copy(tables + (files[i].at - LAYOUT_RSDP), files[i].len,
			   files[i].bytes, files[i].len);
}

static void put_smbios(uint8_t *tables, struct smbios *s)
{
	static_assert(LAYOUT_SMBIOS + SMBIOS_TABLES_MAX <= LAYOUT_KERNEL, "");
	smbios_place(s, LAYOUT_SMBIOS);
	bytes_copy(tables + (LAYOUT_SMBIOS - LAYOUT_RSDP), s->tables_len,
		   s->tables, s->tables_len);
	bytes_copy(tables + (LAYOUT_SMBIOS_ANCHOR - LAYOUT_RSDP),
		   sizeof(s->anchor), s->anchor, sizeof(s->anchor));
}

/* The tables that a firmware would get over fw_cfg, where it would put them. */
static int add_tables(struct direct *d)
{
	const struct boot_source *src = d->p->src;
	const struct smbios_source board = { .name = src->name,
					     .cpus = src->cpus,
					     .ram_low = src->ram_low,
					     .ram_high = src->ram_high };
	struct acpi acpi;
	struct smbios smbios;
	int rc;
	uint8_t *tables = add_own(d->p, "board tables", LAYOUT_RSDP,
				  LAYOUT_KERNEL - LAYOUT_RSDP, &rc);

	if (!tables)
		return rc;
	acpi_build(&acpi, src->cpus);
	put_acpi(tables, &acpi);
	smbios_build(&smbios, &board);
	put_smbios(tables, &smbios);
	d->e820_len = e820_build_direct(d->e820, src->ram_low, src->ram_high);
	return 0;
}

static int start_pvh(struct direct *d)
{
	struct plan *p = d->p;
	const struct pvh_source src = { .at = LAYOUT_INFO,
					.e820 = d->e820,
					.e820_len = d->e820_len,
					.cmdline = LAYOUT_CMDLINE,
					.initrd = d->initrd,
					.initrd_len = (uint32_t)p->initrd.len,
					.rsdp = LAYOUT_RSDP };
	int rc;
	uint8_t *page = add_own(p, "PVH start info", LAYOUT_INFO, PVH_LEN, &rc);

	if (!page)
		return rc;
	pvh_build(page, &src);
	p->im->start = (struct image_start){ .mode = START_FLAT,
					     .entry = { d->elf.entry },
					     .info = { LAYOUT_INFO } };
	return 0;
}

static int start_linux(struct direct *d)
{
	struct plan *p = d->p;
	const struct zeropage_source src = {
		.kernel = p->kernel.at,
		.bz = &p->bz,
		.e820 = d->e820,
		.e820_len = d->e820_len,
		.cmdline = LAYOUT_CMDLINE,
		.initrd = d->initrd,
		.initrd_len = (uint32_t)p->initrd.len,
		.rsdp = LAYOUT_RSDP,
	};
	int rc;
	uint8_t *page = add_own(p, "zero page", LAYOUT_INFO, ZEROPAGE_LEN, &rc);
	uint8_t *state = page ? add_own(p, "page tables", LAYOUT_STATE,
					X86STATE_LEN, &rc)
			      : NULL;

	if (!state)
		return rc;
	zeropage_build(page, &src);
	x86state_build(state, LAYOUT_STATE);
	p->im->start = (struct image_start){
		.mode = START_LONG,
		.entry = { p->bz.load_at + BZIMAGE_ENTRY64 },
		.info = { LAYOUT_INFO },
		.gdt = { LAYOUT_STATE + X86STATE_GDT },
		.page_table = { LAYOUT_STATE + X86STATE_PML4 },
	};
	return 0;
}

int plan_direct(struct plan *p)
{
	struct direct d = { .p = p };
	int rc = plan_cmdline(p);

	if (!rc)
		rc = read_kernel(&d);
	if (!rc)
		rc = add_kernel(&d);
	if (!rc)
		rc = add_initrd(&d);
	if (!rc)
		rc = add_part(p, "command line", LAYOUT_CMDLINE,
			      (const uint8_t *)p->cmdline,
			      strlen(p->cmdline) + 1);
	if (!rc)
		rc = add_tables(&d);
	if (!rc)
		rc = d.is_elf ? start_pvh(&d) : start_linux(&d);
	return rc;
}
