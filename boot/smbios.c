/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smbios: see the header. Section numbers are those of SMBIOS 3.0 (DSP0134).
 * A structure is {u8 type, u8 length, u16 handle, fields}, then its strings,
 * which the fields name by number from 1, then an empty string.
 */
#include "boot/smbios.h"

#include "boot/blob.h"
#include "vmm/gmem.h"

#define MAKER "carrel"
#define FIRMWARE_VERSION "1"
#define FIRMWARE_DATE "11/24/2026"

/* A handle is the type and, where there are several, a number. */
#define HANDLE(type, n) ((uint16_t)((type) << 8 | (n)))
#define NO_ERROR_HANDLE 0xfffe /* no error information structure */
#define NO_CACHE_HANDLE 0xffff
#define UNKNOWN 2 /* in most enumerations */
#define OTHER 1

static size_t begin(struct blob *t, uint8_t type, uint16_t handle)
{
	const size_t start = t->len;

	blob_u8(t, type);
	blob_u8(t, 0);
	blob_u16(t, handle);
	return start;
}

/* The formatted part ends here: its length is known now. */
static void end_fields(struct blob *t, size_t start)
{
	t->bytes[start + 1] = (uint8_t)(t->len - start);
}

static void put_string(struct blob *t, const char *text)
{
	blob_bytes(t, text, strlen(text) + 1);
}

static void end_strings(struct blob *t)
{
	blob_u8(t, 0);
}

/* A structure without strings ends with two zero bytes. */
static void end_no_strings(struct blob *t, size_t start)
{
	end_fields(t, start);
	blob_zero(t, 2);
}

/* The user's text, as a string that no tool of the guest can trip over. */
static void put_name(struct blob *t, const char *name)
{
	size_t n = 0;

	if (!name || !*name)
		name = "none";
	for (; name[n] && n < SMBIOS_NAME_MAX; n++) {
		const char c = name[n];

		blob_u8(t, c > ' ' && c <= '~' ? (uint8_t)c : '?');
	}
	blob_u8(t, 0);
}

/* 7.1 */
static void put_firmware(struct blob *t)
{
	const size_t start = begin(t, 0, HANDLE(0, 0));

	blob_u8(t, 1); /* vendor */
	blob_u8(t, 2); /* version */
	blob_u16(t, 0); /* no real-mode segment */
	blob_u8(t, 3); /* date */
	blob_u8(t, 0); /* ROM size: says 64 KiB, unused under UEFI */
	blob_u64(t, 1u << 3); /* characteristics are not supported, */
	blob_u8(t, 0);
	blob_u8(t, 0x18); /* except: UEFI, and a virtual machine */
	blob_u16(t, 1); /* release 1.0 */
	blob_u16(t, 0xffff); /* no embedded controller */
	end_fields(t, start);
	put_string(t, MAKER);
	put_string(t, FIRMWARE_VERSION);
	put_string(t, FIRMWARE_DATE);
	end_strings(t);
}

/* 7.2; a UUID of zeros means that there is none */
static void put_system(struct blob *t, const char *name)
{
	const size_t start = begin(t, 1, HANDLE(1, 0));

	blob_u8(t, 1); /* manufacturer */
	blob_u8(t, 2); /* product */
	blob_u8(t, 0); /* version */
	blob_u8(t, 3); /* serial number */
	blob_zero(t, 16);
	blob_u8(t, 6); /* woken by the power switch */
	blob_u16(t, 0); /* SKU, family */
	end_fields(t, start);
	put_string(t, MAKER);
	put_string(t, "Virtual Machine");
	put_name(t, name);
	end_strings(t);
}

/* 7.4 */
static void put_chassis(struct blob *t)
{
	const size_t start = begin(t, 3, HANDLE(3, 0));

	blob_u8(t, 1); /* manufacturer */
	blob_u8(t, OTHER);
	blob_zero(t, 3); /* version, serial number, asset tag */
	blob_u8(t, 3); /* boot-up state, power supply, */
	blob_u8(t, 3);
	blob_u8(t, 3); /* temperature: safe */
	blob_u8(t, UNKNOWN); /* security */
	blob_zero(t, 9); /* OEM, height, cords, contained, SKU */
	end_fields(t, start);
	put_string(t, MAKER);
	end_strings(t);
}

