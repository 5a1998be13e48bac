/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text: bytes written as hexadecimal, GUIDs and numbers. Input is
 * untrusted and taken strictly: whole, nothing left over, nothing guessed.
 */
#ifndef CARREL_SEV_OWNER_TEXT_H
#define CARREL_SEV_OWNER_TEXT_H

#include "vmm/num.h"

#define GUID_LEN 16
#define GUID_TEXT 37

/* Exactly len bytes, either case; -EINVAL otherwise. */
int text_hex(const char *s, uint8_t *out, size_t len) MUST_USE;
void text_hex_write(char *out, size_t cap, const uint8_t *p, size_t len);

/* EFI's byte order: the first three groups are little-endian. */
int text_guid(const char *s, uint8_t out[GUID_LEN]) MUST_USE;
void text_guid_write(char out[GUID_TEXT], const uint8_t guid[GUID_LEN]);

/* Decimal, or hexadecimal after 0x; -ERANGE above max. */
int text_number(const char *s, uint64_t max, uint64_t *out) MUST_USE;

#endif
