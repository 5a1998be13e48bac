/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cipher: what the memory controller does to a private page: AES-128 in XEX
 * mode, one key a guest, the tweak derived from the physical address of each
 * 16-byte block (AMD APM 2, 15.34.1). The emulated controller has a tweak key
 * of its own, since hardware does not say how it forms the tweak.
 */
#ifndef CARREL_EMU_CIPHER_H
#define CARREL_EMU_CIPHER_H

#include <openssl/evp.h>

#include "sev/emu/crypto.h"
#include "sev/emu/lock.h"

#define CIPHER_BLOCK 16

struct cipher {
	struct lock lock; /* the contexts below are not for two users */
	EVP_CIPHER_CTX *encrypt, *decrypt, *tweak;
};

int cipher_open(struct cipher *c, const uint8_t key[KEY_LEN]) MUST_USE;
void cipher_close(struct cipher *c);

/*
 * len and address are multiples of 16; in and out may be the same. Neither
 * allocates nor makes a system call.
 */
int cipher_encrypt(struct cipher *c, uint64_t address, const uint8_t *in,
		   uint8_t *out, size_t len) MUST_USE;
int cipher_decrypt(struct cipher *c, uint64_t address, const uint8_t *in,
		   uint8_t *out, size_t len) MUST_USE;

#endif
