/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_direct_test: from files to a guest's memory, without a firmware.
 * Refusals first: each must leave an empty image. Then what is accepted is
 * loaded, and read as a kernel would read it: from the first vCPU's registers.
 */
#include "boot/plan.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/capture.h"
#include "tests/unit/elf_rig.h"
#include "tests/unit/plan_rig.h"

#define KERNEL_LEN 0x3000u
#define SETUP_LEN 0x1000u
#define ELF_LEN 0x1000u
#define RAM (64 * MIB)

static uint8_t kernel[KERNEL_LEN], elf[ELF_LEN];

/* A kernel of which one field is v; the field is as it was afterwards. */
static void write_edited(const char *name, size_t at, size_t len, uint64_t v)
{
	const uint64_t was = get_le(kernel + at, len);

	put_le(kernel + at, len, v);
	write_file(name, kernel, KERNEL_LEN);
	put_le(kernel + at, len, was);
}

static void make_kernel(void)
{
	for (size_t i = 0; i < KERNEL_LEN; i++)
		kernel[i] = (uint8_t)(i * 7 + 1);
	kernel[0x1f1] = SETUP_LEN / 512 - 1;
	put_le32(kernel + 0x1f4, (KERNEL_LEN - SETUP_LEN) / 16);
	put_le16(kernel + 0x1fe, 0xaa55);
	put_le16(kernel + 0x200, 0x6aeb);
	bytes_copy(kernel + 0x202, 4, "HdrS", 4);
	put_le16(kernel + 0x206, 0x020f);
	kernel[0x211] = 0x81; /* a lying CAN_USE_HEAP */
	put_le32(kernel + 0x22c, 0x7fffffff);
	put_le16(kernel + 0x236, 0x7f);
	put_le32(kernel + 0x238, 20);
	put_le64(kernel + 0x258, 16 * MIB);
	put_le32(kernel + 0x260, 32 * MIB);
}

static void make_elf(uint64_t at)
{
	put_ehdr(elf, 3);
	put_phdr(elf + 64, 1, 0x200, at, 0x100, 0x100);
	put_phdr(elf + 120, 1, 0x300, 32 * MIB, 0x100, 0x2000);
	put_phdr(elf + 176, 4, 0x400, 0, 24, 24);
	memset(elf + 0x200, 0xc3, 0x200);
	put_le32(elf + 0x400, 4);
	put_le32(elf + 0x404, 8);
	put_le32(elf + 0x408, 18);
	bytes_copy(elf + 0x40c, 4, "Xen", 4);
	put_le64(elf + 0x410, at + 0x40);
}

static int make_files(void **state)
{
	static const uint8_t big[24 * MIB];

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	make_kernel();
	write_file("kernel", kernel, KERNEL_LEN);
	write_file("half", kernel, KERNEL_LEN - 16);
	write_edited("old", 0x206, 2, 0x20b);
	write_edited("32-bit", 0x236, 2, 0);
	write_edited("short", 0x201, 1, 0x61);
	write_edited("low", 0x258, 8, MIB - 1);
	write_edited("wraps", 0x258, 8, ~0ull - 10);
	write_edited("high", 0x258, 8, 4 * GIB);
	write_edited("large", 0x260, 4, 48 * MIB + 1);
	write_edited("largest", 0x260, 4, 48 * MIB);
	write_edited("liar", 0x260, 4, 0);
	write_edited("low-initrd", 0x22c, 4, 50 * MIB - 1);
	write_edited("no-initrd", 0x22c, 4, 0);
	make_elf(MIB - 1);
	write_file("elf-low", elf, ELF_LEN);
	make_elf(RAM - 0xff);
	write_file("elf-high", elf, ELF_LEN);
	make_elf(MIB);
	write_file("elf", elf, ELF_LEN);
	write_file("elf-cut", elf, 0x300);
	write_file("initrd", "initrd", 6);
	write_file("big", big, 16 * MIB + 1);
	write_file("just", big, 16 * MIB);
	write_file("text", "#!/bin/sh\n", 10);
	return 0;
}

static int remove_files(void **state)
{
	char cmd[64];

	(void)state;
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd);
}

struct refusal {
	const char *name;
	const char *kernel, *initrd, *cmdline;
	bool hashes, no_cpus;
	uint64_t ram; /* 0: RAM */
	int rc; /* 0: -EINVAL */
	const char *says;
};

