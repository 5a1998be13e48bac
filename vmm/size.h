/* SPDX-License-Identifier: Apache-2.0 */
/*
 * size: numbers as people write them on command lines. The text is the user's:
 * what is not wholly a number is refused.
 */
#ifndef CARREL_VMM_SIZE_H
#define CARREL_VMM_SIZE_H

#include "vmm/num.h"

/* The value of a hexadecimal digit; 16: it is none. */
unsigned size_digit(char c);

/* Digits, decimal or behind 0x; *end: what follows. false: none, too large. */
bool size_number(const char *text, const char **end, uint64_t *v) MUST_USE;

/* A number, perhaps with K, M, G or T: 1024 and its powers. */
bool size_parse(const char *text, uint64_t *v) MUST_USE;

#endif
