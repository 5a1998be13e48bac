/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fwerr: what the secure processor's firmware says when it refuses (SEV API,
 * table 4), in words, with a hint what a person can do about it.
 */
#ifndef CARREL_SEV_FWERR_H
#define CARREL_SEV_FWERR_H

#include "sev/cmd.h"

/* The status that code looks at, too: a buffer was not of the size needed. */
#define FWERR_INVALID_LENGTH 0x04u

/* The specification's name, "POLICY_FAILURE"; unknown: "unknown status". */
const char *fwerr_name(uint32_t fw);

/* What it means and what to do, one sentence each. */
const char *fwerr_text(uint32_t fw);
const char *fwerr_hint(uint32_t fw);

/*
 * A whole sentence for command what: the system call's error, or the
 * firmware's status with its text and hint.
 */
void fwerr_describe(const char *what, struct sev_error e, char *text,
		    size_t cap);

#endif
