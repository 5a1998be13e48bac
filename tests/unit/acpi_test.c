/* SPDX-License-Identifier: Apache-2.0 */
/*
 * acpi_test: runs the loader script as a firmware would, with a reader of its
 * own, then looks at the tables as an operating system does: from the RSDP, by
 * pointers, at offsets from the ACPI specification. At the end iasl itself
 * disassembles every table and compiles it back to the same bytes.
 */
#include "boot/acpi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "vmm/board_map.h"

/* Where the script's files come to lie in the firmware's memory. */
#define TABLES_AT 0x7f000000u
#define RSDP_AT 0x7f100000u

struct loaded {
	struct acpi a;
	bool tables, rsdp; /* allocated */
	unsigned checksums;
};

/* The file's bytes by name; fails on a file that was not allocated yet. */
static uint8_t *file_of(struct loaded *l, const uint8_t *name, size_t *len,
			uint64_t *at)
{
	if (memcmp(name, "etc/acpi/tables", 16) == 0 && l->tables) {
		*len = l->a.tables_len;
		*at = TABLES_AT;
		return l->a.tables;
	}
	if (memcmp(name, "etc/acpi/rsdp", 14) == 0 && l->rsdp) {
		*len = ACPI_RSDP_LEN;
		*at = RSDP_AT;
		return l->a.rsdp;
	}
	fail_msg("a command names a file that is not loaded");
	return NULL;
}

static void allocate(struct loaded *l, const uint8_t *c)
{
	bool *which = memcmp(c + 4, "etc/acpi/rsdp", 14) == 0 ? &l->rsdp
							      : &l->tables;

	assert_false(*which);
	*which = true;
	assert_int_equal(get_le32(c + 60), which == &l->rsdp ? 16 : 64);
	assert_int_equal(c[64], which == &l->rsdp ? 2 : 1);
}

static void add_pointer(struct loaded *l, const uint8_t *c)
{
	const uint32_t off = get_le32(c + 116), size = c[120];
	size_t len, target_len;
	uint64_t at, target, v;
	uint8_t *file = file_of(l, c + 4, &len, &at);

	(void)file_of(l, c + 60, &target_len, &target);
	assert_int_equal(size, 8);
	assert_true(range_ok(off, size, len));
	v = get_le64(file + off);
	assert_true(v < target_len);
	put_le64(file + off, v + target);
}

static void add_checksum(struct loaded *l, const uint8_t *c)
{
	const uint32_t result = get_le32(c + 60), start = get_le32(c + 64);
	const uint32_t n = get_le32(c + 68);
	uint8_t *file, sum = 0;
	size_t len;
	uint64_t at;

	file = file_of(l, c + 4, &len, &at);
	assert_true(range_ok(start, n, len) && result < len);
	for (uint32_t i = start; i < start + n; i++)
		sum = (uint8_t)(sum + file[i]);
	file[result] = (uint8_t)(0 - sum);
	l->checksums++;
}

static void load(struct loaded *l, unsigned cpus)
{
	*l = (struct loaded){ .tables = false };
	acpi_build(&l->a, cpus);
	assert_int_equal(l->a.loader_len % 128, 0);
	for (size_t i = 0; i < l->a.loader_len; i += 128) {
		const uint8_t *c = l->a.loader + i;

		switch (get_le32(c)) {
		case 1: allocate(l, c); break;
		case 2: add_pointer(l, c); break;
		case 3: add_checksum(l, c); break;
		default: fail_msg("unknown loader command");
		}
	}
	assert_int_equal(l->checksums, 4);
}

static uint8_t sum_of(const uint8_t *bytes, size_t len)
{
	uint8_t sum = 0;

	while (len--)
		sum = (uint8_t)(sum + *bytes++);
	return sum;
}

/* A table at a guest address: its header is right, or the test fails. */
static const uint8_t *table_at(const struct loaded *l, uint64_t addr,
			       const char *signature, size_t *len)
{
	const uint8_t *t;

	assert_true(addr >= TABLES_AT);
	assert_true(range_ok(addr - TABLES_AT, 36, l->a.tables_len));
	t = l->a.tables + (addr - TABLES_AT);
	*len = get_le32(t + 4);
	assert_true(range_ok(addr - TABLES_AT, *len, l->a.tables_len));
	assert_memory_equal(t, signature, 4);
	assert_int_equal(sum_of(t, *len), 0);
	assert_memory_equal(t + 10, "CARREL", 6);
	return t;
}

