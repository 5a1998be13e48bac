/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_test: from files in a scratch directory to a launch image. Refusals
 * first: each must leave an empty image. Then what is measured, in which
 * order, and what the firmware is given to read.
 */
#include "boot/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/ovmf_guids.h"
#include "tests/unit/plan_rig.h"

#define ROM_LEN 0x10000u
#define KERNEL_LEN 0x3000u
#define SETUP_LEN 0x1000u
#define SECRET_AT 0x810000u
#define HASHES_AT 0x810c00u

static uint8_t rom[ROM_LEN], kernel[KERNEL_LEN];

/* An area entry below end; returns where it begins. */
static uint8_t *put_area(uint8_t *end, const char *guid, uint32_t base,
			 uint32_t size)
{
	bytes_copy(end - 16, 16, guid, 16);
	put_le16(end - 18, 26);
	put_le32(end - 22, size);
	put_le32(end - 26, base);
	return end - 26;
}

static void write_rom(const char *name, uint32_t secret, uint32_t hashes,
		      uint32_t hashes_len)
{
	uint8_t *at = rom + ROM_LEN - 50;

	memset(rom, 0, ROM_LEN);
	at = put_area(at, SECRET, secret, secret ? 0xc00 : 0);
	at = put_area(at, HASHES, hashes, hashes_len);
	put_le16(rom + ROM_LEN - 50, (uint16_t)(rom + ROM_LEN - 32 - at));
	bytes_copy(rom + ROM_LEN - 48, 16, FOOTER, 16);
	rom[ROM_LEN - 16] = 0xf4;
	write_file(name, rom, ROM_LEN);
}

static void write_kernel(void)
{
	for (size_t i = 0; i < KERNEL_LEN; i++)
		kernel[i] = (uint8_t)(i * 7);
	kernel[0x1f1] = SETUP_LEN / 512 - 1;
	put_le32(kernel + 0x1f4, (KERNEL_LEN - SETUP_LEN) / 16);
	put_le16(kernel + 0x1fe, 0xaa55);
	bytes_copy(kernel + 0x202, 4, "HdrS", 4);
	put_le16(kernel + 0x206, 0x020f);
	kernel[0x211] = 1;
	put_le32(kernel + 0x238, 20);
	kernel[0] = 'M';
	kernel[1] = 'Z';
	put_le32(kernel + 0x3c, 0x40);
	bytes_copy(kernel + 0x40, 4, "PE\0", 4);
	write_file("kernel", kernel, KERNEL_LEN);
}

static int make_files(void **state)
{
	static const uint8_t raw[ROM_LEN];

	(void)state;
	if (!mkdtemp(dir) || mkdir(path_of("dir"), 0700) ||
	    mkfifo(path_of("fifo"), 0600))
		return -1;
	write_rom("odd", SECRET_AT, HASHES_AT + 8, 0x400);
	write_rom("small", SECRET_AT, HASHES_AT, 175);
	write_rom("exact", SECRET_AT, HASHES_AT, 176);
	write_rom("none", SECRET_AT, 0, 0);
	write_rom("high", 0x7ffffff0, 0, 0);
	write_rom("wraps", 0xfffffff0, 0, 0);
	write_rom("rom", SECRET_AT, HASHES_AT, 0x400);
	write_file("cut", rom, ROM_LEN - 1);
	write_file("tiny", rom, 0x1000);
	write_file("raw", raw, ROM_LEN);
	write_file("empty", "", 0);
	write_file("initrd", "initrd", 6);
	write_kernel();
	write_file("half", kernel, KERNEL_LEN - 16);
	write_file("text", "#!/bin/sh\n", 10);
	write_file("big", rom, ROM_LEN);
	return truncate(path_of("big"), 16 * 1048576 + 4096);
}

static int remove_files(void **state)
{
	char cmd[64];

	(void)state;
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd);
}

static bool is_empty(const struct image *im)
{
	return im->n_parts == 0 && im->n_items == 0 && im->n_owned == 0;
}

