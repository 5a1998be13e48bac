/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bzimage: see the header. Offsets are those of "The Real-Mode Kernel Header"
 * in Documentation/arch/x86/boot.rst.
 */
#include "boot/bzimage.h"

#include <errno.h>

#define SETUP_SECTS BZIMAGE_HEADER
#define SYSSIZE 0x1f4
#define BOOT_FLAG 0x1fe
#define JUMP_LEN 0x201 /* of the jump over the header, to its end */
#define HEADER_MAGIC 0x202
#define PROTOCOL 0x206
#define LOADFLAGS 0x211
#define INITRD_MAX 0x22c
#define XLOADFLAGS 0x236
#define CMDLINE_SIZE 0x238
#define HEADER_END 0x240 /* past what every kernel must have */
#define PREF_ADDRESS 0x258
#define INIT_SIZE 0x260
#define HEADER_END64 0x264 /* past what a 64-bit start needs */

#define PE_OFFSET 0x3c /* in the MS-DOS stub: where "PE\0\0" is */
#define SECTOR 512u
#define LOADED_HIGH 0x01

#define PROTOCOL_MIN 0x0202 /* the first with the header as it is now */
#define PROTOCOL_SYSSIZE 0x0204 /* syssize has 32 bits from here */
#define PROTOCOL_CMDLINE 0x0206
#define PROTOCOL_ENTRY64 0x020c
#define XLF_KERNEL_64 0x0001
#define CMDLINE_OLD_MAX 255u

static bool is_pe(const uint8_t *image, size_t len)
{
	const uint32_t at = get_le32(image + PE_OFFSET);

	return image[0] == 'M' && image[1] == 'Z' && range_ok(at, 4, len) &&
	       memcmp(image + at, "PE\0", 4) == 0;
}

/* NULL, or why the fields that identify a bzImage do not. */
static const char *not_bzimage(const uint8_t *image, size_t len)
{
	if (len < HEADER_END)
		return "it is too short for a kernel";
	if (get_le16(image + BOOT_FLAG) != 0xaa55 ||
	    memcmp(image + HEADER_MAGIC, "HdrS", 4) != 0)
		return "it has no setup header: not a bzImage";
	if (get_le16(image + PROTOCOL) < PROTOCOL_MIN)
		return "its boot protocol is older than 2.02";
	if (!(image[LOADFLAGS] & LOADED_HIGH))
		return "it is a zImage, loaded low: not a bzImage";
	return NULL;
}

/*
 * Setup has two sectors at least: the fields read here are inside it. A header
 * that does not reach them, by its own word, has no 64-bit entry point.
 */
static void parse_entry64(struct bzimage *bz, const uint8_t *image)
{
	const size_t end = HEADER_MAGIC + (size_t)image[JUMP_LEN];

	if (bz->protocol < PROTOCOL_ENTRY64 || end < HEADER_END64 ||
	    !(get_le16(image + XLOADFLAGS) & XLF_KERNEL_64))
		return;
	bz->entry64 = true;
	bz->load_at = get_le64(image + PREF_ADDRESS);
	bz->init_size = get_le32(image + INIT_SIZE);
	bz->initrd_max = get_le32(image + INITRD_MAX);
	bz->header_end = (size_t)min_u64(end, BZIMAGE_HEADER_MAX);
}

int bzimage_parse(struct bzimage *bz, const uint8_t *image, size_t len,
		  const char **why)
{
	size_t sectors, setup;
	uint16_t protocol;
	uint64_t code;

	*why = not_bzimage(image, len);
	if (*why)
		return -EINVAL;
	protocol = get_le16(image + PROTOCOL);
	sectors = image[SETUP_SECTS] ? image[SETUP_SECTS] : 4; /* historical */
	setup = (sectors + 1) * SECTOR;
	code = 16ull * get_le32(image + SYSSIZE);
	if (protocol < PROTOCOL_SYSSIZE || code == 0)
		code = 1;
	if (!range_ok(setup, code, len)) {
		*why = "it is truncated: its header promises more bytes";
		return -EINVAL;
	}
	*bz = (struct bzimage){
		.setup_bytes = setup,
		.protocol = protocol,
		.cmdline_max = protocol >= PROTOCOL_CMDLINE
				       ? get_le32(image + CMDLINE_SIZE)
				       : CMDLINE_OLD_MAX,
		.efi_stub = is_pe(image, len),
	};
	parse_entry64(bz, image);
	return 0;
}
