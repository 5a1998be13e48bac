/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verbs: certificates, sessions, measurements and secrets from the command
 * line: read files, call the part that does it, write files.
 */
#include "sev/owner/verbs.h"

#include <errno.h>
#include <stdio.h>

#include "sev/base64.h"
#include "sev/owner/chain.h"
#include "sev/owner/crypto.h"
#include "sev/owner/export.h"
#include "sev/owner/files.h"
#include "sev/owner/measure.h"
#include "sev/owner/session.h"
#include "sev/owner/show.h"
#include "sev/policy.h"
#include "vmm/log.h"

int verb_export(const struct args *a)
{
	return export_platform(a->out, a->given & OPT(FORCE)) ? STATUS_ERROR
							      : STATUS_OK;
}

/* The ARK that the owner trusts, in *root; NULL there: AMD's. */
static int load_root(const char *path, struct amd_cert *space,
		     const struct amd_cert **root)
{
	uint8_t buf[4096];
	const char *why;
	size_t len;
	int rc;

	*root = NULL;
	if (!path)
		return 0;
	rc = files_read_either(path, buf, sizeof(buf), &len);
	if (rc)
		return rc;
	rc = amd_cert_parse(space, buf, len, &why);
	if (!rc && space->usage != USAGE_ARK) {
		why = "its usage is another key's";
		rc = -EINVAL;
	}
	if (rc) {
		log_error("--root: %s is no ARK: %s", path, why);
		return -EINVAL;
	}
	*root = space;
	return 0;
}

static void print_link(const struct chain_link *l)
{
	const char *text = l->bad ? l->bad : l->note;

	printf("%-4s  %s%s%s\n", l->bad ? "FAIL" : "ok", l->name,
	       text ? ": " : "", text ? text : "");
}

/* 0 all links hold, -EKEYREJECTED one does not, else what is missing. */
static int verify_dir(struct chain *c, const char *dir, const char *root_path)
{
	struct chain_link link[CHAIN_LINKS];
	const struct amd_cert *root;
	struct amd_cert space;
	int rc = load_root(root_path, &space, &root);

	if (rc)
		return rc;
	chain_init(c);
	rc = chain_load(c, dir);
	if (rc)
		return rc;
	rc = chain_verify(c, root, link);
	for (size_t i = 0; i < CHAIN_LINKS; i++)
		print_link(&link[i]);
	return rc;
}

int verb_verify_chain(const struct args *a)
{
	struct chain c;
	int rc = verify_dir(&c, a->file, a->root);

	return !rc ? STATUS_OK : rc == -EKEYREJECTED ? STATUS_NO : STATUS_ERROR;
}

static int load_pdh(struct sev_cert *pdh, const char *path)
{
	uint8_t buf[4096];
	const char *why = NULL;
	size_t len;
	int rc = files_read_either(path, buf, sizeof(buf), &len);

	if (rc)
		return rc;
	rc = sev_cert_parse(pdh, buf, len, &why);
	if (!rc && pdh->usage != USAGE_PDH)
		why = "its usage is another key's";
	if (why)
		log_error("--pdh: %s is no PDH certificate: %s", path, why);
	return why ? -EINVAL : rc;
}

/* The owner's decision, made explicit: a proof, or a waiver. */
static int prove_pdh(const struct args *a, const struct sev_cert *pdh)
{
	struct chain c;
	int rc;

	if (!a->chain == !(a->given & OPT(UNVERIFIED))) {
		log_error(
			"session needs either --chain DIR, to prove that "
			"the PDH belongs to an AMD platform, or --unverified");
		return -EINVAL;
	}
	if (!a->chain && a->root) {
		log_error("--root is of use only with --chain");
		return -EINVAL;
	}
	if (!a->chain) {
		log_warn("the PDH is taken unverified: whoever made it can "
			 "read everything that the owner will send");
		return 0;
	}
	rc = verify_dir(&c, a->chain, a->root);
	if (rc == -EKEYREJECTED)
		log_error("the certificates in %s do not verify; no session "
			  "is made",
			  a->chain);
	if (!rc &&
	    memcmp(c.sev[CHAIN_PDH - CHAIN_CEK].raw, pdh->raw, SEV_CERT_LEN)) {
		log_error("%s is not the PDH in %s; no session is made", a->pdh,
			  a->chain);
		rc = -EKEYREJECTED;
	}
	return rc;
}