/* A name is a file of the scratch directory; NULL: not given. */
struct refusal {
	const char *name;
	const char *firmware, *kernel, *initrd, *cmdline;
	bool hashes;
	uint64_t ram_low;
	unsigned cpus;
	int rc;
};

static const struct refusal refusals[] = {
	{ "no firmware", .rc = -EINVAL },
	{ "firmware missing", "missing", .rc = -ENOENT },
	{ "firmware empty", "empty", .rc = -ENODATA },
	{ "firmware truncated", "cut", .rc = -EINVAL },
	{ "firmware too small", "tiny", .rc = -EINVAL },
	{ "firmware too big", "big", .rc = -EFBIG },
	{ "firmware is a directory", "dir", .rc = -EISDIR },
	{ "firmware is a FIFO", "fifo", .rc = -EINVAL },
	{ "area wraps", "wraps", .rc = -EINVAL },
	{ "area outside RAM", "high", .ram_low = 2 * GIB, .cpus = 1,
	  .rc = -EINVAL },
	{ "too little RAM for the areas", "rom", .ram_low = 8 * MIB, .cpus = 1,
	  .rc = -EINVAL },
	{ "initrd alone", "rom", .initrd = "initrd", .rc = -EINVAL },
	{ "command line alone", "rom", .cmdline = "quiet", .rc = -EINVAL },
	{ "hashes alone", "rom", .hashes = true, .rc = -EINVAL },
	{ "kernel missing", "rom", "missing", .rc = -ENOENT },
	{ "kernel empty", "rom", "empty", .rc = -ENODATA },
	{ "kernel is a directory", "rom", "dir", .rc = -EISDIR },
	{ "kernel is a script", "rom", "text", .rc = -EINVAL },
	{ "kernel is an initrd", "rom", "initrd", .rc = -EINVAL },
	{ "kernel cut short", "rom", "half", .rc = -EINVAL },
	{ "initrd missing", "rom", "kernel", "missing", .rc = -ENOENT },
	{ "initrd empty", "rom", "kernel", "empty", .rc = -ENODATA },
	{ "command line too long", "rom", "kernel",
	  .cmdline = "123456789012345678901", .rc = -EINVAL },
	{ "no hash area", "none", "kernel", .hashes = true, .rc = -EINVAL },
	{ "no table at all", "raw", "kernel", .hashes = true, .rc = -EINVAL },
	{ "hash area too small", "small", "kernel", .hashes = true,
	  .rc = -EINVAL },
	{ "hash area misplaced", "odd", "kernel", .hashes = true,
	  .rc = -EINVAL },
	{ "kernel larger than RAM", "raw", "kernel", .ram_low = KERNEL_LEN,
	  .cpus = 1, .rc = -EINVAL },
	{ "too many cpus", "rom", .ram_low = GIB, .cpus = 65, .rc = -EINVAL },
};

static void refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		const struct refusal *r = &refusals[i];
		const struct boot_source src = {
			.firmware = r->firmware ? path_of(r->firmware) : NULL,
			.kernel = r->kernel ? path_of(r->kernel) : NULL,
			.initrd = r->initrd ? path_of(r->initrd) : NULL,
			.cmdline = r->cmdline,
			.kernel_hashes = r->hashes,
			.ram_low = r->ram_low,
			.cpus = r->cpus,
		};
		struct image im;
		int rc = boot_plan(&im, &src);

		if (rc != r->rc || !is_empty(&im))
			fail_msg("%s: %d", r->name, rc);
	}
}

/* The same limits from their other side. */
static void just_accepted(void **state)
{
	struct boot_source src = { .firmware = path_of("raw"),
				   .kernel = path_of("kernel"),
				   .initrd = path_of("initrd"),
				   .cmdline = "12345678901234567890",
				   .ram_low = KERNEL_LEN,
				   .ram_high = 7,
				   .cpus = 64 };
	struct image im;

	(void)state;
	assert_int_equal(boot_plan(&im, &src), 0);
	image_close(&im);
	src.ram_high = 6;
	assert_int_equal(boot_plan(&im, &src), -EINVAL);
	src = (struct boot_source){ .firmware = path_of("exact"),
				    .kernel = path_of("kernel"),
				    .kernel_hashes = true };
	assert_int_equal(boot_plan(&im, &src), 0);
	image_close(&im);
}

