/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options: the command line of carrel-sev as tables: one of all options, and
 * for each verb which of them it needs and which it takes. Parsing is pure: it
 * opens nothing, and fills a struct of values already checked and converted.
 */
#ifndef CARREL_SEV_OWNER_OPTIONS_H
#define CARREL_SEV_OWNER_OPTIONS_H

#include "sev/owner/text.h"
#include "sev/uapi.h"

/* Exit statuses of every verb. */
enum {
	STATUS_OK = 0,
	STATUS_NO = 1, /* a check came out negative */
	STATUS_ERROR = 2, /* usage, files, the host: nothing was decided */
};

enum option {
	OPT_API_MAJOR,
	OPT_API_MINOR,
	OPT_BUILD_ID,
	OPT_CHAIN,
	OPT_CMDLINE,
	OPT_DIGEST,
	OPT_ENTRY,
	OPT_FIELDS,
	OPT_FIRMWARE,
	OPT_FORCE,
	OPT_INITRD,
	OPT_IV,
	OPT_JSON,
	OPT_KERNEL,
	OPT_MEASUREMENT,
	OPT_MIN_API,
	OPT_NONCE,
	OPT_OUT,
	OPT_PASSWD_FILE,
	OPT_PDH,
	OPT_POLICY,
	OPT_ROOT,
	OPT_SOCKET,
	OPT_TIMEOUT,
	OPT_TK,
	OPT_UNVERIFIED,
	OPT_WAIT,
	OPT_COUNT
};
#define OPT(name) (1u << OPT_##name)

#define ENTRIES_MAX 16

struct entry_arg {
	uint8_t guid[GUID_LEN];
	const char *path;
	bool passwd;
};

/* All text points into argv. */
struct args {
	uint32_t given; /* OPT(...) of each option that was there */
	const char *file; /* the verb's one positional argument */
	const char *root, *pdh, *chain, *out, *tk, *socket;
	const char *firmware, *kernel, *initrd, *cmdline;
	uint32_t policy, api_major, api_minor, build_id, timeout_s, wait_s;
	uint8_t nonce[16], digest[32], iv[16];
	uint8_t measurement[SEV_MEASUREMENT_LEN];
	uint8_t min_api[2];
	struct entry_arg entry[ENTRIES_MAX];
	size_t n_entries;
};

struct verb {
	const char *name;
	const char *file; /* what its positional argument is, or NULL */
	uint32_t need, take; /* OPT masks; take: beyond need */
	const char *help; /* one line */
	const char *more; /* a paragraph for --help, or NULL */
	int (*run)(const struct args *a);
};

/*
 * argv starts behind the verb. 0, or -EINVAL after a log line that names the
 * option, the value given and what would be accepted; -ECANCELED: --help.
 */
int options_parse(struct args *a, const struct verb *v, int argc,
		  char **argv) MUST_USE;

/* The text of VERB --help, on standard output. */
void options_help(const struct verb *v);

#endif
