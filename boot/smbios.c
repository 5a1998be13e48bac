/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smbios: see the header. Section numbers are those of SMBIOS 3.0 (DSP0134).
 * A structure is {u8 type, u8 length, u16 handle, fields}, then its strings,
 * which the fields name by number from 1, then an empty string.
 */
#include "boot/smbios.h"

#include "boot/writer.h"
#include "vmm/gmem.h"
#include "vmm/version.h"

#define MAKER "carrel"
#define FIRMWARE_DATE "11/24/2026"

/* A handle is the type and, where there are several, a number. */
#define HANDLE(type, n) ((uint16_t)((type) << 8 | (n)))
#define NO_ERROR_HANDLE 0xfffe /* no error information structure */
#define NO_CACHE_HANDLE 0xffff
#define UNKNOWN 2 /* in most enumerations */
#define OTHER 1

#define ANCHOR_CHECKSUM 5 /* 5.2.2 */
#define ANCHOR_ADDRESS 16

static size_t begin(struct writer *t, uint8_t type, uint16_t handle)
{
	const size_t start = t->len;

	writer_u8(t, type);
	writer_u8(t, 0);
	writer_u16(t, handle);
	return start;
}

/* The formatted part ends here: its length is known now. */
static void end_fields(struct writer *t, size_t start)
{
	t->bytes[start + 1] = (uint8_t)(t->len - start);
}

static void put_string(struct writer *t, const char *text)
{
	writer_bytes(t, text, strlen(text) + 1);
}

static void end_strings(struct writer *t)
{
	writer_u8(t, 0);
}

/* A structure without strings ends with two zero bytes. */
static void end_no_strings(struct writer *t, size_t start)
{
	end_fields(t, start);
	writer_zero(t, 2);
}

/* The user's text, as a string that no tool of the guest can trip over. */
static void put_name(struct writer *t, const char *name)
{
	size_t n = 0;

	if (!name || !*name)
		name = "none";
	for (; name[n] && n < SMBIOS_NAME_MAX; n++) {
		const char c = name[n];

		writer_u8(t, c >= ' ' && c <= '~' ? (uint8_t)c : '?');
	}
	writer_u8(t, 0);
}

/* 7.1 */
static void put_firmware(struct writer *t, bool efi)
{
	const size_t start = begin(t, 0, HANDLE(0, 0));

	writer_u8(t, 1); /* vendor */
	writer_u8(t, 2); /* version */
	writer_u16(t, 0); /* no real-mode segment */
	writer_u8(t, 3); /* date */
	writer_u8(t, 0); /* ROM size: says 64 KiB, unused under UEFI */
	writer_u64(t, 1u << 3); /* characteristics are not supported, */
	writer_u8(t, 0);
	/* except: UEFI, and a virtual machine */
	writer_u8(t, efi ? 0x18 : 0x10);
	writer_u8(t, CARREL_VERSION_MAJOR);
	writer_u8(t, CARREL_VERSION_MINOR);
	writer_u16(t, 0xffff); /* no embedded controller */
	end_fields(t, start);
	put_string(t, MAKER);
	put_string(t, CARREL_VERSION);
	put_string(t, FIRMWARE_DATE);
	end_strings(t);
}

/* 7.2; a UUID of zeros means that there is none */
static void put_system(struct writer *t, const char *name)
{
	const size_t start = begin(t, 1, HANDLE(1, 0));

	writer_u8(t, 1); /* manufacturer */
	writer_u8(t, 2); /* product */
	writer_u8(t, 0); /* version */
	writer_u8(t, 3); /* serial number */
	writer_zero(t, 16);
	writer_u8(t, 6); /* woken by the power switch */
	writer_u16(t, 0); /* SKU, family */
	end_fields(t, start);
	put_string(t, MAKER);
	put_string(t, "Virtual Machine");
	put_name(t, name);
	end_strings(t);
}

/* 7.4 */
static void put_chassis(struct writer *t)
{
	const size_t start = begin(t, 3, HANDLE(3, 0));

	writer_u8(t, 1); /* manufacturer */
	writer_u8(t, OTHER);
	writer_zero(t, 3); /* version, serial number, asset tag */
	writer_u8(t, 3); /* boot-up state, power supply, */
	writer_u8(t, 3);
	writer_u8(t, 3); /* temperature: safe */
	writer_u8(t, UNKNOWN); /* security */
	writer_zero(t, 9); /* OEM, height, cords, contained, SKU */
	end_fields(t, start);
	put_string(t, MAKER);
	end_strings(t);
}

/* 7.5: one socket with a core for each virtual CPU */
static void put_processor(struct writer *t, unsigned cpus)
{
	const size_t start = begin(t, 4, HANDLE(4, 0));
	const uint8_t count = (uint8_t)cpus;

	CHECK(cpus >= 1 && cpus <= UINT8_MAX);
	writer_u8(t, 1); /* socket */
	writer_u8(t, 3); /* a central processor, */
	writer_u8(t, OTHER); /* whose family CPUID tells */
	writer_u8(t, 2); /* manufacturer */
	writer_u64(t, 0);
	writer_u8(t, 0); /* version */
	writer_u8(t, 0); /* voltage, */
	writer_zero(t, 6); /* clock and speeds: unknown */
	writer_u8(t, 0x41); /* populated, enabled */
	writer_u8(t, OTHER); /* upgrade */
	for (unsigned level = 1; level <= 3; level++)
		writer_u16(t, NO_CACHE_HANDLE);
	writer_zero(t, 3); /* serial number, asset tag, part number */
	writer_u8(t, count); /* cores, enabled cores, threads */
	writer_u8(t, count);
	writer_u8(t, count);
	writer_u16(t, 1u << 2); /* 64-bit capable */
	writer_u16(t, OTHER);
	writer_u16(t, count); /* the same in 16 bits */
	writer_u16(t, count);
	writer_u16(t, count);
	end_fields(t, start);
	put_string(t, "CPU 0");
	put_string(t, MAKER);
	end_strings(t);
}