static const struct refusal refusals[] = {
	{ "nothing at all", .says = "none given" },
	{ "no board", "kernel", .no_cpus = true, .says = "none given" },
	{ "hashes", "kernel", .hashes = true, .says = "needs a firmware" },
	{ "missing", "missing", .rc = -ENOENT, .says = "No such file" },
	{ "a script", "text", .says = "too short" },
	{ "cut short", "half", .says = "truncated" },
	{ "protocol 2.11", "old", .says = "64-bit entry" },
	{ "a 32-bit kernel", "32-bit", .says = "64-bit entry" },
	{ "a header that ends early", "short", .says = "64-bit entry" },
	{ "below 1 MiB", "low", .says = "below 1 MiB" },
	{ "its address wraps", "wraps", .says = "impossible" },
	{ "above 4 GiB", "high", .says = "--memory" },
	{ "a byte too large", "large", .says = "--memory" },
	{ "more memory than init_size", "liar", .ram = 16 * MIB + 0x1fff,
	  .says = "--memory" },
	{ "ELF below 1 MiB", "elf-low", .says = "below 1 MiB" },
	{ "ELF past RAM", "elf-high", .says = "--memory" },
	{ "ELF cut short", "elf-cut", .says = "truncated" },
	{ "command line too long", "kernel", .cmdline = "123456789012345678901",
	  .says = "at most 20" },
	{ "initrd missing", "kernel", "missing", .rc = -ENOENT,
	  .says = "No such file" },
	{ "initrd too large", "kernel", "big", .says = "do not fit" },
	{ "initrd must be low", "low-initrd", "just", .says = "do not fit" },
	{ "initrd must be nowhere", "no-initrd", "initrd",
	  .says = "do not fit" },
	{ "initrd over ELF", "elf", "big", .ram = 34 * MIB,
	  .says = "do not fit" },
};

static struct boot_source source(const char *name)
{
	return (struct boot_source){ .kernel = name ? path_of(name) : NULL,
				     .ram_low = RAM,
				     .cpus = 2,
				     .name = "vm" };
}

static void refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		const struct refusal *r = &refusals[i];
		struct boot_source src = source(r->kernel);
		struct capture c = capture_begin();
		struct image im;
		char said[512];
		int rc;

		src.initrd = r->initrd ? path_of(r->initrd) : NULL;
		src.cmdline = r->cmdline;
		src.kernel_hashes = r->hashes;
		src.cpus = r->no_cpus ? 0 : 2;
		src.ram_low = r->ram ? r->ram : RAM;
		rc = boot_plan(&im, &src);
		(void)capture_end(&c, said, sizeof(said));
		if (rc != (r->rc ? r->rc : -EINVAL) || im.n_parts ||
		    im.n_items || im.n_owned || !strstr(said, r->says))
			fail_msg("%s: %d, \"%s\"", r->name, rc, said);
	}
}

/* A command line longer than Linux keeps, for a kernel that cannot say so. */
static void long_pvh_cmdline(void **state)
{
	struct boot_source src = source("elf");
	char text[2049] = "";
	struct image im;

	(void)state;
	memset(text, 'x', 2048);
	src.cmdline = text;
	assert_int_equal(boot_plan(&im, &src), -EINVAL);
	text[2047] = '\0';
	assert_int_equal(boot_plan(&im, &src), 0);
	image_close(&im);
}

