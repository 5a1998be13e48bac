/* SPDX-License-Identifier: Apache-2.0 */
/*
 * acpi: see the header. Tables follow ACPI 6.4; those with pointers in them
 * get their checksum from the loader script, the others here.
 */
#include "boot/acpi.h"

#include <assert.h>

#include "boot/writer.h"
#include "boot/loader.h"
#include "dsdt.h"
#include "vmm/board_map.h"

#define OEM_ID "CARREL"
#define OEM_TABLE_ID "CARRELVM"
#define CREATOR_ID "CRRL"

#define HEADER_LEN 36 /* ACPI 6.4, 5.2.6 */
#define HEADER_LENGTH 4
#define HEADER_CHECKSUM 9

#define FADT_LEN 276 /* 5.2.9 */
#define FADT_X_FACS 132
#define FADT_X_DSDT 140
#define FACS_LEN 64 /* 5.2.10: on a 64-byte boundary */
#define RSDP_V1_LEN 20 /* 5.2.5.3: what the first checksum covers */
#define RSDP_CHECKSUM 8
#define RSDP_XSDT 24
#define RSDP_X_CHECKSUM 32

#define SPACE_IO 1 /* 5.2.3.2: generic address structure */
enum access { ACCESS_BYTE = 1, ACCESS_WORD = 2, ACCESS_DWORD = 3 };

static_assert(ACPI_CPUS_MAX <= 255, "8-bit local APIC identifiers");

/* Returns where the table starts; table_end fills length and checksum. */
static size_t table_begin(struct writer *t, const char *signature,
			  uint8_t revision)
{
	const size_t start = t->len;

	writer_bytes(t, signature, 4);
	writer_u32(t, 0);
	writer_u8(t, revision);
	writer_u8(t, 0);
	writer_bytes(t, OEM_ID, 6);
	writer_bytes(t, OEM_TABLE_ID, 8);
	writer_u32(t, 1);
	writer_bytes(t, CREATOR_ID, 4);
	writer_u32(t, 1);
	return start;
}

static void table_end(struct writer *t, size_t start, bool checksum)
{
	uint8_t *table = t->bytes + start;
	const size_t len = t->len - start;

	put_le32(table + HEADER_LENGTH, (uint32_t)len);
	if (checksum)
		table[HEADER_CHECKSUM] = writer_checksum(table, len);
}

static void gas_io(struct writer *t, uint8_t bits, enum access access,
		   uint64_t port)
{
	writer_u8(t, SPACE_IO);
	writer_u8(t, bits);
	writer_u8(t, 0);
	writer_u8(t, (uint8_t)access);
	writer_u64(t, port);
}

static void gas_none(struct writer *t)
{
	writer_zero(t, 12);
}

static size_t put_facs(struct writer *t)
{
	const size_t start = t->len;

	writer_bytes(t, "FACS", 4);
	writer_u32(t, FACS_LEN);
	writer_zero(t, 24);
	writer_u8(t, 2); /* version */
	writer_zero(t, FACS_LEN - (t->len - start));
	return start;
}

static size_t put_dsdt(struct writer *t)
{
	const size_t start = t->len;

	writer_bytes(t, dsdt_aml_code, sizeof(dsdt_aml_code));
	return start;
}

/* 32-bit addresses and lengths of the fixed hardware, bytes 46 to 95. */
static void fadt_fixed(struct writer *t)
{
	writer_u16(t, BOARD_IRQ_SCI);
	writer_u32(t, 0); /* no SMI command: always in ACPI mode */
	writer_u32(t, 0); /* nothing to write to it */
	writer_u32(t, BOARD_PM1A_EVT);
	writer_u32(t, 0);
	writer_u32(t, BOARD_PM1A_CNT);
	writer_u32(t, 0);
	writer_u32(t, 0); /* no PM2 control */
	writer_u32(t, BOARD_PM_TIMER);
	writer_u32(t, 0); /* no general-purpose events */
	writer_u32(t, 0);
	writer_u8(t, 4); /* length of PM1 event, */
	writer_u8(t, 2); /* PM1 control, */
	writer_u8(t, 0); /* PM2 control, */
	writer_u8(t, 4); /* PM timer, */
	writer_u32(t, 0); /* the GPE blocks; no C-state control */
}