/* The XSDT's tables in order; also what the RSDP itself must be. */
static const uint8_t *find(const struct loaded *l, size_t n,
			   const char *signature, size_t *len)
{
	const uint8_t *rsdp = l->a.rsdp, *xsdt;
	size_t xsdt_len;

	assert_memory_equal(rsdp, "RSD PTR ", 8);
	assert_int_equal(sum_of(rsdp, 20), 0);
	assert_int_equal(sum_of(rsdp, 36), 0);
	assert_int_equal(rsdp[15], 2);
	assert_int_equal(get_le32(rsdp + 20), 36);
	xsdt = table_at(l, get_le64(rsdp + 24), "XSDT", &xsdt_len);
	assert_int_equal(xsdt_len, 36 + 3 * 8);
	return table_at(l, get_le64(xsdt + 36 + 8 * n), signature, len);
}

static void fadt(void **state)
{
	struct loaded l;
	const uint8_t *t, *facs;
	size_t len, dsdt_len;

	(void)state;
	load(&l, 1);
	t = find(&l, 0, "FACP", &len);
	assert_int_equal(len, 276);
	assert_int_equal(t[8], 6);
	assert_int_equal(get_le16(t + 46), 9); /* SCI */
	assert_int_equal(get_le32(t + 48), 0); /* SMI command */
	assert_int_equal(get_le32(t + 56), 0x600);
	assert_int_equal(get_le32(t + 64), 0x604);
	assert_int_equal(get_le32(t + 76), 0x608);
	assert_int_equal(get_le32(t + 80), 0); /* GPE0 */
	assert_memory_equal(t + 88, "\4\2\0\4\0\0\0\0", 8);
	assert_int_equal(get_le16(t + 96), 0xfff);
	assert_int_equal(t[108], 0x32);
	assert_int_equal(get_le16(t + 109), 0x15);
	assert_int_equal(get_le32(t + 112), 0x465);
	assert_memory_equal(t + 116, "\1\10\0\1\xf9\x0c\0\0\0\0\0\0\6", 13);
	assert_memory_equal(t + 148, "\1\40\0\2\0\6\0\0\0\0\0\0", 12);
	assert_memory_equal(t + 172, "\1\20\0\2\4\6\0\0\0\0\0\0", 12);
	assert_memory_equal(t + 208, "\1\40\0\3\10\6\0\0\0\0\0\0", 12);
	assert_memory_equal(t + 268, "carrel\0\0", 8);
	(void)table_at(&l, get_le64(t + 140), "DSDT", &dsdt_len);
	facs = l.a.tables + (get_le64(t + 132) - TABLES_AT);
	assert_int_equal(get_le64(t + 132) % 64, 0);
	assert_memory_equal(facs, "FACS\100\0\0\0", 8);
}

static void madt(void **state)
{
	static const unsigned cpus[] = { 1, 2, 64 };

	(void)state;
	for (size_t n = 0; n < ARRAY_LEN(cpus); n++) {
		struct loaded l;
		const uint8_t *t;
		size_t len;

		load(&l, cpus[n]);
		t = find(&l, 1, "APIC", &len);
		assert_int_equal(len, 36 + 8 + 8 * cpus[n] + 12 + 2 * 10 + 6);
		assert_int_equal(get_le32(t + 36), 0xfee00000);
		assert_int_equal(get_le32(t + 40), 1);
		t += 44;
		for (unsigned i = 0; i < cpus[n]; i++, t += 8) {
			assert_memory_equal(t, "\0\10", 2);
			assert_int_equal(t[2], i);
			assert_int_equal(t[3], i);
			assert_int_equal(get_le32(t + 4), 1);
		}
		assert_memory_equal(t, "\1\14\0\0\0\0\xc0\xfe\0\0\0\0", 12);
		assert_memory_equal(t + 12, "\2\12\0\0\2\0\0\0\0\0", 10);
		assert_memory_equal(t + 22, "\2\12\0\11\11\0\0\0\15\0", 10);
		assert_memory_equal(t + 32, "\4\6\xff\0\0\1", 6);
	}
}

static void mcfg(void **state)
{
	struct loaded l;
	const uint8_t *t;
	size_t len;

	(void)state;
	load(&l, 1);
	t = find(&l, 2, "MCFG", &len);
	assert_int_equal(len, 60);
	assert_int_equal(get_le64(t + 44), 0xe0000000);
	assert_memory_equal(t + 52, "\0\0\0\0\0\0\0\0", 8);
}

static bool contains(const struct loaded *l, const void *bytes, size_t len)
{
	return memmem(l->a.tables, l->a.tables_len, bytes, len) != NULL;
}