static int write_session(const struct args *a, const struct session *s,
			 const struct tk *tk)
{
	const struct file_out set[] = {
		{ "tmp_tk.bin", tk, sizeof(*tk), 0600, false },
		{ "godh.cert", s->godh, sizeof(s->godh), 0644, false },
		{ "godh.cert.b64", s->godh, sizeof(s->godh), 0644, true },
		{ "launch_blob.bin", s->blob, sizeof(s->blob), 0644, false },
		{ "launch_blob.bin.b64", s->blob, sizeof(s->blob), 0644, true },
	};

	return files_write_set(a->out, set, ARRAY_LEN(set),
			       a->given & OPT(FORCE));
}

int verbs_policy(uint32_t policy)
{
	char why[256];
	int rc = policy_check(policy, NULL, why, sizeof(why));

	if (rc)
		log_error("--policy: %s", why);
	else if (why[0])
		log_warn("--policy: %s", why);
	return rc;
}

static int explain_policy(uint32_t policy)
{
	char text[256];
	int rc = verbs_policy(policy);

	if (rc)
		return rc;
	policy_describe(policy, text, sizeof(text));
	printf("policy 0x%x: %s\n", policy, text);
	return 0;
}

int verb_session(const struct args *a)
{
	struct session_keys *k = NULL;
	struct sev_cert pdh;
	struct session s;
	int rc = load_pdh(&pdh, a->pdh);

	if (!rc)
		rc = prove_pdh(a, &pdh);
	if (rc)
		return rc == -EKEYREJECTED ? STATUS_NO : STATUS_ERROR;
	rc = explain_policy(a->policy);
	if (!rc && !(k = keys_alloc(sizeof(*k))))
		rc = -ENOMEM;
	if (!rc)
		rc = session_make(&s, k, &pdh, a->policy);
	if (!rc)
		rc = write_session(a, &s, &k->tk);
	keys_free(k, sizeof(*k));
	if (rc)
		return STATUS_ERROR;
	printf("session: godh.cert and launch_blob.bin in %s go to the host; "
	       "tmp_tk.bin stays with you\n",
	       a->out);
	return STATUS_OK;
}

static struct measure_input measure_input(const struct args *a)
{
	struct measure_input in = {
		.api_major = (uint8_t)a->api_major,
		.api_minor = (uint8_t)a->api_minor,
		.build = (uint8_t)a->build_id,
		.policy = a->policy,
	};

	bytes_copy(in.digest, sizeof(in.digest), a->digest, sizeof(a->digest));
	bytes_copy(in.nonce, sizeof(in.nonce), a->nonce, sizeof(a->nonce));
	return in;
}

int verb_measure(const struct args *a)
{
	const struct measure_input in = measure_input(a);
	uint8_t m[SEV_MEASUREMENT_LEN];
	char text[BASE64_SIZE(sizeof(m))];
	struct tk *tk;
	int rc = keys_load_tk(&tk, a->tk);

	if (rc)
		return STATUS_ERROR;
	rc = measure_make(m, tk, &in);
	keys_free(tk, sizeof(*tk));
	if (rc)
		return STATUS_ERROR;
	base64_encode(m, sizeof(m), text, sizeof(text));
	printf("%s\n", text);
	return STATUS_OK;
}

