/* SPDX-License-Identifier: Apache-2.0 */
/*
 * carrel-sev: the guest owner's tool. This file is its list of verbs, and the
 * two of them that plan a launch image with the VMM's own planner.
 */
#include <errno.h>
#include <stdio.h>

#include "boot/plan.h"
#include "sev/digest.h"
#include "sev/owner/attest.h"
#include "sev/owner/verbs.h"
#include "vmm/log.h"
#include "vmm/version.h"

/* The same list that a launch loads and measures: see boot/plan.h. */
static int plan_digest(const struct args *a, uint8_t out[DIGEST_LEN])
{
	const struct boot_source src = {
		.firmware = a->firmware,
		.kernel = a->kernel,
		.initrd = a->initrd,
		.cmdline = a->cmdline,
		.kernel_hashes = a->kernel != NULL,
	};
	struct image im;
	int rc;

	if (!a->kernel && (a->initrd || a->cmdline)) {
		log_error("--initrd and --cmdline need the --kernel that they "
			  "go with");
		return -EINVAL;
	}
	rc = boot_plan(&im, &src);
	if (rc)
		return rc;
	rc = digest_image(&im, out);
	image_close(&im);
	return rc;
}

static int verb_digest(const struct args *a)
{
	uint8_t digest[DIGEST_LEN];
	char text[2 * DIGEST_LEN + 1];

	if (plan_digest(a, digest))
		return STATUS_ERROR;
	text_hex_write(text, sizeof(text), digest, sizeof(digest));
	printf("%s\n", text);
	return STATUS_OK;
}

static int attest_digest(const struct args *a, uint8_t out[DIGEST_LEN])
{
	if (!(a->given & OPT(DIGEST)) == !a->firmware) {
		log_error("attest needs either --digest HEX or --firmware "
			  "FILE, to know what must have been loaded");
		return -EINVAL;
	}
	if (a->firmware)
		return plan_digest(a, out);
	if (a->kernel || a->initrd || a->cmdline) {
		log_error("--kernel, --initrd and --cmdline need --firmware; "
			  "a --digest covers them already");
		return -EINVAL;
	}
	bytes_copy(out, DIGEST_LEN, a->digest, sizeof(a->digest));
	return 0;
}

static int verb_attest(const struct args *a)
{
	struct secret_table *table = NULL;
	struct tk *tk = NULL;
	struct attest_job job = {
		.socket = a->socket,
		.policy = a->policy,
		.min_major = a->min_api[0],
		.min_minor = a->min_api[1],
		.timeout_s = a->timeout_s,
		.wait_s = a->wait_s,
	};
	int rc = verbs_policy(a->policy);

	if (!rc)
		rc = attest_digest(a, job.digest);
	if (!rc && !(table = verbs_table(a)))
		rc = -EINVAL;
	if (!rc)
		rc = keys_load_tk(&tk, a->tk);
	job.table = table;
	job.tk = tk;
	if (!rc)
		rc = attest_run(&job);
	keys_free(tk, sizeof(*tk));
	keys_free(table, sizeof(*table));
	return !rc ? STATUS_OK : rc == -EBADMSG ? STATUS_NO : STATUS_ERROR;
}

#define PLATFORM (OPT(API_MAJOR) | OPT(API_MINOR) | OPT(BUILD_ID))
#define PAYLOAD (OPT(KERNEL) | OPT(INITRD) | OPT(CMDLINE))
#define SECRETS (OPT(ENTRY) | OPT(PASSWD_FILE))

