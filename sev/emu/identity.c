/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity: see the header. A directory appears under its name only when it is
 * complete, so two programs that start at once cannot see half of one.
 */
#include "sev/emu/identity.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sev/emu/store.h"
#include "vmm/log.h"

static const char *const part_name[PART_COUNT] = {
	[PART_ARK] = "ark", [PART_ASK] = "ask", [PART_CEK] = "cek",
	[PART_OCA] = "oca", [PART_PEK] = "pek", [PART_PDH] = "pdh",
};

static struct span part_bytes(const struct identity *id, enum identity_part p)
{
	if (p <= PART_ASK)
		return (struct span){ &id->amd[p], sizeof id->amd[p] };
	return (struct span){ &id->cert[p], sizeof id->cert[p] };
}

static int store_part(const struct identity *id, const char *dir,
		      enum identity_part p)
{
	struct span s = part_bytes(id, p);
	int rc = store_write(dir, part_name[p], ".cert", s.p, s.len);

	if (rc)
		return rc;
	return id->key[p] ? store_key(dir, part_name[p], id->key[p])
			  : store_remove(dir, part_name[p], ".key");
}

/* What PDH_CERT_EXPORT calls the chain: PEK, OCA, CEK in a row. */
static int store_chain(const struct identity *id, const char *dir)
{
	const struct cert chain[] = { id->cert[PART_PEK], id->cert[PART_OCA],
				      id->cert[PART_CEK] };

	return store_write(dir, "cert_chain", ".cert", chain, sizeof chain);
}

static int store_from(const struct identity *id, const char *dir,
		      enum identity_part first)
{
	int rc = 0;

	for (enum identity_part p = first; !rc && p < PART_COUNT; p++)
		rc = store_part(id, dir, p);
	return rc ? rc : store_chain(id, dir);
}

static int new_key(struct identity *id, enum identity_part p)
{
	EVP_PKEY *k = p <= PART_ASK ? crypto_new_rsa4096() : crypto_new_p384();

	if (!k)
		return -EIO;
	EVP_PKEY_free(id->key[p]);
	id->key[p] = k;
	return 0;
}

static int new_cert(struct identity *id, enum identity_part p,
		    enum cert_usage usage)
{
	return cert_make(&id->cert[p], usage, id->key[p], id->api_major,
			 id->api_minor);
}

static int make_chip(struct identity *id)
{
	int rc = 0;

	for (enum identity_part p = PART_ARK; !rc && p <= PART_CEK; p++)
		rc = new_key(id, p);
	if (!rc)
		rc = amd_cert_make(&id->amd[PART_ARK], USAGE_ARK,
				   id->key[PART_ARK], NULL, id->key[PART_ARK]);
	if (!rc)
		rc = amd_cert_make(&id->amd[PART_ASK], USAGE_ASK,
				   id->key[PART_ASK], &id->amd[PART_ARK],
				   id->key[PART_ARK]);
	if (!rc)
		rc = new_cert(id, PART_CEK, USAGE_CEK);
	if (!rc)
		rc = cert_sign(&id->cert[PART_CEK], 0, USAGE_ASK,
			       id->key[PART_ASK]);
	return rc;
}

static int make_pdh(struct identity *id)
{
	int rc = new_key(id, PART_PDH);

	if (!rc)
		rc = new_cert(id, PART_PDH, USAGE_PDH);
	if (!rc)
		rc = cert_sign(&id->cert[PART_PDH], 0, USAGE_PEK,
			       id->key[PART_PEK]);
	return rc;
}

static int make_owner(struct identity *id)
{
	int rc = new_key(id, PART_OCA);

	if (!rc)
		rc = new_key(id, PART_PEK);
	if (!rc)
		rc = new_cert(id, PART_OCA, USAGE_OCA);
	if (!rc)
		rc = cert_sign(&id->cert[PART_OCA], 0, USAGE_OCA,
			       id->key[PART_OCA]);
	if (!rc)
		rc = new_cert(id, PART_PEK, USAGE_PEK);
	if (!rc)
		rc = cert_sign(&id->cert[PART_PEK], 0, USAGE_OCA,
			       id->key[PART_OCA]);
	if (!rc)
		rc = cert_sign(&id->cert[PART_PEK], 1, USAGE_CEK,
			       id->key[PART_CEK]);
	return rc ? rc : make_pdh(id);
}

