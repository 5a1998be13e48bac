/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sha256: FIPS 180-4, section 6.2, for the table of a kernel's hashes. Our own,
 * since loading a whole cryptographic library took as long as all else of
 * carrel's start; the owner's tool hashes by OpenSSL, and tests compare.
 */
#ifndef CARREL_BOOT_SHA256_H
#define CARREL_BOOT_SHA256_H

#include <stdint.h>

#include "vmm/num.h"

#define SHA256_BYTES 32u

/* Pure. By the processor's own instructions where it has them. */
void sha256(const void *data, size_t len, uint8_t out[SHA256_BYTES]);

/* The two ways, for tests: the second is false where there are none. */
void sha256_plain(const void *data, size_t len, uint8_t out[SHA256_BYTES]);
bool sha256_native(const void *data, size_t len, uint8_t out[SHA256_BYTES]);

#endif
