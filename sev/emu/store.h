/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store: the files of an identity: DIR/NAME.cert in the platform's own binary
 * formats and DIR/NAME.key in PEM, mode 0600. A file is replaced whole or not
 * at all. What is read back is trusted as far as the directory's owner is.
 */
#ifndef CARREL_EMU_STORE_H
#define CARREL_EMU_STORE_H

#include <openssl/evp.h>

#include "vmm/num.h"

int store_write(const char *dir, const char *name, const char *suffix,
		const void *p, size_t len) MUST_USE;
/* Exactly len bytes: a file of another size is -EBADMSG. */
int store_read(const char *dir, const char *name, const char *suffix, void *p,
	       size_t len) MUST_USE;
int store_remove(const char *dir, const char *name,
		 const char *suffix) MUST_USE;

int store_key(const char *dir, const char *name, EVP_PKEY *key) MUST_USE;
int store_load_key(const char *dir, const char *name, EVP_PKEY **key) MUST_USE;

/* An empty directory beside dir, whose parents are made when missing. */
int store_temporary(const char *dir, char *tmp, size_t cap) MUST_USE;

#endif