/* ACPI 6.4, 6.4.3.5.2: a DWord memory window that the root bus decodes */
static void window_in_dsdt(const struct loaded *l, uint32_t base, uint32_t end)
{
	uint8_t d[26] = { 0x87, 23, 0, 0, 0x0c, 1 };

	put_le32(d + 10, base);
	put_le32(d + 14, end - 1);
	put_le32(d + 22, end - base);
	assert_true(contains(l, d, sizeof(d)));
}

/* 6.4.2.5: fixed ports */
static void ports_in_dsdt(const struct loaded *l, uint16_t base, uint8_t len)
{
	uint8_t d[8] = { 0x47, 1 };

	put_le16(d + 2, base);
	put_le16(d + 4, base);
	d[6] = 1;
	d[7] = len;
	assert_true(contains(l, d, sizeof(d)));
}

/* dsdt.asl repeats the numbers of board_map.h: they must not drift apart. */
static void dsdt(void **state)
{
	uint8_t ecam[12] = { 0x86, 9, 0, 1 }, irq[3] = { 0x22 };
	struct loaded l;

	(void)state;
	load(&l, 1);
	window_in_dsdt(&l, BOARD_MMIO_LOW_BASE, BOARD_MMIO_LOW_END);
	window_in_dsdt(&l, BOARD_MMIO_HIGH_BASE, BOARD_MMIO_HIGH_END);
	ports_in_dsdt(&l, BOARD_PORT_SERIAL, 8);
	ports_in_dsdt(&l, BOARD_PORT_RTC, 2);
	ports_in_dsdt(&l, BOARD_PORT_PCI_ADDR, 8);
	ports_in_dsdt(&l, BOARD_PORT_RESET_A, 1);
	ports_in_dsdt(&l, BOARD_PORT_DEBUGCON, 1);
	ports_in_dsdt(&l, BOARD_PORT_PVPANIC, 1);
	ports_in_dsdt(&l, BOARD_PORT_FWCFG, BOARD_PORT_FWCFG_SIZE);
	ports_in_dsdt(&l, BOARD_PMBASE, BOARD_PM_SIZE);
	put_le32(ecam + 4, BOARD_ECAM_BASE);
	put_le32(ecam + 8, BOARD_ECAM_SIZE);
	assert_true(contains(&l, ecam, sizeof(ecam)));
	put_le16(irq + 1, 1u << BOARD_IRQ_SERIAL);
	assert_true(contains(&l, irq, sizeof(irq)));
	put_le16(irq + 1, 1u << BOARD_IRQ_RTC);
	assert_true(contains(&l, irq, sizeof(irq)));
	/* _S5: Package { SLP_TYP, ... } of four zeros */
	assert_int_equal(BOARD_SLP_TYP_S5, 0);
	assert_true(contains(&l, "\x08_S5_\x12\x06\x04\0\0\0\0", 12));
}

static void write_table(const char *dir, const char *name, const uint8_t *t,
			size_t len)
{
	char path[80];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.dat", dir, name);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(t, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* Beyond the header, where iasl leaves its own name and revision. */
static const char iasl_round[] =
	"cd %s && for t in *.dat; do n=${t%%.dat}; "
	"iasl -d $t >$n.log 2>&1 && "
	"! grep -iE 'error|warning|invalid' $n.log && "
	"iasl -we $n.dsl >>$n.log 2>&1 && "
	"cmp -i 36 $t $n.aml || { cat $n.log; exit 1; }; done";

static void iasl_agrees(void **state)
{
	char dir[] = "/tmp/carrel-acpi-XXXXXX", cmd[600];
	struct loaded l;
	const uint8_t *t;
	size_t len;
	int rc;

	(void)state;
	load(&l, 64);
	assert_non_null(mkdtemp(dir));
	t = find(&l, 0, "FACP", &len);
	write_table(dir, "facp", t, len);
	t = table_at(&l, get_le64(t + 140), "DSDT", &len);
	write_table(dir, "dsdt", t, len);
	t = find(&l, 1, "APIC", &len);
	write_table(dir, "apic", t, len);
	t = find(&l, 2, "MCFG", &len);
	write_table(dir, "mcfg", t, len);
	t = table_at(&l, get_le64(l.a.rsdp + 24), "XSDT", &len);
	write_table(dir, "xsdt", t, len);
	write_table(dir, "facs", l.a.tables, 64);
	snprintf(cmd, sizeof(cmd), iasl_round, dir);
	rc = system(cmd);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	assert_int_equal(rc, 0);
	assert_int_equal(system(cmd), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fadt),	       cmocka_unit_test(madt),
		cmocka_unit_test(mcfg),	       cmocka_unit_test(dsdt),
		cmocka_unit_test(iasl_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
