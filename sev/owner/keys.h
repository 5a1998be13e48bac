/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys: where secrets live. Every buffer is its own locked mapping that is
 * left out of core dumps and child processes, and is wiped before it goes.
 * The process itself can neither dump core nor be read by a debugger of the
 * same user. OpenSSL's private keys sit in its secure heap; its HMAC and AES
 * contexts are on the ordinary heap for the length of one call and wiped.
 */
#ifndef CARREL_SEV_OWNER_KEYS_H
#define CARREL_SEV_OWNER_KEYS_H

#include <assert.h>

#include "vmm/num.h"

/* The transport keys of one launch, in the order of sev-tool's tmp_tk.bin. */
struct tk {
	uint8_t tek[16]; /* encrypts what the owner sends */
	uint8_t tik[16]; /* authenticates it, and the measurement */
};
static_assert(sizeof(struct tk) == 32, "tmp_tk.bin is TEK, then TIK");

/* Once, before the first key exists. -errno after a log line. */
int keys_protect(void) MUST_USE;

/* Zeroed; NULL after a log line. len must be the same for both. */
void *keys_alloc(size_t len);
void keys_free(void *p, size_t len);

/* Reads tmp_tk.bin; release with keys_free(tk, sizeof *tk). */
int keys_load_tk(struct tk **out, const char *path) MUST_USE;

#endif
