/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sentences begin as QEMU's do, because scripts look for them; what follows is
 * the firmware's status in words.
 */
#include "sev/qmp.h"

#include <errno.h>
#include <stdlib.h>

#include "sev/base64.h"
#include "sev/fwerr.h"

/* GET_ID returns 64 bytes a socket; there are at most two (SEV API, 5.15). */
#define ID_MAX 128

static int fail_fw(struct control_error *err, const char *what,
		   struct sev_error e)
{
	char text[256];

	fwerr_describe(what, e, text, sizeof(text));
	return control_fail(err, e.err, "SEV: %s", text);
}

/* {name: base64 of bytes}, added to object. */
static int set_base64(json_t *object, const char *name, const uint8_t *bytes,
		      size_t len)
{
	size_t cap = BASE64_SIZE(len);
	char *text = malloc(cap);
	int rc = -ENOMEM;

	if (text && object) {
		base64_encode(bytes, len, text, cap);
		rc = json_object_set_new(object, name, json_string(text));
	}
	free(text);
	return rc ? -ENOMEM : 0;
}

static int query_sev(void *ctx, const json_t *args, json_t **ret,
		     struct control_error *err)
{
	static const struct launch none = { 0 };
	const struct sev_qmp *q = ctx;
	const struct launch *l = q->launch ? q->launch : &none;

	(void)args;
	(void)err;
	*ret = json_pack("{s:b, s:i, s:i, s:i, s:s, s:s, s:I, s:I}", "enabled",
			 q->launch != NULL, "api-major",
			 (int)l->platform.api_major, "api-minor",
			 (int)l->platform.api_minor, "build-id",
			 (int)l->platform.build, "state", launch_state_name(l),
			 "sev-type", "sev", "policy", (json_int_t)l->policy,
			 "handle", (json_int_t)l->handle);
	return 0;
}

static int query_measure(void *ctx, const json_t *args, json_t **ret,
			 struct control_error *err)
{
	const struct sev_qmp *q = ctx;

	(void)args;
	if (!q->launch || q->launch->state < LAUNCH_SECRET)
		return control_fail(err, -EPERM,
				    "SEV launch measurement is not available");
	*ret = json_object();
	return set_base64(*ret, "data", q->launch->measurement,
			  sizeof(q->launch->measurement));
}

static int query_capabilities(void *ctx, const json_t *args, json_t **ret,
			      struct control_error *err)
{
	uint8_t pdh[SEV_CERT_LEN], chain[SEV_CHAIN_LEN], id[ID_MAX];
	size_t pdh_len = sizeof(pdh), chain_len = sizeof(chain);
	size_t id_len = sizeof(id);
	const struct sev_qmp *q = ctx;
	struct sev_error e;
	int rc;

	(void)args;
	if (!q->launch)
		return control_fail(err, -EPERM, "SEV is not configured");
	e = psp_pdh_export(q->launch->guest.psp_fd, pdh, &pdh_len, chain,
			   &chain_len);
	if (e.err)
		return fail_fw(err, "Failed to export PDH cert", e);
	e = psp_get_id(q->launch->guest.psp_fd, id, &id_len);
	if (e.err)
		return fail_fw(err, "Failed to get ID", e);
	if (pdh_len > sizeof(pdh) || chain_len > sizeof(chain) ||
	    id_len > sizeof(id))
		return control_fail(err, -EIO,
				    "SEV: the firmware returned more "
				    "than there was room for");
	*ret = json_pack("{s:i, s:i}", "cbitpos", (int)q->launch->cbitpos,
			 "reduced-phys-bits",
			 (int)q->launch->reduced_phys_bits);
	rc = set_base64(*ret, "pdh", pdh, pdh_len);
	if (!rc)
		rc = set_base64(*ret, "cert-chain", chain, chain_len);
	if (!rc)
		rc = set_base64(*ret, "cpu0-id", id, id_len);
	return rc;
}

/* A base64 argument of 1 to cap bytes. */
static int get_base64(const json_t *args, const char *name, uint8_t *out,
		      size_t cap, size_t *len)
{
	const json_t *v = json_object_get(args, name);

	return base64_decode(json_string_value(v), json_string_length(v), out,
			     cap, len);
}

