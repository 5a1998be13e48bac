/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options: one parser for every verb, driven by the table of options.
 */
#include "sev/owner/options.h"

#include <errno.h>
#include <stdio.h>

#include "sev/base64.h"
#include "sev/owner/secret.h"
#include "vmm/log.h"

enum kind {
	KIND_FLAG, /* no value */
	KIND_TEXT, /* const char * */
	KIND_NUMBER, /* uint32_t up to max */
	KIND_HEX, /* max bytes */
	KIND_BASE64, /* max bytes */
	KIND_API, /* X.Y into two bytes */
	KIND_ENTRY, /* GUID=FILE, may be repeated */
	KIND_PASSWD, /* FILE: an entry of its own */
};

#define AT(field) offsetof(struct args, field)

static const struct option_spec {
	const char *name;
	enum kind kind;
	const char *arg; /* what its value is called */
	size_t at; /* in struct args */
	uint32_t max;
	const char *help;
} specs[OPT_COUNT] = {
	[OPT_API_MAJOR] = { "api-major", KIND_NUMBER, "N", AT(api_major), 255,
			    "SEV API version of the platform" },
	[OPT_API_MINOR] = { "api-minor", KIND_NUMBER, "N", AT(api_minor), 255,
			    "its second number" },
	[OPT_BUILD_ID] = { "build-id", KIND_NUMBER, "N", AT(build_id), 255,
			   "build of the platform's SEV firmware" },
	[OPT_CHAIN] = { "chain", KIND_TEXT, "DIR", AT(chain), 0,
			"certificates that must prove the PDH" },
	[OPT_CMDLINE] = { "cmdline", KIND_TEXT, "TEXT", AT(cmdline), 0,
			  "command line of that kernel" },
	[OPT_DIGEST] = { "digest", KIND_HEX, "HEX", AT(digest), 32,
			 "expected launch digest" },
	[OPT_ENTRY] = { "entry", KIND_ENTRY, "GUID=FILE", 0, 0,
			"a secret: the file's bytes; may be repeated" },
	[OPT_FIELDS] = { "fields", KIND_FLAG, NULL, 0, 0,
			 "show what only its length tells from a secret" },
	[OPT_FIRMWARE] = { "firmware", KIND_TEXT, "FILE", AT(firmware), 0,
			   "firmware image" },
	[OPT_FORCE] = { "force", KIND_FLAG, NULL, 0, 0,
			"replace files of the same names" },
	[OPT_INITRD] = { "initrd", KIND_TEXT, "FILE", AT(initrd), 0,
			 "initial RAM disk of that kernel" },
	[OPT_IV] = { "iv", KIND_HEX, "HEX", AT(iv), 16,
		     "fixed initialisation vector; for tests only" },
	[OPT_JSON] = { "json", KIND_FLAG, NULL, 0, 0, "print JSON" },
	[OPT_KERNEL] = { "kernel", KIND_TEXT, "FILE", AT(kernel), 0,
			 "kernel handed over with measured hashes" },
	[OPT_MEASUREMENT] = { "measurement", KIND_BASE64, "BASE64",
			      AT(measurement), SEV_MEASUREMENT_LEN,
			      "what the platform reported" },
	[OPT_MIN_API] = { "min-api", KIND_API, "X.Y", AT(min_api), 0,
			  "oldest SEV API to accept; default 0.17" },
	[OPT_NONCE] = { "nonce", KIND_HEX, "HEX", AT(nonce), 16,
			"the measurement's nonce" },
	[OPT_OUT] = { "out", KIND_TEXT, "DIR", AT(out), 0,
		      "where files go; made if missing" },
	[OPT_PASSWD_FILE] = { "passwd-file", KIND_PASSWD, "FILE", 0, 0,
			      "a disk's passphrase: " SECRET_PASSWD_GUID },
	[OPT_PDH] = { "pdh", KIND_TEXT, "FILE", AT(pdh), 0,
		      "the platform's Diffie-Hellman certificate" },
	[OPT_POLICY] = { "policy", KIND_NUMBER, "N", AT(policy), UINT32_MAX,
			 "guest policy, all 32 bits" },
	[OPT_ROOT] = { "root", KIND_TEXT, "FILE", AT(root), 0,
		       "trust this ARK instead of AMD's" },
	[OPT_SOCKET] = { "socket", KIND_TEXT, "PATH", AT(socket), 0,
			 "control (QMP) socket of the VMM" },
	[OPT_TIMEOUT] = { "timeout", KIND_NUMBER, "SECONDS", AT(timeout_s),
			  3600, "for the whole attestation; default 30" },
	[OPT_TK] = { "tk", KIND_TEXT, "FILE", AT(tk), 0,
		     "transport keys of the session (tmp_tk.bin)" },
	[OPT_UNVERIFIED] = { "unverified", KIND_FLAG, NULL, 0, 0,
			     "trust the PDH as it is" },
	[OPT_WAIT] = { "wait", KIND_NUMBER, "SECONDS", AT(wait_s), 3600,
		       "for the socket to be there; default 0" },
};

