/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel_platform: /dev/sev.
 */
#include <errno.h>
#include <stdlib.h>

#include "sev/emu/kernel.h"
#include "sev/emu/stub.h"

#define CHAIN_LEN (3 * sizeof(struct cert))

int kernel_blob(uint64_t at, uint32_t len, struct span *out)
{
	void *p;
	int rc;

	if (!at || !len || len > UAPI_BLOB_MAX)
		return -EINVAL;
	p = malloc(len);
	if (!p)
		return -ENOMEM;
	rc = stub_copy_in(p, at, len);
	if (rc)
		free(p);
	else
		*out = (struct span){ p, len };
	return rc;
}

int kernel_result(enum psp_status s, uint32_t *error)
{
	*error = s;
	return s == PSP_SUCCESS ? 0 : -EIO;
}

static int ask(struct emu *e, struct psp_request *r, uint32_t *error)
{
	return kernel_result(psp_execute(&e->psp, r, NULL), error);
}

static int plain(struct emu *e, enum psp_command id, uint32_t *error)
{
	struct psp_request r = { .id = id };

	return ask(e, &r, error);
}

static int platform_status(struct emu *e, struct sev_issue_cmd *c)
{
	struct sev_user_data_status s;
	struct psp_request r = {
		.id = PSP_PLATFORM_STATUS,
		.out[0] = { (uint8_t *)&s, sizeof s, 0 },
	};
	uint32_t error;
	int rc = ask(e, &r, &error);

	c->error = error;
	return rc ? rc : stub_copy_out(c->data, &s, sizeof s);
}

/* A wrong length is answered with the right one. */
static int pek_csr(struct emu *e, struct sev_issue_cmd *c)
{
	struct sev_user_data_pek_csr a;
	struct psp_request r = { .id = PSP_PEK_CSR };
	uint8_t buf[sizeof(struct cert)];
	uint32_t error = 0;
	int rc = stub_copy_in(&a, c->data, sizeof a);
	int rc2;

	if (rc)
		return rc;
	if (a.length > UAPI_BLOB_MAX)
		return -EFAULT;
	if (a.address && a.length)
		r.out[0] = (struct psp_room){
			buf, (uint32_t)min_u64(a.length, sizeof buf), 0
		};
	rc = ask(e, &r, &error);
	c->error = error;
	a.length = r.out[0].len;
	rc2 = stub_copy_out(c->data, &a, sizeof a);
	if (!rc2 && !rc)
		rc2 = stub_copy_out(a.address, buf, a.length);
	return rc2 ? rc2 : rc;
}

static int pek_import(struct emu *e, struct sev_issue_cmd *c)
{
	struct sev_user_data_pek_cert_import a;
	struct psp_request r = { .id = PSP_PEK_CERT_IMPORT };
	uint32_t error = 0;
	int rc = stub_copy_in(&a, c->data, sizeof a);

	if (!rc)
		rc = kernel_blob(a.pek_cert_address, a.pek_cert_len, &r.in[0]);
	if (!rc)
		rc = kernel_blob(a.oca_cert_address, a.oca_cert_len, &r.in[1]);
	if (!rc)
		rc = ask(e, &r, &error);
	c->error = error;
	free((void *)r.in[0].p);
	free((void *)r.in[1].p);
	return rc;
}

static int pdh_export(struct emu *e, struct sev_issue_cmd *c)
{
	struct sev_user_data_pdh_cert_export a;
	struct psp_request r = { .id = PSP_PDH_CERT_EXPORT };
	uint8_t pdh[sizeof(struct cert)], chain[CHAIN_LEN];
	uint32_t error = 0;
	int rc = stub_copy_in(&a, c->data, sizeof a);
	int rc2;

	if (rc)
		return rc;
	if (a.pdh_cert_len > UAPI_BLOB_MAX || a.cert_chain_len > UAPI_BLOB_MAX)
		return -EFAULT;
	if (a.pdh_cert_address && a.pdh_cert_len && a.cert_chain_address) {
		r.out[0] = (struct psp_room){
			pdh, (uint32_t)min_u64(a.pdh_cert_len, sizeof pdh), 0
		};
		r.out[1] = (struct psp_room){
			chain,
			(uint32_t)min_u64(a.cert_chain_len, sizeof chain), 0
		};
	}
	rc = ask(e, &r, &error);
	c->error = error;
	a.pdh_cert_len = r.out[0].len;
	a.cert_chain_len = r.out[1].len;
	rc2 = stub_copy_out(c->data, &a, sizeof a);
	if (!rc2 && !rc)
		rc2 = stub_copy_out(a.pdh_cert_address, pdh, sizeof pdh);
	if (!rc2 && !rc)
		rc2 = stub_copy_out(a.cert_chain_address, chain, sizeof chain);
	return rc2 ? rc2 : rc;
}

