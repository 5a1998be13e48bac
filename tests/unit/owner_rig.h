/* SPDX-License-Identifier: Apache-2.0 */
/*
 * owner_rig: the fixtures of the owner tool's tests: AMD's certificates, and
 * the fixed keys behind the known answers, which were computed with Python's
 * hmac and cryptography modules and once more with the openssl command.
 */
#ifndef CARREL_TESTS_OWNER_RIG_H
#define CARREL_TESTS_OWNER_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "sev/owner/chain.h"
#include "sev/owner/files.h"
#include "sev/owner/keys.h"
#include "sev/owner/text.h"

/* An odd policy: bits above the first byte must not be lost. */
#define RIG_POLICY 0x12345671u

/* The secret packet's MAC is bound to this measurement. */
#define RIG_M "1bba3f4db67cedccc196b6af37b20060afb38baf7f898a3ed0d2107b8dd8159a"

/* Bytes first, first + 1, ... */
static inline void rig_count(uint8_t *p, size_t len, uint8_t first)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(first + i);
}

static inline struct tk rig_tk(void)
{
	struct tk tk;

	rig_count(tk.tek, sizeof(tk.tek), 0x40);
	rig_count(tk.tik, sizeof(tk.tik), 0x60);
	return tk;
}

static inline void rig_is_hex(const uint8_t *p, size_t len, const char *want)
{
	char text[1024];

	assert_true(2 * len < sizeof(text));
	text_hex_write(text, sizeof(text), p, len);
	assert_string_equal(text, want);
}

static inline size_t rig_cert(const char *product, const char *name,
			      uint8_t *buf, size_t cap)
{
	char path[128];
	size_t len;

	snprintf(path, sizeof(path), "tests/fixtures/amd-certs/%s/%s.cert",
		 product, name);
	assert_int_equal(files_read(path, buf, cap, &len), 0);
	return len;
}

#endif