static const struct verb verbs[] = {
	{ "export", NULL, OPT(OUT), OPT(FORCE),
	  "Fetch the platform's certificates from /dev/sev, on the host.", NULL,
	  verb_export },
	{ "verify-chain", "DIR", 0, OPT(ROOT),
	  "Verify a platform's certificates up to AMD's root key.",
	  "DIR holds ark, ask, cek, oca, pek and pdh .cert. One line a link;\n"
	  "exit status 0 if all hold, 1 if not.",
	  verb_verify_chain },
	{ "session", NULL, OPT(PDH) | OPT(POLICY) | OPT(OUT),
	  OPT(CHAIN) | OPT(ROOT) | OPT(UNVERIFIED) | OPT(FORCE),
	  "Make the keys and the session of one launch.",
	  "Either --chain or --unverified is needed. Make a new session for\n"
	  "every launch, and keep tmp_tk.bin to yourself.",
	  verb_session },
	{ "digest", NULL, OPT(FIRMWARE), PAYLOAD,
	  "Compute the launch digest that a guest must show.", NULL,
	  verb_digest },
	{ "measure", NULL,
	  OPT(TK) | PLATFORM | OPT(POLICY) | OPT(NONCE) | OPT(DIGEST), 0,
	  "Compute a launch measurement: base64 of MAC and nonce.", NULL,
	  verb_measure },
	{ "verify", NULL,
	  OPT(TK) | PLATFORM | OPT(POLICY) | OPT(DIGEST) | OPT(MEASUREMENT),
	  OPT(NONCE), "Check a launch measurement: exit status 0 or 1.", NULL,
	  verb_verify },
	{ "secret", NULL, OPT(TK) | OPT(MEASUREMENT) | OPT(OUT),
	  SECRETS | OPT(API_MAJOR) | OPT(API_MINOR) | OPT(IV) | OPT(FORCE),
	  "Pack secrets for one launch, whose measurement was verified.", NULL,
	  verb_secret },
	{ "show", "FILE", 0, OPT(JSON) | OPT(FIELDS),
	  "Print a certificate, session, packet or table in words.", NULL,
	  verb_show },
	{ "attest", NULL, OPT(SOCKET) | OPT(TK) | OPT(POLICY),
	  OPT(DIGEST) | OPT(FIRMWARE) | PAYLOAD | SECRETS | OPT(MIN_API) |
		  OPT(TIMEOUT) | OPT(WAIT),
	  "Verify a waiting guest over QMP, send its secrets and start it.",
	  "Either --digest or --firmware is needed, and a secret. If anything\n"
	  "is not as expected, nothing is sent and the guest is not started.",
	  verb_attest },
};

static int usage(FILE *to)
{
	fputs("usage: carrel-sev VERB OPTIONS\n"
	      "       carrel-sev {version | help | --version | --help}\n\n",
	      to);
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		fprintf(to, "  %-13s %s\n", verbs[i].name, verbs[i].help);
	fputs("\n'carrel-sev VERB --help' explains a verb; carrel-sev(1) all "
	      "of them.\n",
	      to);
	return to == stdout ? STATUS_OK : STATUS_ERROR;
}

/* Results that reached nobody must not look like a success. */
static int flush(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	log_error("cannot write to standard output: %s", strerror(errno));
	return status == STATUS_OK ? STATUS_ERROR : status;
}

static int run(const struct verb *v, int argc, char **argv)
{
	struct args a;
	int rc = options_parse(&a, v, argc, argv);

	if (rc == -ECANCELED) {
		options_help(v);
		return STATUS_OK;
	}
	if (!rc)
		rc = keys_protect();
	return rc ? STATUS_ERROR : flush(v->run(&a));
}

int main(int argc, char **argv)
{
	log_program("carrel-sev");
	if (argc < 2)
		return usage(stderr);
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help"))
		return flush(usage(stdout));
	if (!strcmp(argv[1], "version") || !strcmp(argv[1], "--version")) {
		puts("carrel-sev " CARREL_VERSION);
		return flush(STATUS_OK);
	}
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (!strcmp(verbs[i].name, argv[1]))
			return run(&verbs[i], argc - 2, argv + 2);
	log_error("'%s' is no verb", argv[1]);
	return usage(stderr);
}