static void just_accepted(void **state)
{
	static const struct {
		const char *kernel, *initrd, *cmdline;
	} t[] = {
		{ "largest", NULL, "12345678901234567890" },
		{ "kernel", "just", NULL },
		{ "low-initrd", "initrd", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct boot_source src = source(t[i].kernel);
		struct image im;

		src.initrd = t[i].initrd ? path_of(t[i].initrd) : NULL;
		src.cmdline = t[i].cmdline;
		if (boot_plan(&im, &src))
			fail_msg("%s", t[i].kernel);
		for (size_t k = 0; k < im.n_parts && !src.initrd; k++)
			assert_string_not_equal(im.part[k].name, "initrd");
		image_close(&im);
	}
}

/* An image in memory, read by addresses. */
struct world {
	struct image im;
	struct gmem mem;
};

static struct world load(const char *name, uint64_t ram)
{
	struct boot_source src = source(name);
	struct world w;

	src.initrd = path_of("initrd");
	src.cmdline = "console=ttyS0";
	src.ram_low = min_u64(ram, GMEM_LOW_MAX);
	src.ram_high = ram - src.ram_low;
	assert_int_equal(boot_plan(&w.im, &src), 0);
	assert_int_equal(gmem_open(&w.mem, ram), 0);
	assert_int_equal(image_load(&w.im, &w.mem), 0);
	assert_int_equal(w.im.n_items, 0);
	return w;
}

static void unload(struct world *w)
{
	gmem_close(&w->mem);
	image_close(&w->im);
}

static uint64_t at(const struct world *w, uint64_t addr, size_t len)
{
	uint8_t b[8];

	assert_int_equal(gmem_read(&w->mem, (gpa_t){ addr }, b, len), 0);
	return get_le(b, len);
}

static void bytes_at(const struct world *w, uint64_t addr, const void *want,
		     size_t len)
{
	uint8_t *b = malloc(len);

	assert_non_null(b);
	assert_int_equal(gmem_read(&w->mem, (gpa_t){ addr }, b, len), 0);
	assert_memory_equal(b, want, len);
	free(b);
}

static void sums_to_zero(const struct world *w, uint64_t addr, size_t len)
{
	uint8_t sum = 0;

	while (len--)
		sum = (uint8_t)(sum + at(w, addr++, 1));
	assert_int_equal(sum, 0);
}

/* ACPI from the RSDP on, each pointer followed and each checksum made. */
static void acpi_is_there(const struct world *w, uint64_t rsdp)
{
	uint64_t xsdt, fadt, entry;

	assert_true(rsdp >= 0xe0000 && rsdp < 0x100000 && rsdp % 16 == 0);
	bytes_at(w, rsdp, "RSD PTR ", 8);
	sums_to_zero(w, rsdp, 20);
	sums_to_zero(w, rsdp, 36);
	xsdt = at(w, rsdp + 24, 8);
	bytes_at(w, xsdt, "XSDT", 4);
	sums_to_zero(w, xsdt, at(w, xsdt + 4, 4));
	assert_int_equal(at(w, xsdt + 4, 4), 36 + 3 * 8);
	for (size_t i = 0; i < 3; i++) {
		entry = at(w, xsdt + 36 + 8 * i, 8);
		assert_true(entry >= 0xf0000 && entry < 0x100000);
		sums_to_zero(w, entry, at(w, entry + 4, 4));
	}
	fadt = at(w, xsdt + 36, 8);
	bytes_at(w, fadt, "FACP", 4);
	bytes_at(w, at(w, fadt + 132, 8), "FACS", 4);
	assert_int_equal(at(w, fadt + 132, 8) % 64, 0);
	bytes_at(w, at(w, fadt + 140, 8), "DSDT", 4);
}

/* SMBIOS by its anchor, which is looked for on 16-byte boundaries. */
static void smbios_is_there(const struct world *w)
{
	uint64_t addr = 0xf0000;

	while (at(w, addr, 4) != 0x334d535f) /* _SM3 */
		addr += 16;
	assert_true(addr < 0x100000);
	sums_to_zero(w, addr, 24);
	/* type 0 comes first; 24 bytes */
	assert_int_equal(at(w, at(w, addr + 16, 8), 2), 0x1800);
	/* a virtual machine, and no UEFI */
	assert_int_equal(at(w, at(w, addr + 16, 8) + 0x13, 1), 0x10);
}

static const struct {
	uint64_t base, len;
	uint32_t type;
} map[] = {
	{ 0, 0xa0000, 1 },	   { 0xf0000, 0x10000, 2 },
	{ MIB, 2 * GIB - MIB, 1 }, { 0xe0000000, 0x10000000, 2 },
	{ 0xfeffc000, 0x4000, 2 }, { 4 * GIB, GIB, 1 },
};

static void linux_start(void **state)
{
	struct world w = load("kernel", 3 * GIB);
	const struct image_start *s = &w.im.start;
	const uint64_t zp = s->info.v;
	uint64_t initrd;

	(void)state;
	assert_int_equal(s->mode, START_LONG);
	assert_int_equal(s->entry.v, 16 * MIB + 0x200);
	bytes_at(&w, 16 * MIB, kernel + SETUP_LEN, KERNEL_LEN - SETUP_LEN);
	/* the header, up to where its jump says that it ends */
	bytes_at(&w, zp + 0x1f1, kernel + 0x1f1, 0x210 - 0x1f1);
	bytes_at(&w, zp + 0x258, kernel + 0x258, 0x26c - 0x258);
	for (uint64_t i = 0x26c; i < 0x2d0; i++)
		assert_int_equal(at(&w, zp + i, 1), 0);
	for (uint64_t i = 0; i < 0x1e8; i += 8)
		if (i != 0x70)
			assert_int_equal(at(&w, zp + i, 8), 0);
	assert_int_equal(at(&w, zp + 0x210, 1), 0xff);
	assert_int_equal(at(&w, zp + 0x211, 1), 1);
	assert_int_equal(at(&w, zp + 0x214, 4), 16 * MIB);
	assert_int_equal(at(&w, zp + 0x250, 8), 0);
	initrd = at(&w, zp + 0x218, 4);
	assert_int_equal(initrd, 2 * GIB - 4096);
	assert_int_equal(at(&w, zp + 0x21c, 4), 6);
	bytes_at(&w, initrd, "initrd", 6);
	bytes_at(&w, at(&w, zp + 0x228, 4), "console=ttyS0", 14);
	assert_int_equal(at(&w, zp + 0x1e8, 1), ARRAY_LEN(map));
	for (size_t i = 0; i < ARRAY_LEN(map); i++) {
		assert_int_equal(at(&w, zp + 0x2d0 + 20 * i, 8), map[i].base);
		assert_int_equal(at(&w, zp + 0x2d8 + 20 * i, 8), map[i].len);
		assert_int_equal(at(&w, zp + 0x2e0 + 20 * i, 4), map[i].type);
	}
	acpi_is_there(&w, at(&w, zp + 0x70, 8));
	smbios_is_there(&w);
	unload(&w);
}

/* The processor's walk: PML4, PDPT, PD; a page of 2 MiB is what it ends at. */
static uint64_t translate(const struct world *w, uint64_t va)
{
	uint64_t e = at(w, w->im.start.page_table.v + 8 * (va >> 39 & 511), 8);

	assert_int_equal(e & 0xfff, 3);
	e = at(w, (e & ~0xfffull) + 8 * (va >> 30 & 511), 8);
	assert_int_equal(e & 0xfff, 3);
	e = at(w, (e & ~0xfffull) + 8 * (va >> 21 & 511), 8);
	assert_int_equal(e & 0x1fff, 0x83);
	return (e & ~0x1fffffull) | (va & 0x1fffff);
}

static void linux_tables(void **state)
{
	static const uint64_t va[] = { 0,	 0x8000,    0x1fffff,
				       0x200000, 0x1000200, GIB - 1,
				       GIB,	 3 * GIB,   4 * GIB - 1 };
	struct world w = load("kernel", RAM);
	const uint64_t gdt = w.im.start.gdt.v;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(va); i++)
		assert_int_equal(translate(&w, va[i]), va[i]);
	assert_int_equal(at(&w, gdt, 8), 0);
	assert_int_equal(at(&w, gdt + 0x10, 8), 0x00af9b000000ffff);
	assert_int_equal(at(&w, gdt + 0x18, 8), 0x00cf93000000ffff);
	unload(&w);
}