/* One complaint: the option, the value and what would be accepted. */
static int refuse(const struct option_spec *s, const char *value,
		  const char *accepted)
{
	log_error("--%s: '%s' is not accepted; it takes %s", s->name, value,
		  accepted);
	return -EINVAL;
}

static int take_number(const struct option_spec *s, uint32_t *out,
		       const char *value)
{
	uint64_t v;
	char accepted[96];

	if (!text_number(value, s->max, &v)) {
		*out = (uint32_t)v;
		return 0;
	}
	snprintf(accepted, sizeof(accepted),
		 "a number from 0 to %u, decimal or hexadecimal (0x%x)", s->max,
		 s->max);
	return refuse(s, value, accepted);
}

static int take_bytes(const struct option_spec *s, uint8_t *out,
		      const char *value)
{
	char accepted[96];
	size_t len;

	if (s->kind == KIND_HEX) {
		snprintf(accepted, sizeof(accepted),
			 "exactly %u hexadecimal digits", 2 * s->max);
		if (!text_hex(value, out, s->max))
			return 0;
	} else {
		snprintf(accepted, sizeof(accepted),
			 "base64 of exactly %u bytes", s->max);
		if (!base64_decode(value, strlen(value), out, s->max, &len) &&
		    len == s->max)
			return 0;
	}
	return refuse(s, value, accepted);
}

static int take_api(const struct option_spec *s, uint8_t out[2],
		    const char *value)
{
	const char *dot = strchr(value, '.');
	char major[4] = "";
	uint64_t x, y;

	if (dot && dot > value && dot - value < 4)
		bytes_copy(major, sizeof(major) - 1, value,
			   (size_t)(dot - value));
	if (!major[0] || text_number(major, 255, &x) ||
	    text_number(dot + 1, 255, &y))
		return refuse(s, value, "a version X.Y such as 0.17");
	out[0] = (uint8_t)x;
	out[1] = (uint8_t)y;
	return 0;
}

static int take_entry(const struct option_spec *s, struct args *a,
		      const char *value)
{
	struct entry_arg *e = &a->entry[a->n_entries];
	const char *guid = SECRET_PASSWD_GUID;
	char text[GUID_TEXT] = "";

	if (a->n_entries == ENTRIES_MAX) {
		log_error("--%s: '%s' is one too many; a table of secrets "
			  "takes %d entries",
			  s->name, value, ENTRIES_MAX);
		return -EINVAL;
	}
	*e = (struct entry_arg){ .path = value };
	if (s->kind == KIND_ENTRY) {
		guid = "";
		if (strlen(value) > GUID_TEXT && value[GUID_TEXT - 1] == '=') {
			bytes_copy(text, sizeof(text) - 1, value,
				   GUID_TEXT - 1);
			e->path = value + GUID_TEXT;
			guid = text;
		}
	}
	e->passwd = !strcasecmp(guid, SECRET_PASSWD_GUID);
	if (text_guid(guid, e->guid))
		return refuse(
			s, value,
			"a GUID, '=' and a file, such as " SECRET_PASSWD_GUID
			"=passphrase.txt");
	a->n_entries++;
	return 0;
}

static int take_value(const struct option_spec *s, struct args *a,
		      const char *value)
{
	uint8_t *at = (uint8_t *)a + s->at;

	switch (s->kind) {
	case KIND_FLAG: return 0;
	case KIND_TEXT: *(const char **)(void *)at = value; return 0;
	case KIND_NUMBER: return take_number(s, (uint32_t *)(void *)at, value);
	case KIND_HEX:
	case KIND_BASE64: return take_bytes(s, at, value);
	case KIND_API: return take_api(s, at, value);
	case KIND_ENTRY:
	case KIND_PASSWD: return take_entry(s, a, value);
	}
	return -EINVAL;
}

