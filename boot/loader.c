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

/* Command arguments, from the command's start. */
#define FILE_NAME 4u
#define POINTER_TARGET (FILE_NAME + NAME_LEN)
#define POINTER_AT (POINTER_TARGET + NAME_LEN)
#define POINTER_LEN (POINTER_AT + 4u)
#define SUM_RESULT (FILE_NAME + NAME_LEN)
#define SUM_START (SUM_RESULT + 4u)
#define SUM_LEN (SUM_START + 4u)

static const struct loader_file *find_file(const struct loader_file *file,
					   size_t n, const uint8_t *name)
{
	size_t i = 0;

	while (i < n && strncmp(file[i].name, (const char *)name, NAME_LEN))
		i++;
	CHECK(i < n);
	return &file[i];
}

static void run_pointer(const uint8_t *c, const struct loader_file *file,
			size_t n)
{
	const struct loader_file *f = find_file(file, n, c + FILE_NAME);
	const struct loader_file *target =
		find_file(file, n, c + POINTER_TARGET);
	const size_t at = get_le32(c + POINTER_AT), len = c[POINTER_LEN];

	CHECK(range_ok(at, len, f->len));
	put_le(f->bytes + at, len, get_le(f->bytes + at, len) + target->at);
}

static void run_checksum(const uint8_t *c, const struct loader_file *file,
			 size_t n)
{
	const struct loader_file *f = find_file(file, n, c + FILE_NAME);
	const size_t result = get_le32(c + SUM_RESULT);
	const size_t start = get_le32(c + SUM_START);
	const size_t len = get_le32(c + SUM_LEN);

	CHECK(range_ok(start, len, f->len) && result < f->len);
	f->bytes[result] = 0;
	f->bytes[result] = writer_checksum(f->bytes + start, len);
}

void loader_run(const uint8_t *script, size_t len,
		const struct loader_file *file, size_t n)
{
	for (size_t i = 0; i < len; i += COMMAND_LEN) {
		const uint8_t *c = script + i;

		CHECK(range_ok(i, COMMAND_LEN, len));
		switch (get_le32(c)) {
		case ALLOCATE: (void)find_file(file, n, c + FILE_NAME); break;
		case ADD_POINTER: run_pointer(c, file, n); break;
		case ADD_CHECKSUM: run_checksum(c, file, n); break;
		default: CHECK(false);
		}
	}
}
