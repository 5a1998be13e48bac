/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loader: see the header. A command is 128 bytes: u32 number, arguments, zeros;
 * file names take 56 bytes as in the fw_cfg directory.
 */
#include "boot/loader.h"

#define COMMAND_LEN 128u
#define NAME_LEN 56u

enum command { ALLOCATE = 1, ADD_POINTER = 2, ADD_CHECKSUM = 3 };

static void put_name(struct writer *s, const char *file)
{
	const size_t len = strlen(file);

	CHECK(len < NAME_LEN);
	writer_bytes(s, file, len);
	writer_zero(s, NAME_LEN - len);
}

/* Returns where the command began. */
static size_t command_begin(struct writer *s, enum command c)
{
	const size_t start = s->len;

	writer_u32(s, c);
	return start;
}

static void command_end(struct writer *s, size_t start)
{
	writer_zero(s, COMMAND_LEN - (s->len - start));
}

void loader_load(struct writer *script, const char *file, size_t align,
		 enum loader_zone zone)
{
	const size_t start = command_begin(script, ALLOCATE);

	put_name(script, file);
	writer_u32(script, (uint32_t)align);
	writer_u8(script, (uint8_t)zone);
	command_end(script, start);
}

void loader_pointer(struct writer *script, const char *file, size_t at,
		    uint8_t len, const char *target)
{
	const size_t start = command_begin(script, ADD_POINTER);

	put_name(script, file);
	put_name(script, target);
	writer_u32(script, (uint32_t)at);
	writer_u8(script, len);
	command_end(script, start);
}

void loader_checksum(struct writer *script, const char *file, size_t result,
		     size_t start, size_t len)
{
	const size_t begin = command_begin(script, ADD_CHECKSUM);

	put_name(script, file);
	writer_u32(script, (uint32_t)result);
	writer_u32(script, (uint32_t)start);
	writer_u32(script, (uint32_t)len);
	command_end(script, begin);
}
