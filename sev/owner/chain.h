/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chain: is this platform AMD's, and this PDH that platform's? Seven links,
 * all of which must hold:
 *
 *	ARK <- ARK, and pinned		ASK <- ARK	CEK <- ASK
 *	OCA <- OCA	PEK <- CEK	PEK <- OCA	PDH <- PEK
 *
 * Everything in the directory comes from the host and is trusted for nothing:
 * only the pin (or the root the owner names) is.
 */
#ifndef CARREL_SEV_OWNER_CHAIN_H
#define CARREL_SEV_OWNER_CHAIN_H

#include "sev/owner/cert.h"

/* A certificate's place; the parsed half that its format calls for is set. */
enum chain_name {
	CHAIN_ARK,
	CHAIN_ASK,
	CHAIN_CEK,
	CHAIN_OCA,
	CHAIN_PEK,
	CHAIN_PDH,
	CHAIN_NAMES
};

struct chain {
	struct amd_cert amd[2]; /* [CHAIN_ARK], [CHAIN_ASK] */
	struct sev_cert sev[4]; /* [name - CHAIN_CEK] */
	const char *broken[CHAIN_NAMES]; /* why it is of no use, or NULL */
};

#define CHAIN_LINKS 7

struct chain_link {
	const char *name; /* "PEK <- CEK" */
	const char *bad; /* NULL: it holds; else the reason */
	const char *note; /* whose the root is, or NULL */
};

/* Starts with every certificate missing. */
void chain_init(struct chain *c);

/* Takes one certificate's bytes; a bad one only breaks its links. */
void chain_set(struct chain *c, enum chain_name name, const uint8_t *p,
	       size_t len);

/*
 * Reads ark, ask, cek, oca, pek and pdh .cert. A missing one only breaks its
 * links; -errno, after a log line, if there is no such directory.
 */
int chain_load(struct chain *c, const char *dir) MUST_USE;

/*
 * 0, or -EKEYREJECTED if any link fails. root: trust this ARK only; NULL:
 * AMD's. All links are reported, also after one that fails.
 */
int chain_verify(const struct chain *c, const struct amd_cert *root,
		 struct chain_link link[CHAIN_LINKS]) MUST_USE;

#endif