/* 7.5: one socket with a core for each virtual CPU */
static void put_processor(struct blob *t, unsigned cpus)
{
	const size_t start = begin(t, 4, HANDLE(4, 0));
	const uint8_t count = (uint8_t)cpus;

	CHECK(cpus >= 1 && cpus <= UINT8_MAX);
	blob_u8(t, 1); /* socket */
	blob_u8(t, 3); /* a central processor, */
	blob_u8(t, OTHER); /* whose family CPUID tells */
	blob_u8(t, 2); /* manufacturer */
	blob_u64(t, 0);
	blob_u8(t, 0); /* version */
	blob_u8(t, 0); /* voltage, */
	blob_zero(t, 6); /* clock and speeds: unknown */
	blob_u8(t, 0x41); /* populated, enabled */
	blob_u8(t, OTHER); /* upgrade */
	for (unsigned level = 1; level <= 3; level++)
		blob_u16(t, NO_CACHE_HANDLE);
	blob_zero(t, 3); /* serial number, asset tag, part number */
	blob_u8(t, count); /* cores, enabled cores, threads */
	blob_u8(t, count);
	blob_u8(t, count);
	blob_u16(t, 1u << 2); /* 64-bit capable */
	blob_u16(t, OTHER);
	blob_u16(t, count); /* the same in 16 bits */
	blob_u16(t, count);
	blob_u16(t, count);
	end_fields(t, start);
	put_string(t, "CPU 0");
	put_string(t, MAKER);
	end_strings(t);
}

/* 7.17; a capacity of 2 TiB or more has to go to the extended field */
static void put_memory_array(struct blob *t, uint64_t ram)
{
	const size_t start = begin(t, 16, HANDLE(16, 0));
	const bool fits = ram / KIB < 0x80000000u;

	blob_u8(t, OTHER); /* location */
	blob_u8(t, 3); /* system memory */
	blob_u8(t, UNKNOWN); /* error correction is the host's */
	blob_u32(t, fits ? (uint32_t)(ram / KIB) : 0x80000000u);
	blob_u16(t, NO_ERROR_HANDLE);
	blob_u16(t, 1); /* devices */
	blob_u64(t, fits ? 0 : ram);
	end_no_strings(t, start);
}

/* 7.18; sizes of 32 GiB - 1 MiB or more go to the extended field */
static void put_memory_device(struct blob *t, uint64_t ram)
{
	const size_t start = begin(t, 17, HANDLE(17, 0));
	const bool fits = ram / MIB < 0x7fff;

	blob_u16(t, HANDLE(16, 0));
	blob_u16(t, NO_ERROR_HANDLE);
	blob_u16(t, 0xffff); /* total and data width: unknown */
	blob_u16(t, 0xffff);
	blob_u16(t, fits ? (uint16_t)(ram / MIB) : 0x7fff);
	blob_u8(t, 9); /* DIMM */
	blob_u8(t, 0); /* part of no set */
	blob_u8(t, 1); /* locator */
	blob_u8(t, 0); /* bank */
	blob_u8(t, 7); /* RAM */
	blob_u16(t, 1u << 1); /* of another kind */
	blob_zero(t, 7); /* speed, manufacturer ... attributes */
	blob_u32(t, fits ? 0 : (uint32_t)(ram / MIB));
	blob_zero(t, 8); /* configured speed, voltages: unknown */
	end_fields(t, start);
	put_string(t, "DIMM 0");
	end_strings(t);
}

/* 7.20; addresses in KiB, the last one inclusive, when they fit in 32 bits */
static void put_memory_range(struct blob *t, uint8_t number, uint64_t base,
			     uint64_t len)
{
	const size_t start = begin(t, 19, HANDLE(19, number));
	const uint64_t last = base + len - 1;
	const bool fits = last / KIB < UINT32_MAX;

	blob_u32(t, fits ? (uint32_t)(base / KIB) : UINT32_MAX);
	blob_u32(t, fits ? (uint32_t)(last / KIB) : UINT32_MAX);
	blob_u16(t, HANDLE(16, 0));
	blob_u8(t, 1); /* partition width */
	blob_u64(t, fits ? 0 : base);
	blob_u64(t, fits ? 0 : last);
	end_no_strings(t, start);
}

/* 7.33 */
static void put_boot_status(struct blob *t)
{
	const size_t start = begin(t, 32, HANDLE(32, 0));

	blob_zero(t, 7); /* reserved; no errors */
	end_no_strings(t, start);
}

/* 5.2.2; the firmware fills in the address, and the checksum with it */
static void build_anchor(uint8_t anchor[SMBIOS_ANCHOR_LEN], size_t tables_len)
{
	struct blob a = { .bytes = anchor, .cap = SMBIOS_ANCHOR_LEN };

	blob_bytes(&a, "_SM3_", 5);
	blob_u8(&a, 0);
	blob_u8(&a, SMBIOS_ANCHOR_LEN);
	blob_u8(&a, 3); /* version 3.0 */
	blob_u16(&a, 0);
	blob_u8(&a, 1); /* entry point revision */
	blob_u8(&a, 0);
	blob_u32(&a, (uint32_t)tables_len);
	blob_u64(&a, 0);
	anchor[5] = blob_checksum(anchor, a.len);
}

void smbios_build(struct smbios *s, const struct smbios_source *src)
{
	struct blob t = { .bytes = s->tables, .cap = sizeof(s->tables) };
	const uint64_t ram = src->ram_low + src->ram_high;

	put_firmware(&t);
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