/* The same hardware as generic addresses, bytes 148 to 267. */
static void fadt_extended(struct writer *t)
{
	gas_io(t, 32, ACCESS_WORD, BOARD_PM1A_EVT);
	gas_none(t);
	gas_io(t, 16, ACCESS_WORD, BOARD_PM1A_CNT);
	gas_none(t);
	gas_none(t);
	gas_io(t, 32, ACCESS_DWORD, BOARD_PM_TIMER);
	gas_none(t);
	gas_none(t);
	gas_none(t); /* sleep control and status: the reduced */
	gas_none(t); /* hardware model's, which this is not */
}

/* IA-PC boot flags (5.2.9.3): ISA devices, no 8042, no VGA, no ASPM. */
#define BOOT_LEGACY_DEVICES (1u << 0)
#define BOOT_NO_VGA (1u << 2)
#define BOOT_NO_ASPM (1u << 4)

/* Fixed feature flags (table 5.10). A clear PWR_BUTTON: it is fixed-feature. */
#define FADT_WBINVD (1u << 0)
#define FADT_PROC_C1 (1u << 2)
#define FADT_SLP_BUTTON (1u << 5) /* none in the fixed hardware */
#define FADT_FIX_RTC (1u << 6) /* no RTC wake status there either */
#define FADT_RESET_REG (1u << 10)

static size_t put_fadt(struct writer *t, size_t facs, size_t dsdt)
{
	const size_t start = table_begin(t, "FACP", 6);

	writer_u32(t, 0); /* 32-bit FACS and DSDT: the X_ fields count */
	writer_u32(t, 0);
	writer_u16(t, 0); /* unspecified power profile */
	fadt_fixed(t);
	writer_u16(t, 0x0fff); /* C2 and C3 latencies beyond what is */
	writer_u16(t, 0x0fff); /* accepted: not supported */
	writer_zero(t, 8); /* WBINVD works; no duty cycle, no RTC alarms */
	writer_u8(t, 0x32); /* the RTC's century */
	writer_u16(t, BOOT_LEGACY_DEVICES | BOOT_NO_VGA | BOOT_NO_ASPM);
	writer_u8(t, 0);
	writer_u32(t, FADT_WBINVD | FADT_PROC_C1 | FADT_SLP_BUTTON |
			      FADT_FIX_RTC | FADT_RESET_REG);
	gas_io(t, 8, ACCESS_BYTE, BOARD_PORT_RESET);
	writer_u8(t, BOARD_RESET_VALUE);
	writer_zero(t, 3); /* Arm flags; minor version 0 */
	writer_u64(t, facs);
	writer_u64(t, dsdt);
	fadt_extended(t);
	writer_bytes(t, "carrel\0", 8); /* hypervisor vendor */
	CHECK(t->len - start == FADT_LEN);
	table_end(t, start, false);
	return start;
}

static void madt_override(struct writer *t, uint8_t isa, uint32_t gsi,
			  uint16_t flags)
{
	writer_u8(t, 2); /* 5.2.12.5 */
	writer_u8(t, 10);
	writer_u8(t, 0); /* the ISA bus */
	writer_u8(t, isa);
	writer_u32(t, gsi);
	writer_u16(t, flags);
}

#define MPS_CONFORMS 0x0 /* polarity and trigger mode as on the bus */
#define MPS_LEVEL_HIGH 0xd

static size_t put_madt(struct writer *t, unsigned cpus)
{
	const size_t start = table_begin(t, "APIC", 5);

	writer_u32(t, BOARD_LAPIC_BASE);
	writer_u32(t, 1); /* there are 8259s too */
	for (unsigned i = 0; i < cpus; i++) {
		writer_u8(t, 0); /* 5.2.12.2: local APIC */
		writer_u8(t, 8);
		writer_u8(t, (uint8_t)i);
		writer_u8(t, (uint8_t)i);
		writer_u32(t, 1); /* enabled */
	}
	writer_u8(t, 1); /* 5.2.12.3: I/O APIC */
	writer_u8(t, 12);
	writer_u16(t, 0);
	writer_u32(t, BOARD_IOAPIC_BASE);
	writer_u32(t, 0); /* its first GSI */
	madt_override(t, 0, BOARD_IRQ_TIMER_GSI, MPS_CONFORMS);
	madt_override(t, BOARD_IRQ_SCI, BOARD_IRQ_SCI, MPS_LEVEL_HIGH);
	writer_u8(t, 4); /* 5.2.12.7: LINT1 is NMI on every CPU */
	writer_u8(t, 6);
	writer_u8(t, 0xff);
	writer_u16(t, MPS_CONFORMS);
	writer_u8(t, 1);
	table_end(t, start, true);
	return start;
}