/* The old form always gives two places of 64 bytes; one socket is ours. */
static int get_id(struct emu *e, struct sev_issue_cmd *c)
{
	struct sev_user_data_get_id a = { 0 };
	struct psp_request r = {
		.id = PSP_GET_ID,
		.out[0] = { a.socket1, sizeof a.socket1, 0 },
	};
	uint32_t error = 0;
	int rc = ask(e, &r, &error);

	c->error = error;
	return rc ? rc : stub_copy_out(c->data, &a, sizeof a);
}

static int get_id2(struct emu *e, struct sev_issue_cmd *c)
{
	struct sev_user_data_get_id2 a;
	struct psp_request r = { .id = PSP_GET_ID };
	uint8_t id[CHIP_ID_LEN];
	uint32_t error = 0;
	int rc = stub_copy_in(&a, c->data, sizeof a);
	int rc2;

	if (rc)
		return rc;
	if (a.address && a.length)
		r.out[0] = (struct psp_room){
			id, (uint32_t)min_u64(a.length, sizeof id), 0
		};
	rc = ask(e, &r, &error);
	c->error = error;
	a.length = r.out[0].len;
	rc2 = stub_copy_out(c->data, &a, sizeof a);
	if (!rc2 && !rc)
		rc2 = stub_copy_out(a.address, id, sizeof id);
	return rc2 ? rc2 : rc;
}

static int simple(struct emu *e, struct sev_issue_cmd *c)
{
	static const enum psp_command id[SEV_MAX] = {
		[SEV_FACTORY_RESET] = PSP_FACTORY_RESET,
		[SEV_PEK_GEN] = PSP_PEK_GEN,
		[SEV_PDH_GEN] = PSP_PDH_GEN,
	};
	uint32_t error = 0;
	int rc;

	/* The driver would have to shut the platform down under its guests. */
	if (c->cmd == SEV_FACTORY_RESET && e->psp.state == PLATFORM_WORKING)
		return -EBUSY;
	rc = plain(e, id[c->cmd], &error);
	c->error = error;
	return rc;
}

int kernel_platform(struct emu *e, uint64_t arg, bool writable)
{
	static const struct {
		int (*run)(struct emu *e, struct sev_issue_cmd *c);
		bool writes;
	} ops[SEV_MAX] = {
		[SEV_FACTORY_RESET] = { simple, true },
		[SEV_PLATFORM_STATUS] = { platform_status, false },
		[SEV_PEK_GEN] = { simple, true },
		[SEV_PEK_CSR] = { pek_csr, true },
		[SEV_PDH_GEN] = { simple, true },
		[SEV_PDH_CERT_EXPORT] = { pdh_export, false },
		[SEV_PEK_CERT_IMPORT] = { pek_import, true },
		[SEV_GET_ID] = { get_id, false },
		[SEV_GET_ID2] = { get_id2, false },
	};
	struct sev_issue_cmd c;
	int rc = stub_copy_in(&c, arg, sizeof c), rc2;

	if (rc)
		return rc;
	if (c.cmd >= SEV_MAX || !ops[c.cmd].run)
		rc = -EINVAL;
	else if (ops[c.cmd].writes && !writable)
		rc = -EPERM;
	else
		rc = ops[c.cmd].run(e, &c);
	rc2 = stub_copy_out(arg, &c, sizeof c);
	return rc2 ? rc2 : rc;
}