static void pvh_start(void **state)
{
	struct world w = load("elf", 3 * GIB);
	const struct image_start *s = &w.im.start;
	const uint64_t si = s->info.v;
	uint64_t list;

	(void)state;
	assert_int_equal(s->mode, START_FLAT);
	assert_int_equal(s->entry.v, MIB + 0x40);
	bytes_at(&w, MIB, elf + 0x200, 0x100);
	bytes_at(&w, 32 * MIB, elf + 0x300, 0x100);
	assert_int_equal(at(&w, si, 4), 0x336ec578);
	assert_int_equal(at(&w, si + 4, 4), 1);
	assert_int_equal(at(&w, si + 8, 4), 0);
	assert_int_equal(at(&w, si + 12, 4), 1);
	list = at(&w, si + 16, 8);
	bytes_at(&w, at(&w, list, 8), "initrd", 6);
	assert_int_equal(at(&w, list + 8, 8), 6);
	assert_int_equal(at(&w, list + 16, 8), 0);
	bytes_at(&w, at(&w, si + 24, 8), "console=ttyS0", 14);
	acpi_is_there(&w, at(&w, si + 32, 8));
	smbios_is_there(&w);
	list = at(&w, si + 40, 8);
	assert_int_equal(at(&w, si + 48, 4), ARRAY_LEN(map));
	for (size_t i = 0; i < ARRAY_LEN(map); i++) {
		assert_int_equal(at(&w, list + 24 * i, 8), map[i].base);
		assert_int_equal(at(&w, list + 24 * i + 8, 8), map[i].len);
		assert_int_equal(at(&w, list + 24 * i + 16, 8), map[i].type);
	}
	unload(&w);
}

/* A reset loads the image again: the kernel's bss is zero then as before. */
static void loaded_again(void **state)
{
	struct world w = load("elf", RAM);
	static const uint8_t zeros[0x1f00];

	(void)state;
	assert_int_equal(gmem_fill(&w.mem, (gpa_t){ MIB }, 0xee, RAM - MIB), 0);
	assert_int_equal(image_load(&w.im, &w.mem), 0);
	bytes_at(&w, MIB, elf + 0x200, 0x100);
	bytes_at(&w, 32 * MIB, elf + 0x300, 0x100);
	bytes_at(&w, 32 * MIB + 0x100, zeros, sizeof(zeros));
	assert_int_equal(at(&w, 32 * MIB + 0x2000, 1), 0xee);
	unload(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),
		cmocka_unit_test(long_pvh_cmdline),
		cmocka_unit_test(just_accepted),
		cmocka_unit_test(linux_start),
		cmocka_unit_test(linux_tables),
		cmocka_unit_test(pvh_start),
		cmocka_unit_test(loaded_again),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
