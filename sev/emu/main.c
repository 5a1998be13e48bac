/* SPDX-License-Identifier: Apache-2.0 */
/*
 * carrel-emu: starts a program with the emulated secure processor preloaded.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sev/emu/identity.h"
#include "sev/emu/options.h"
#include "vmm/log.h"
#include "vmm/version.h"

#define LIBRARY "libcarrel-emu.so"
#define EXIT_USAGE 1
#define EXIT_HOST 2

static const char usage[] =
	"usage: carrel-emu [options] PROGRAM [ARGS]\n"
	"       carrel-emu [options] --make-identity\n"
	"\n"
	"Runs PROGRAM with an emulated AMD secure processor: /dev/sev and the\n"
	"SEV calls of KVM work, and a SEV guest runs on any /dev/kvm.\n"
	"\n"
	"  --identity DIR   the processor's keys and certificates, made on\n"
	"                   first use (~/.local/state/carrel-emu)\n"
	"  --api X.Y[.B]    its API version and build (default " API_DEFAULT
	")\n"
	"  --log FILE       append a line for each command to FILE\n"
	"  --make-identity  only make the identity, say where it is\n"
	"  --help           print this\n"
	"  --version        print the version\n";

struct run {
	struct options opt;
	bool make_identity;
	char **program;
};

static int set_text(char *out, size_t cap, const char *name, const char *value)
{
	size_t n = strlen(value);

	if (!n || n >= cap) {
		log_error("--%s: \"%s\": 1 to %zu characters are accepted",
			  name, value, cap - 1);
		return -EINVAL;
	}
	bytes_copy(out, cap, value, n + 1);
	return 0;
}

static int take(struct run *r, int c)
{
	struct options *o = &r->opt;

	switch (c) {
	case 'i':
		return set_text(o->identity, sizeof o->identity, "identity",
				optarg);
	case 'l': return set_text(o->log, sizeof o->log, "log", optarg);
	case 'a':
		if (!options_api(o, optarg))
			return 0;
		log_error("--api: \"%s\": a version like 1.55 or 1.55.21 is "
			  "accepted",
			  optarg);
		return -EINVAL;
	case 'm': r->make_identity = true; return 0;
	case 'v': puts("carrel-emu " CARREL_VERSION); return -ECANCELED;
	default:
		(void)fputs(usage, c == 'h' ? stdout : stderr);
		return c == 'h' ? -ECANCELED : -EINVAL;
	}
}

static int parse(struct run *r, int argc, char **argv)
{
	static const struct option options[] = {
		{ "identity", required_argument, NULL, 'i' },
		{ "api", required_argument, NULL, 'a' },
		{ "log", required_argument, NULL, 'l' },
		{ "make-identity", no_argument, NULL, 'm' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	int c, rc = options_read(&r->opt);

	if (rc)
		log_error("an option in the environment is not usable: %s",
			  strerror(-rc));
	/* '+': what follows PROGRAM is PROGRAM's. */
	while (!rc && (c = getopt_long(argc, argv, "+", options, NULL)) != -1)
		rc = take(r, c);
	r->program = argv + optind;
	if (!rc && !*r->program && !r->make_identity) {
		(void)fputs(usage, stderr);
		rc = -EINVAL;
	}
	return rc;
}

/* RSA keys take seconds to find: do it before the program waits for them. */
static int make_identity(const struct options *o, bool tell)
{
	struct identity id;
	int rc = identity_open(&id, o->identity, o->api_major, o->api_minor);

	if (rc) {
		log_error("identity %s: %s", o->identity, strerror(-rc));
		return rc;
	}
	if (tell)
		(void)printf("%s\n", o->identity);
	identity_close(&id);
	return 0;
}

static int put_env(const char *name, const char *value)
{
	return setenv(name, value, 1) ? -errno : 0;
}

static int put_options(const struct options *o)
{
	char api[16];
	int rc = put_env(ENV_IDENTITY, o->identity);

	(void)snprintf(api, sizeof api, "%u.%u.%u", o->api_major, o->api_minor,
		       o->build);
	if (!rc)
		rc = put_env(ENV_API, api);
	return rc ? rc : put_env(ENV_LOG, o->log);
}

/* Where it was built it lies beside this program, installed in lib/carrel. */
static int find_library(char *out, size_t cap)
{
	static const char *const places[] = { "", "../lib/carrel/" };
	char dir[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", dir, sizeof dir - 1);
	char *slash;

	if (n < 0)
		return -errno;
	dir[n] = 0;
	slash = strrchr(dir, '/');
	if (!slash)
		return -ENOENT;
	slash[1] = 0;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		int len = snprintf(out, cap, "%s%s" LIBRARY, dir, places[i]);

		if (len < 0 || (size_t)len >= cap)
			return -ENAMETOOLONG;
		if (!access(out, R_OK))
			return 0;
	}
	log_error(LIBRARY " is neither in %s nor in %s%s: %s", dir, dir,
		  places[1], strerror(errno));
	return -ENOENT;
}

/* In front of what is preloaded already. */
static int put_preload(void)
{
	char library[2 * PATH_MAX], value[4 * PATH_MAX];
	const char *others = getenv("LD_PRELOAD");
	int rc = find_library(library, sizeof library), len;

	if (rc)
		return rc;
	len = snprintf(value, sizeof value, "%s%s%s", library,
		       others ? ":" : "", others ? others : "");
	if (len < 0 || (size_t)len >= sizeof value)
		return -ENAMETOOLONG;
	return put_env("LD_PRELOAD", value);
}

int main(int argc, char **argv)
{
	struct run r = { .make_identity = false };
	int rc;

	log_program("carrel-emu");
	rc = parse(&r, argc, argv);
	if (rc)
		return rc == -ECANCELED ? 0 : EXIT_USAGE;
	rc = make_identity(&r.opt, r.make_identity);
	if (rc || r.make_identity)
		return rc ? EXIT_HOST : 0;
	rc = put_options(&r.opt);
	if (!rc)
		rc = put_preload();
	if (rc)
		return EXIT_HOST;
	execvp(r.program[0], r.program);
	log_error("%s: %s", r.program[0], strerror(errno));
	return EXIT_HOST;
}