static const struct image_item *by_key(const struct image *im, uint16_t key)
{
	for (size_t i = 0; i < im->n_items; i++)
		if (im->item[i].key == key)
			return &im->item[i];
	fail_msg("no item %#x", key);
	return NULL;
}

static const struct image_item *by_name(const struct image *im,
					const char *name)
{
	for (size_t i = 0; i < im->n_items; i++)
		if (im->item[i].key == 0 && strcmp(im->item[i].name, name) == 0)
			return &im->item[i];
	return NULL;
}

/* An item with its value: hashed says that the hash table covers it. */
static void item_is(const struct image *im, uint16_t key, const void *bytes,
		    size_t len, bool hashed)
{
	const struct image_item *it = by_key(im, key);

	assert_int_equal(it->len, len);
	if (len)
		assert_memory_equal(it->bytes, bytes, len);
	assert_int_equal(it->hashed, hashed);
}

static void sha256(const void *data, size_t len, uint8_t out[32])
{
	assert_int_equal(EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL),
			 1);
}

static void kernel_with_hashes(void **state)
{
	const struct boot_source src = { .firmware = path_of("rom"),
					 .kernel = path_of("kernel"),
					 .initrd = path_of("initrd"),
					 .cmdline = "console=ttyS0",
					 .kernel_hashes = true };
	const struct image_part *p;
	struct image im;
	uint8_t want[32];

	(void)state;
	assert_int_equal(boot_plan(&im, &src), 0);
	assert_int_equal(im.secret.v, SECRET_AT);
	assert_int_equal(im.secret_len, 0xc00);
	assert_int_equal(im.n_parts, 2);
	p = &im.part[0];
	assert_int_equal(p->kind, PART_MEASURED);
	assert_true(p->rom);
	assert_int_equal(p->at.v, 0x100000000 - ROM_LEN);
	assert_int_equal(p->len, ROM_LEN);
	assert_memory_equal(p->bytes, rom, ROM_LEN);
	p = &im.part[1];
	assert_int_equal(p->kind, PART_MEASURED);
	assert_false(p->rom);
	assert_int_equal(p->at.v, HASHES_AT);
	assert_int_equal(p->len, 176);
	sha256("console=ttyS0", 14, want);
	assert_memory_equal(p->bytes + 36, want, 32);
	sha256("initrd", 6, want);
	assert_memory_equal(p->bytes + 86, want, 32);
	sha256(kernel, KERNEL_LEN, want);
	assert_memory_equal(p->bytes + 136, want, 32);

	item_is(&im, 0x17, "\x00\x10\0\0", 4, false);
	item_is(&im, 0x18, kernel, SETUP_LEN, true);
	item_is(&im, 0x08, "\x00\x20\0\0", 4, false);
	item_is(&im, 0x11, kernel + SETUP_LEN, KERNEL_LEN - SETUP_LEN, true);
	item_is(&im, 0x0b, "\6\0\0\0", 4, false);
	item_is(&im, 0x12, "initrd", 6, true);
	item_is(&im, 0x14, "\16\0\0\0", 4, false);
	item_is(&im, 0x15, "console=ttyS0", 14, true);
	/* no board was described: nothing else is there */
	assert_int_equal(im.n_items, 8);
	image_close(&im);
}

static void kernel_bare(void **state)
{
	const struct boot_source src = { .firmware = path_of("rom"),
					 .kernel = path_of("kernel"),
					 .kernel_hashes = true };
	struct image im;
	uint8_t want[32];

	(void)state;
	assert_int_equal(boot_plan(&im, &src), 0);
	item_is(&im, 0x0b, "\0\0\0\0", 4, false);
	item_is(&im, 0x12, "", 0, true);
	item_is(&im, 0x14, "\1\0\0\0", 4, false);
	item_is(&im, 0x15, "", 1, true);
	sha256("", 1, want);
	assert_memory_equal(im.part[1].bytes + 36, want, 32);
	sha256("", 0, want);
	assert_memory_equal(im.part[1].bytes + 86, want, 32);
	image_close(&im);
}

