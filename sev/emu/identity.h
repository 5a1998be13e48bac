/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity: who the emulated processor is. A chip has its CEK for life, signed
 * by AMD (here: by our own ARK and ASK); the owner's OCA and the PEK and PDH
 * below it change with PEK_GEN, PEK_CERT_IMPORT and PDH_GEN. All of it is kept
 * in one directory, made on first use: certificates under the names that owner
 * tools expect, private keys beside them with mode 0600.
 */
#ifndef CARREL_EMU_IDENTITY_H
#define CARREL_EMU_IDENTITY_H

#include "sev/emu/cert.h"

#define CHIP_ID_LEN 64

enum identity_part {
	PART_ARK,
	PART_ASK,
	PART_CEK,
	PART_OCA,
	PART_PEK,
	PART_PDH,
	PART_COUNT
};

struct identity {
	char dir[512];
	uint8_t api_major, api_minor;
	EVP_PKEY *key[PART_COUNT]; /* no OCA key: somebody else owns it */
	struct amd_cert amd[2]; /* ARK, ASK */
	struct cert cert[PART_COUNT]; /* from PART_CEK on */
	uint8_t chip_id[CHIP_ID_LEN];
};

/* Loads the directory, or makes it first. */
int identity_open(struct identity *id, const char *dir, uint8_t api_major,
		  uint8_t api_minor) MUST_USE;
void identity_close(struct identity *id);

/* Owned by somebody whose OCA key is not here (PEK_CERT_IMPORT)? */
bool identity_owned(const struct identity *id);

/* Each makes new keys, signs what lies below, and stores the result. */
int identity_new_owner(struct identity *id) MUST_USE; /* PEK_GEN */
int identity_new_pdh(struct identity *id) MUST_USE; /* PDH_GEN */
int identity_import(struct identity *id, const struct cert *pek,
		    const struct cert *oca) MUST_USE; /* checked before */

#endif
