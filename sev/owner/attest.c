/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attest: query, check, inject, continue; and at the first doubt, stop.
 */
#include "sev/owner/attest.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sev/base64.h"
#include "sev/owner/crypto.h"
#include "sev/owner/measure.h"
#include "vmm/qmp.h"
#include "vmm/log.h"

#define TRIES_A_SECOND 10

/* What query-sev says, and what query-sev-launch-measure does. */
struct attest_facts {
	int64_t api_major, api_minor, build, policy;
	const char *state; /* into the JSON answer */
	bool enabled, snp;
	uint8_t measurement[SEV_MEASUREMENT_LEN];
};

/* Every failure ends here, so that every one says what did not happen. */
static int stop(const char *check, int rc, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
static int stop(const char *check, int rc, const char *fmt, ...)
{
	char text[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_error("attest: %s: %s; no secret was sent and the guest was not "
		  "started",
		  check, text);
	return rc;
}

static int64_t int_of(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return json_is_integer(v) ? json_integer_value(v) : -1;
}

/* A field that is missing reads as one that no check accepts. */
static void read_facts(struct attest_facts *f, const json_t *sev)
{
	const char *type = json_string_value(json_object_get(sev, "sev-type"));
	const char *state = json_string_value(json_object_get(sev, "state"));

	f->enabled = json_is_true(json_object_get(sev, "enabled"));
	f->snp = type && strcmp(type, "sev");
	f->api_major = int_of(sev, "api-major");
	f->api_minor = int_of(sev, "api-minor");
	f->build = int_of(sev, "build-id");
	f->policy = int_of(sev, "policy");
	f->state = state ? state : "unknown";
}

static bool is_byte(int64_t v)
{
	return v >= 0 && v <= 255;
}

static int check_facts(const struct attest_facts *f,
		       const struct attest_job *job)
{
	if (!f->enabled)
		return stop("check of the guest's kind", -EBADMSG,
			    "the guest does not run under SEV");
	if (f->snp)
		return stop("check of the guest's kind", -EBADMSG,
			    "the guest runs under SEV-SNP, whose launch is "
			    "attested by a report instead");
	if (strcmp(f->state, "launch-secret"))
		return stop("check of the state", -EBADMSG,
			    "the guest is in state '%.32s'; 'launch-secret' "
			    "is needed",
			    f->state);
	if (f->policy != job->policy)
		return stop("check of the policy", -EBADMSG,
			    "the guest has policy 0x%llx; 0x%x is expected",
			    (unsigned long long)f->policy, job->policy);
	if (!is_byte(f->api_major) || !is_byte(f->api_minor) ||
	    !is_byte(f->build))
		return stop("check of the API version", -EBADMSG,
			    "the platform reports no proper version");
	if (f->api_major * 256 + f->api_minor <
	    job->min_major * 256 + job->min_minor)
		return stop("check of the API version", -EBADMSG,
			    "the platform has SEV API %d.%d; at least %d.%d "
			    "is expected",
			    (int)f->api_major, (int)f->api_minor,
			    job->min_major, job->min_minor);
	return 0;
}

static int check_measurement(const struct attest_facts *f,
			     const struct attest_job *job)
{
	struct measure_input want = {
		.api_major = (uint8_t)f->api_major,
		.api_minor = (uint8_t)f->api_minor,
		.build = (uint8_t)f->build,
		.policy = job->policy,
	};
	int rc;

	bytes_copy(want.digest, sizeof(want.digest), job->digest,
		   sizeof(job->digest));
	rc = measure_check(f->measurement, job->tk, &want);
	if (rc == -EBADMSG)
		return stop("check of the measurement", rc,
			    "it is not the expected one: firmware, kernel "
			    "hashes, platform version or session differ");
	if (rc)
		return stop("check of the measurement", rc,
			    "it could not be computed");
	return 0;
}

static int read_measurement(struct attest_facts *f, const json_t *answer)
{
	const char *b64 = json_string_value(json_object_get(answer, "data"));
	size_t len = 0;

	if (!b64 ||
	    base64_decode(b64, strlen(b64), f->measurement,
			  sizeof(f->measurement), &len) ||
	    len != sizeof(f->measurement))
		return stop("check of the measurement", -EBADMSG,
			    "what the server sent is not base64 of %d bytes",
			    SEV_MEASUREMENT_LEN);
	return 0;
}

/* Both queries and all checks; facts to go on with only if all passed. */
static int verify(struct qmp *q, const struct attest_job *job,
		  struct attest_facts *f)
{
	json_t *sev, *m;
	int rc = qmp_command(q, "query-sev", NULL, &sev);

	if (rc)
		return stop("query-sev", rc, "%s", q->why);
	read_facts(f, sev);
	rc = check_facts(f, job);
	json_decref(sev);
	f->state = NULL;
	if (rc)
		return rc;
	rc = qmp_command(q, "query-sev-launch-measure", NULL, &m);
	if (rc)
		return stop("query-sev-launch-measure", rc, "%s", q->why);
	rc = read_measurement(f, m);
	json_decref(m);
	return rc ? rc : check_measurement(f, job);
}

static json_t *packet_json(const struct secret_packet *p)
{
	char header[BASE64_SIZE(SEV_SECRET_HEADER_LEN)];
	char *payload = malloc(BASE64_SIZE(p->len));
	json_t *args = NULL;

	if (payload) {
		base64_encode(p->header, sizeof(p->header), header,
			      sizeof(header));
		base64_encode(p->payload, p->len, payload, BASE64_SIZE(p->len));
		args = json_pack("{s:s, s:s}", "packet-header", header,
				 "secret", payload);
	}
	free(payload);
	return args;
}

static int inject(struct qmp *q, const struct attest_job *job,
		  const struct attest_facts *f)
{
	bool old = measure_api_is_old((uint8_t)f->api_major,
				      (uint8_t)f->api_minor);
	struct secret_packet p;
	uint8_t iv[16];
	json_t *ret, *args = NULL;
	int rc = crypto_random(iv, sizeof(iv));

	if (!rc)
		rc = secret_pack(&p, job->table, job->tk, iv,
				 old ? NULL : f->measurement);
	if (!rc && !(args = packet_json(&p)))
		rc = -ENOMEM;
	if (rc)
		return stop("packing the secret", rc, "it failed");
	rc = qmp_command(q, "sev-inject-launch-secret", args, &ret);
	if (rc) {
		log_error("attest: injecting the secret: %s; the guest was "
			  "not started",
			  q->why);
		return rc;
	}
	json_decref(ret);
	printf("secret: sent, %zu bytes\n", p.len);
	return 0;
}

/* What is left after a verified launch: the secret, then the start. */
static int release(struct qmp *q, const struct attest_job *job,
		   const struct attest_facts *f)
{
	json_t *ret;
	int rc = inject(q, job, f);

	if (rc)
		return rc;
	rc = qmp_command(q, "cont", NULL, &ret);
	if (rc) {
		log_error("attest: starting the guest: %s; its secret was "
			  "sent",
			  q->why);
		return rc;
	}
	json_decref(ret);
	printf("guest: started\n");
	return 0;
}

int attest_dialogue(struct qmp *q, const struct attest_job *job)
{
	struct attest_facts f = { 0 };
	int rc = verify(q, job, &f);

	if (rc)
		return rc;
	printf("platform: SEV API %d.%d build %d, policy 0x%x\n"
	       "measurement: as expected\n",
	       (int)f.api_major, (int)f.api_minor, (int)f.build, job->policy);
	return release(q, job, &f);
}

/* A host that starts the guest now may be a moment late with its socket. */
static int open_socket(struct qmp *q, const struct attest_job *job)
{
	const struct timespec pause = { 0, 1000000000 / TRIES_A_SECOND };
	unsigned left = job->wait_s * TRIES_A_SECOND;

	for (;; left--) {
		int rc = qmp_open(q, job->socket, job->timeout_s);

		if ((rc != -ENOENT && rc != -ECONNREFUSED) || !left)
			return rc;
		nanosleep(&pause, NULL);
	}
}

int attest_run(const struct attest_job *job)
{
	struct qmp *q = malloc(sizeof(*q));
	int rc;

	if (!q)
		return -ENOMEM;
	rc = open_socket(q, job);
	if (rc)
		rc = stop("connecting", rc, "%s", q->why);
	else
		rc = attest_dialogue(q, job);
	qmp_close(q);
	free(q);
	return rc;
}