/* Without hashes a kernel may go to any firmware, and nothing is added. */
static void kernel_unhashed(void **state)
{
	const struct boot_source src = { .firmware = path_of("raw"),
					 .kernel = path_of("kernel") };
	struct image im;

	(void)state;
	assert_int_equal(boot_plan(&im, &src), 0);
	assert_int_equal(im.n_parts, 1);
	assert_int_equal(im.secret_len, 0);
	assert_int_equal(im.n_items, 8);
	item_is(&im, 0x18, kernel, SETUP_LEN, false);
	item_is(&im, 0x15, "", 1, false);
	image_close(&im);
}

/*
 * A boot from a disk: the firmware is all that is measured, whatever it says
 * of an area for hashes, and its area for the secret is known.
 */
static void from_a_disk(void **state)
{
	static const char *const roms[] = { "none", "small", "odd", "rom" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(roms); i++) {
		const struct boot_source src = { .firmware = path_of(roms[i]),
						 .ram_low = GIB,
						 .cpus = 1 };
		struct image im;

		assert_int_equal(boot_plan(&im, &src), 0);
		assert_int_equal(im.n_parts, 1);
		assert_string_equal(im.part[0].name, "firmware");
		assert_int_equal(im.part[0].kind, PART_MEASURED);
		assert_int_equal(im.part[0].len, ROM_LEN);
		assert_int_equal(im.part[0].at.v, 4 * GIB - ROM_LEN);
		assert_int_equal(im.secret.v, SECRET_AT);
		assert_int_equal(im.secret_len, 0xc00);
		image_close(&im);
	}
}

/* The board changes what the firmware reads, never what is measured. */
static void board(void **state)
{
	static const char *const files[] = { "etc/e820",
					     "etc/acpi/tables",
					     "etc/acpi/rsdp",
					     "etc/table-loader",
					     "etc/smbios/smbios-tables",
					     "etc/smbios/smbios-anchor" };
	static const uint8_t e820[60] = {
		0x00,	  0xc0,	       0xff,	 0xfe,	      0,
		0,	  0,	       0,	 0,	      0x40,
		0,	  0,	       0,	 0,	      0,
		0,	  2,	       [20] = 0, [31] = 0x80, [36] = 1,
		[44] = 1, [51] = 0x40, [56] = 1,
	};
	const struct boot_source src = { .firmware = path_of("rom"),
					 .ram_low = 2 * GIB,
					 .ram_high = GIB,
					 .cpus = 3,
					 .name = "vm" };
	struct image im;

	(void)state;
	assert_int_equal(boot_plan(&im, &src), 0);
	assert_int_equal(im.n_parts, 1);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const struct image_item *it = by_name(&im, files[i]);

		if (!it || !it->len || it->hashed)
			fail_msg("%s", files[i]);
	}
	assert_int_equal(by_name(&im, "etc/e820")->len, 60);
	assert_memory_equal(by_name(&im, "etc/e820")->bytes, e820, 60);
	item_is(&im, 0x05, "\3\0", 2, false);
	item_is(&im, 0x0f, "\3\0", 2, false);
	item_is(&im, 0x0e, "\0\0", 2, false);
	image_close(&im);
}

static void e820_without_high_ram(void **state)
{
	const struct boot_source src = { .firmware = path_of("raw"),
					 .ram_low = 64 * MIB,
					 .cpus = 1 };
	struct image im;

	(void)state;
	assert_int_equal(boot_plan(&im, &src), 0);
	assert_int_equal(by_name(&im, "etc/e820")->len, 40);
	assert_int_equal(get_le64(by_name(&im, "etc/e820")->bytes + 28),
			 64 * MIB);
	image_close(&im);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),
		cmocka_unit_test(just_accepted),
		cmocka_unit_test(kernel_with_hashes),
		cmocka_unit_test(kernel_bare),
		cmocka_unit_test(kernel_unhashed),
		cmocka_unit_test(from_a_disk),
		cmocka_unit_test(board),
		cmocka_unit_test(e820_without_high_ram),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