int verb_verify(const struct args *a)
{
	const struct measure_input in = measure_input(a);
	struct tk *tk;
	int rc;

	if ((a->given & OPT(NONCE)) &&
	    memcmp(a->nonce, a->measurement + SEV_MAC_LEN, sizeof(a->nonce))) {
		log_error("the measurement carries another nonce than the one "
			  "given");
		return STATUS_NO;
	}
	rc = keys_load_tk(&tk, a->tk);
	if (rc)
		return STATUS_ERROR;
	rc = measure_check(a->measurement, tk, &in);
	keys_free(tk, sizeof(*tk));
	if (rc == -EBADMSG)
		log_error("the measurement is not the expected one: firmware, "
			  "kernel hashes, policy, API version, build or "
			  "session differ");
	else if (!rc)
		printf("measurement is as expected\n");
	return !rc ? STATUS_OK : rc == -EBADMSG ? STATUS_NO : STATUS_ERROR;
}

struct secret_table *verbs_table(const struct args *a)
{
	struct secret_table *t;
	int rc = 0;

	if (!a->n_entries) {
		log_error("no secret is given: --entry GUID=FILE or "
			  "--passwd-file FILE is needed");
		return NULL;
	}
	t = keys_alloc(sizeof(*t));
	if (!t)
		return NULL;
	secret_table_init(t);
	for (size_t i = 0; i < a->n_entries && !rc; i++)
		rc = secret_table_add(t, a->entry[i].guid, a->entry[i].path,
				      a->entry[i].passwd);
	if (rc) {
		keys_free(t, sizeof(*t));
		return NULL;
	}
	return t;
}

static int write_packet(const struct args *a, const struct secret_packet *p)
{
	const struct file_out set[] = {
		{ "header.bin", p->header, sizeof(p->header), 0644, false },
		{ "header.bin.b64", p->header, sizeof(p->header), 0644, true },
		{ "payload.bin", p->payload, p->len, 0644, false },
		{ "payload.bin.b64", p->payload, p->len, 0644, true },
	};

	return files_write_set(a->out, set, ARRAY_LEN(set),
			       a->given & OPT(FORCE));
}

/*
 * Without an API version the platform is taken to be a current one. Half a
 * version must not be completed by a zero: what it decides is whether the
 * packet is bound to its launch.
 */
static int secret_is_old(const struct args *a, bool *old)
{
	const uint32_t both = OPT(API_MAJOR) | OPT(API_MINOR);

	if ((a->given & both) && (a->given & both) != both) {
		log_error("--api-major and --api-minor go together: give both "
			  "or neither");
		return -EINVAL;
	}
	*old = (a->given & both) &&
	       measure_api_is_old((uint8_t)a->api_major, (uint8_t)a->api_minor);
	return 0;
}

static int pack_secret(const struct args *a, const struct secret_table *t,
		       const struct tk *tk)
{
	struct secret_packet p;
	uint8_t iv[16];
	bool old;
	int rc = secret_is_old(a, &old);

	if (a->given & OPT(IV))
		bytes_copy(iv, sizeof(iv), a->iv, sizeof(a->iv));
	else if (!rc)
		rc = crypto_random(iv, sizeof(iv));
	if (!rc)
		rc = secret_pack(&p, t, tk, iv, old ? NULL : a->measurement);
	if (!rc)
		rc = write_packet(a, &p);
	return rc;
}

int verb_secret(const struct args *a)
{
	struct secret_table *t = verbs_table(a);
	struct tk *tk = NULL;
	int rc = -EINVAL;

	if (a->given & OPT(IV))
		log_warn("--iv: a fixed initialisation vector is for tests "
			 "only: two secrets under one are readable");
	if (t)
		rc = keys_load_tk(&tk, a->tk);
	if (!rc)
		rc = pack_secret(a, t, tk);
	keys_free(tk, sizeof(*tk));
	keys_free(t, sizeof(*t));
	return rc ? STATUS_ERROR : STATUS_OK;
}

int verb_show(const struct args *a)
{
	return show_file(a->file, a->given & OPT(JSON), a->given & OPT(FIELDS))
		       ? STATUS_ERROR
		       : STATUS_OK;
}
