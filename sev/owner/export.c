/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export: PDH_CERT_EXPORT (SEV API, 5.14) into files of sev-tool's names.
 */
#include "sev/owner/export.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "sev/fwerr.h"
#include "sev/owner/files.h"
#include "sev/psp.h"
#include "vmm/log.h"

static int write_certs(const char *dir, const uint8_t *pdh,
		       const uint8_t *chain, bool force)
{
	const struct file_out set[] = {
		{ "pdh.cert", pdh, SEV_CERT_LEN, 0644, false },
		{ "pek.cert", chain, SEV_CERT_LEN, 0644, false },
		{ "oca.cert", chain + SEV_CERT_LEN, SEV_CERT_LEN, 0644, false },
		{ "cek.cert", chain + 2 * SEV_CERT_LEN, SEV_CERT_LEN, 0644,
		  false },
		{ "cert_chain.cert", chain, SEV_CHAIN_LEN, 0644, false },
	};

	return files_write_set(dir, set, ARRAY_LEN(set), force);
}

int export_platform(const char *dir, bool force)
{
	uint8_t pdh[SEV_CERT_LEN] = { 0 }, chain[SEV_CHAIN_LEN] = { 0 };
	size_t pdh_len = sizeof(pdh), chain_len = sizeof(chain);
	int fd = psp_open(PSP_DEVICE), rc;
	struct sev_error e;
	char text[512];

	if (fd < 0) {
		log_error("cannot open %s: %s; the kernel's ccp driver offers "
			  "it on an AMD host whose firmware enables SEV",
			  PSP_DEVICE, strerror(-fd));
		return fd;
	}
	e = psp_pdh_export(fd, pdh, &pdh_len, chain, &chain_len);
	close(fd);
	if (e.err) {
		fwerr_describe("PDH_CERT_EXPORT", e, text, sizeof(text));
		log_error("%s", text);
		return e.err;
	}
	if (pdh_len != sizeof(pdh) || chain_len != sizeof(chain)) {
		log_error("%s gave a PDH of %zu and a chain of %zu bytes; "
			  "%zu and %zu are expected",
			  PSP_DEVICE, pdh_len, chain_len, sizeof(pdh),
			  sizeof(chain));
		return -EPROTO;
	}
	rc = write_certs(dir, pdh, chain, force);
	if (!rc)
		printf("exported to %s; add AMD's ark.cert and ask.cert for "
		       "this processor, then: carrel-sev verify-chain %s\n",
		       dir, dir);
	return rc;
}