/* 7.17; a capacity of 2 TiB or more has to go to the extended field */
static void put_memory_array(struct writer *t, uint64_t ram)
{
	const size_t start = begin(t, 16, HANDLE(16, 0));
	const bool fits = ram / KIB < 0x80000000u;

	writer_u8(t, OTHER); /* location */
	writer_u8(t, 3); /* system memory */
	writer_u8(t, UNKNOWN); /* error correction is the host's */
	writer_u32(t, fits ? (uint32_t)(ram / KIB) : 0x80000000u);
	writer_u16(t, NO_ERROR_HANDLE);
	writer_u16(t, 1); /* devices */
	writer_u64(t, fits ? 0 : ram);
	end_no_strings(t, start);
}

/* 7.18; sizes of 32 GiB - 1 MiB or more go to the extended field */
static void put_memory_device(struct writer *t, uint64_t ram)
{
	const size_t start = begin(t, 17, HANDLE(17, 0));
	const bool fits = ram / MIB < 0x7fff;

	writer_u16(t, HANDLE(16, 0));
	writer_u16(t, NO_ERROR_HANDLE);
	writer_u16(t, 0xffff); /* total and data width: unknown */
	writer_u16(t, 0xffff);
	writer_u16(t, fits ? (uint16_t)(ram / MIB) : 0x7fff);
	writer_u8(t, 9); /* DIMM */
	writer_u8(t, 0); /* part of no set */
	writer_u8(t, 1); /* locator */
	writer_u8(t, 0); /* bank */
	writer_u8(t, 7); /* RAM */
	writer_u16(t, 1u << 1); /* of another kind */
	writer_zero(t, 7); /* speed, manufacturer ... attributes */
	writer_u32(t, fits ? 0 : (uint32_t)(ram / MIB));
	writer_zero(t, 8); /* configured speed, voltages: unknown */
	end_fields(t, start);
	put_string(t, "DIMM 0");
	end_strings(t);
}

/* 7.20; addresses in KiB, the last one inclusive, when they fit in 32 bits */
static void put_memory_range(struct writer *t, uint8_t number, uint64_t base,
			     uint64_t len)
{
	const size_t start = begin(t, 19, HANDLE(19, number));
	const uint64_t last = base + len - 1;
	const bool fits = last / KIB < UINT32_MAX;

	writer_u32(t, fits ? (uint32_t)(base / KIB) : UINT32_MAX);
	writer_u32(t, fits ? (uint32_t)(last / KIB) : UINT32_MAX);
	writer_u16(t, HANDLE(16, 0));
	writer_u8(t, 1); /* partition width */
	writer_u64(t, fits ? 0 : base);
	writer_u64(t, fits ? 0 : last);
	end_no_strings(t, start);
}

/* 7.33 */
static void put_boot_status(struct writer *t)
{
	const size_t start = begin(t, 32, HANDLE(32, 0));

	writer_zero(t, 7); /* reserved; no errors */
	end_no_strings(t, start);
}

/* 5.2.2; the firmware fills in the address, and the checksum with it */
static void build_anchor(uint8_t anchor[SMBIOS_ANCHOR_LEN], size_t tables_len)
{
	struct writer a = { .bytes = anchor, .cap = SMBIOS_ANCHOR_LEN };

	writer_bytes(&a, "_SM3_", 5);
	writer_u8(&a, 0);
	writer_u8(&a, SMBIOS_ANCHOR_LEN);
	writer_u8(&a, 3); /* version 3.0 */
	writer_u16(&a, 0);
	writer_u8(&a, 1); /* entry point revision */
	writer_u8(&a, 0);
	writer_u32(&a, (uint32_t)tables_len);
	writer_u64(&a, 0);
	anchor[ANCHOR_CHECKSUM] = writer_checksum(anchor, a.len);
}

void smbios_place(struct smbios *s, uint64_t tables_at)
{
	put_le64(s->anchor + ANCHOR_ADDRESS, tables_at);
	s->anchor[ANCHOR_CHECKSUM] = 0;
	s->anchor[ANCHOR_CHECKSUM] =
		writer_checksum(s->anchor, sizeof(s->anchor));
}

void smbios_build(struct smbios *s, const struct smbios_source *src)
{
	struct writer t = { .bytes = s->tables, .cap = sizeof(s->tables) };
	const uint64_t ram = src->ram_low + src->ram_high;

	put_firmware(&t, src->efi);
	put_system(&t, src->name);
	put_chassis(&t);
	put_processor(&t, src->cpus);
	put_memory_array(&t, ram);
	put_memory_device(&t, ram);
	put_memory_range(&t, 0, 0, src->ram_low);
	if (src->ram_high)
		put_memory_range(&t, 1, GMEM_HIGH_BASE, src->ram_high);
	put_boot_status(&t);
	end_no_strings(&t, begin(&t, 127, HANDLE(127, 0)));
	s->tables_len = t.len;
	build_anchor(s->anchor, t.len);
}