/*
 * PCI Firmware 3.3, 4.1.2. The last bus is the only one there is: Linux looks
 * for devices on every bus up to it by port, which would be 16000 exits for
 * nothing.
 */
static size_t put_mcfg(struct writer *t)
{
	const size_t start = table_begin(t, "MCFG", 1);

	writer_zero(t, 8);
	writer_u64(t, BOARD_ECAM_BASE);
	writer_u16(t, 0); /* segment */
	writer_u8(t, 0); /* first and last bus */
	writer_u8(t, 0);
	writer_u32(t, 0);
	table_end(t, start, true);
	return start;
}

static size_t put_xsdt(struct writer *t, const size_t *table, size_t n)
{
	const size_t start = table_begin(t, "XSDT", 1);

	for (size_t i = 0; i < n; i++)
		writer_u64(t, table[i]);
	table_end(t, start, false);
	return start;
}

static void build_rsdp(uint8_t rsdp[ACPI_RSDP_LEN], size_t xsdt)
{
	struct writer r = { .bytes = rsdp, .cap = ACPI_RSDP_LEN };

	writer_bytes(&r, "RSD PTR ", 8);
	writer_u8(&r, 0);
	writer_bytes(&r, OEM_ID, 6);
	writer_u8(&r, 2);
	writer_u32(&r, 0); /* no RSDT */
	writer_u32(&r, ACPI_RSDP_LEN);
	writer_u64(&r, xsdt);
	writer_zero(&r, 4);
	CHECK(r.len == ACPI_RSDP_LEN);
}

/* Pointers first: a checksum covers the addresses that they put in. */
static void build_loader(struct writer *l, size_t fadt, size_t xsdt, size_t end)
{
	const char *tables = ACPI_FILE_TABLES, *rsdp = ACPI_FILE_RSDP;

	loader_load(l, rsdp, 16, LOADER_FSEG);
	loader_load(l, tables, FACS_LEN, LOADER_HIGH);
	loader_pointer(l, tables, fadt + FADT_X_FACS, 8, tables);
	loader_pointer(l, tables, fadt + FADT_X_DSDT, 8, tables);
	loader_checksum(l, tables, fadt + HEADER_CHECKSUM, fadt, FADT_LEN);
	for (size_t at = xsdt + HEADER_LEN; at < end; at += 8)
		loader_pointer(l, tables, at, 8, tables);
	loader_checksum(l, tables, xsdt + HEADER_CHECKSUM, xsdt, end - xsdt);
	loader_pointer(l, rsdp, RSDP_XSDT, 8, tables);
	loader_checksum(l, rsdp, RSDP_CHECKSUM, 0, RSDP_V1_LEN);
	loader_checksum(l, rsdp, RSDP_X_CHECKSUM, 0, ACPI_RSDP_LEN);
}

void acpi_build(struct acpi *a, unsigned cpus)
{
	struct writer t = { .bytes = a->tables, .cap = sizeof(a->tables) };
	struct writer l = { .bytes = a->loader, .cap = sizeof(a->loader) };
	size_t facs, dsdt, xsdt, table[3];

	CHECK(cpus >= 1 && cpus <= ACPI_CPUS_MAX);
	facs = put_facs(&t);
	dsdt = put_dsdt(&t);
	table[0] = put_fadt(&t, facs, dsdt);
	table[1] = put_madt(&t, cpus);
	table[2] = put_mcfg(&t);
	xsdt = put_xsdt(&t, table, ARRAY_LEN(table));
	a->tables_len = t.len;
	build_rsdp(a->rsdp, xsdt);
	build_loader(&l, table[0], xsdt, t.len);
	a->loader_len = l.len;
}