/* The option that "--name" or "--name=value" means, or OPT_COUNT. */
static size_t find_option(const struct verb *v, const char *arg)
{
	size_t len = strcspn(arg, "="), i;

	for (i = 0; i < OPT_COUNT; i++)
		if (strlen(specs[i].name) == len &&
		    !strncmp(specs[i].name, arg, len) &&
		    ((v->need | v->take) >> i & 1))
			break;
	return i;
}

/* Takes argv[*i], and the value behind it if there is one to take. */
static int take_option(struct args *a, const struct verb *v, int argc,
		       char **argv, int *i)
{
	const char *arg = argv[*i] + 2, *value = strchr(arg, '=');
	size_t opt = find_option(v, arg);
	const struct option_spec *s = &specs[opt];
	bool repeats;

	if (opt == OPT_COUNT) {
		log_error("%s takes no option '%s'; see carrel-sev %s --help",
			  v->name, argv[*i], v->name);
		return -EINVAL;
	}
	repeats = s->kind == KIND_ENTRY;
	if (!repeats && (a->given >> opt & 1)) {
		log_error("--%s is given twice; once is accepted", s->name);
		return -EINVAL;
	}
	if (s->kind == KIND_FLAG && value)
		return refuse(s, value + 1, "no value");
	if (value)
		value++;
	else if (s->kind != KIND_FLAG && *i + 1 < argc &&
		 strncmp(argv[*i + 1], "--", 2)) /* such a one by '=' only */
		value = argv[++*i];
	if (s->kind != KIND_FLAG &&
	    (!value || (!*value && opt != OPT_CMDLINE))) {
		log_error("--%s needs a value: %s, %s", s->name, s->arg,
			  s->help);
		return -EINVAL;
	}
	a->given |= 1u << opt;
	return take_value(s, a, value);
}

static int check_complete(const struct args *a, const struct verb *v)
{
	uint32_t missing = v->need & ~a->given;

	if (v->file && !a->file) {
		log_error("%s needs an argument: %s", v->name, v->file);
		return -EINVAL;
	}
	for (size_t i = 0; i < OPT_COUNT; i++) {
		if (!(missing >> i & 1))
			continue;
		log_error("%s needs --%s %s: %s", v->name, specs[i].name,
			  specs[i].arg, specs[i].help);
		return -EINVAL;
	}
	return 0;
}

int options_parse(struct args *a, const struct verb *v, int argc, char **argv)
{
	bool only_files = false;
	int rc = 0;

	*a = (struct args){ .timeout_s = 30, .min_api = { 0, 17 } };
	for (int i = 0; i < argc && !rc; i++) {
		if (!only_files && !strcmp(argv[i], "--help"))
			return -ECANCELED;
		if (!only_files && !strcmp(argv[i], "--")) {
			only_files = true;
		} else if (!only_files && !strncmp(argv[i], "--", 2)) {
			rc = take_option(a, v, argc, argv, &i);
		} else if (v->file && !a->file) {
			a->file = argv[i];
		} else {
			log_error("%s: '%s' is one argument too many", v->name,
				  argv[i]);
			rc = -EINVAL;
		}
	}
	return rc ? rc : check_complete(a, v);
}

static void help_options(uint32_t mask, const char *title)
{
	if (!mask)
		return;
	printf("\n%s:\n", title);
	for (size_t i = 0; i < OPT_COUNT; i++) {
		const struct option_spec *s = &specs[i];
		char left[40];

		if (!(mask >> i & 1))
			continue;
		snprintf(left, sizeof(left), "--%s %s", s->name,
			 s->arg ? s->arg : "");
		printf("  %-22s %s\n", left, s->help);
	}
}

void options_help(const struct verb *v)
{
	printf("usage: carrel-sev %s%s%s OPTIONS\n\n%s\n", v->name,
	       v->file ? " " : "", v->file ? v->file : "", v->help);
	if (v->more)
		printf("\n%s\n", v->more);
	help_options(v->need, "Needed");
	help_options(v->take, "Optional");
}