static int load_part(struct identity *id, enum identity_part p)
{
	struct span s = part_bytes(id, p);
	int rc = store_read(id->dir, part_name[p], ".cert", (void *)s.p, s.len);

	if (!rc)
		rc = store_load_key(id->dir, part_name[p], &id->key[p]);
	return rc == -ENOENT && p == PART_OCA ? 0 : rc;
}

static int load(struct identity *id)
{
	int rc = 0;

	for (enum identity_part p = PART_ARK; !rc && p < PART_COUNT; p++)
		rc = load_part(id, p);
	return rc;
}

/* A directory that did not become the identity: it holds keys. */
static void discard(const char *dir)
{
	int rc = store_remove(dir, "cert_chain", ".cert");

	for (enum identity_part p = 0; !rc && p < PART_COUNT; p++) {
		rc = store_remove(dir, part_name[p], ".cert");
		if (!rc)
			rc = store_remove(dir, part_name[p], ".key");
	}
	if (rc || rmdir(dir))
		log_warn("%s is of no use, and cannot be removed", dir);
}

static int create(struct identity *id)
{
	char tmp[sizeof id->dir + 8];
	int rc = make_chip(id);

	if (!rc)
		rc = make_owner(id);
	if (rc)
		return rc;
	rc = store_temporary(id->dir, tmp, sizeof tmp);
	if (rc)
		return rc;
	rc = store_from(id, tmp, PART_ARK);
	if (!rc && rename(tmp, id->dir))
		rc = -errno;
	if (!rc)
		return 0;
	discard(tmp);
	/* Somebody was quicker: theirs is the identity. */
	return rc == -ENOTEMPTY || rc == -EEXIST ? load(id) : rc;
}

int identity_open(struct identity *id, const char *dir, uint8_t api_major,
		  uint8_t api_minor)
{
	uint8_t half[MAC_LEN];
	int rc;

	*id = (struct identity){ .api_major = api_major,
				 .api_minor = api_minor };
	if (strlen(dir) >= sizeof id->dir)
		return -ENAMETOOLONG;
	bytes_copy(id->dir, sizeof id->dir, dir, strlen(dir));
	if (access(dir, F_OK)) {
		rc = create(id);
	} else {
		rc = load(id);
	}
	if (!rc)
		rc = crypto_sha256(&id->cert[PART_CEK], CERT_SIGNED_LEN, half);
	if (rc) {
		identity_close(id);
		return rc;
	}
	bytes_copy(id->chip_id, CHIP_ID_LEN, half, sizeof half);
	rc = crypto_sha256(half, sizeof half, half);
	bytes_copy(id->chip_id + MAC_LEN, CHIP_ID_LEN - MAC_LEN, half,
		   sizeof half);
	return rc;
}

void identity_close(struct identity *id)
{
	for (enum identity_part p = 0; p < PART_COUNT; p++)
		EVP_PKEY_free(id->key[p]);
	*id = (struct identity){ 0 };
}

bool identity_owned(const struct identity *id)
{
	return !id->key[PART_OCA];
}

int identity_new_owner(struct identity *id)
{
	int rc = make_owner(id);

	return rc ? rc : store_from(id, id->dir, PART_OCA);
}

int identity_new_pdh(struct identity *id)
{
	int rc = make_pdh(id);

	return rc ? rc : store_from(id, id->dir, PART_PDH);
}

int identity_import(struct identity *id, const struct cert *pek,
		    const struct cert *oca)
{
	int rc;

	EVP_PKEY_free(id->key[PART_OCA]);
	id->key[PART_OCA] = NULL;
	id->cert[PART_OCA] = *oca;
	id->cert[PART_PEK] = *pek;
	rc = cert_sign(&id->cert[PART_PEK], 1, USAGE_CEK, id->key[PART_CEK]);
	if (!rc)
		rc = make_pdh(id);
	return rc ? rc : store_from(id, id->dir, PART_OCA);
}