static int inject_secret(void *ctx, const json_t *args, json_t **ret,
			 struct control_error *err)
{
	const json_t *gpa_arg = json_object_get(args, "gpa");
	gpa_t gpa = { (uint64_t)json_integer_value(gpa_arg) };
	uint8_t hdr[SEV_SECRET_HEADER_LEN + 1], data[SEV_SECRET_MAX];
	size_t hdr_len, len;
	struct sev_qmp *q = ctx;
	int rc;

	(void)ret;
	if (!q->launch)
		return control_fail(err, -EPERM, "SEV not enabled for guest");
	if (q->launch->state != LAUNCH_SECRET)
		return control_fail(err, -EPERM,
				    "SEV: Not in correct state. (LSECRET) %s: "
				    "a secret is taken in launch-secret only",
				    launch_state_name(q->launch));
	if (get_base64(args, "packet-header", hdr, sizeof(hdr), &hdr_len))
		return control_fail(err, -EINVAL,
				    "SEV: Failed to decode sequence header: "
				    "base64 of %d bytes is expected",
				    SEV_SECRET_HEADER_LEN);
	if (get_base64(args, "secret", data, sizeof(data), &len))
		return control_fail(err, -EINVAL,
				    "SEV: Failed to decode data: base64 of %d "
				    "to %d bytes is expected",
				    SEV_SECRET_MIN, SEV_SECRET_MAX);
	rc = launch_secret(q->launch, hdr, hdr_len, data, len,
			   gpa_arg ? &gpa : NULL);
	if (rc)
		return control_fail(err, rc, "SEV: failed to inject secret: %s",
				    q->launch->why);
	return 0;
}

static int query_report(void *ctx, const json_t *args, json_t **ret,
			struct control_error *err)
{
	uint8_t mnonce[SEV_NONCE_LEN], report[SEV_REPORT_MAX];
	size_t n = 0, len = 0;
	const struct sev_qmp *q = ctx;
	struct sev_error e;

	if (!q->launch)
		return control_fail(err, -EPERM, "SEV is not enabled");
	if (get_base64(args, "mnonce", mnonce, sizeof(mnonce), &n) ||
	    n != sizeof(mnonce))
		return control_fail(err, -EINVAL,
				    "SEV: mnonce must be base64 of %zu bytes",
				    sizeof(mnonce));
	/* The firmware wants the exact size: ask for it first. */
	e = psp_attestation(&q->launch->guest, mnonce, NULL, &len);
	if (e.err && e.fw != FWERR_INVALID_LENGTH)
		return fail_fw(err, "ATTESTATION", e);
	if (!len || len > sizeof(report))
		return control_fail(err, -EIO,
				    "SEV: ATTESTATION: a report of %zu bytes "
				    "is not possible",
				    len);
	e = psp_attestation(&q->launch->guest, mnonce, report, &len);
	if (e.err)
		return fail_fw(err, "ATTESTATION", e);
	if (len > sizeof(report))
		return control_fail(err, -EIO,
				    "SEV: ATTESTATION: the report "
				    "grew");
	*ret = json_object();
	return set_base64(*ret, "data", report, len);
}

static void announce(void *ctx, const char *state)
{
	struct sev_qmp *q = ctx;

	control_event(q->control, "X_CARREL_SEV_STATE",
		      json_pack("{s:s}", "state", state));
}

static const struct control_arg secret_args[] = {
	{ "packet-header", CONTROL_STRING, false },
	{ "secret", CONTROL_STRING, false },
	{ "gpa", CONTROL_UINT64, true },
	{ 0 },
};

static const struct control_arg report_args[] = {
	{ "mnonce", CONTROL_STRING, false },
	{ 0 },
};

static const struct control_command commands[] = {
	{ "query-sev", NULL, query_sev, NULL },
	{ "query-sev-capabilities", NULL, query_capabilities, NULL },
	{ "query-sev-launch-measure", NULL, query_measure, NULL },
	{ "sev-inject-launch-secret", secret_args, inject_secret, NULL },
	{ "query-sev-attestation-report", report_args, query_report, NULL },
};

int sev_qmp_open(struct sev_qmp *q, struct control *c, struct launch *l)
{
	*q = (struct sev_qmp){ .launch = l, .control = c };
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		struct control_command cmd = commands[i];
		int rc;

		cmd.ctx = q;
		rc = control_register(c, &cmd);
		if (rc)
			return rc;
	}
	if (l) {
		l->changed = announce;
		l->changed_ctx = q;
	}
	return 0;
}
