/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_files: a file that is emptied at the start must not be one that
 * something else needs. Locks tell that too late: the first of the two would
 * already have emptied it.
 */
#include "vmm/config.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "vmm/log.h"

#define FIXED 9
#define FILES_MAX (FIXED + CONFIG_DISKS)

struct named {
	const char *flag, *path; /* path NULL: none */
	bool emptied;
};

static const char *port_file(const struct config_port *p)
{
	return p->end == END_FILE ? p->path : NULL;
}

static size_t collect(const struct config *c, struct named *out)
{
	const struct named fixed[FIXED] = {
		{ "--serial", port_file(&c->serial), true },
		{ "--console", port_file(&c->console), true },
		{ "--debugcon", port_file(&c->debugcon), true },
		{ "--timeline", c->timeline, true },
		{ "--firmware", c->firmware, false },
		{ "--kernel", c->kernel, false },
		{ "--initrd", c->initrd, false },
		{ "--sev dh", c->sev.dh, false },
		{ "--sev session", c->sev.session, false },
	};
	size_t n;

	for (n = 0; n < FIXED; n++)
		out[n] = fixed[n];
	for (size_t i = 0; i < c->n_disks; i++)
		out[n++] = (struct named){ "--disk", c->disk[i].path, false };
	return n;
}

/* By any name. A pipe, a terminal or /dev/null has nothing to lose. */
static bool same(const char *a, const char *b)
{
	struct stat x, y;

	if (stat(a, &x))
		return !strcmp(a, b);
	return !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino &&
	       (S_ISREG(x.st_mode) || S_ISBLK(x.st_mode));
}

int config_apart(const struct config *c)
{
	struct named f[FILES_MAX];
	size_t n = collect(c, f);

	for (size_t i = 0; i < n; i++) {
		for (size_t k = i + 1; f[i].path && k < n; k++) {
			if (!f[i].emptied || !f[k].path ||
			    !same(f[i].path, f[k].path))
				continue;
			log_error("%s \"%s\" and %s \"%s\": one file; the "
				  "first is emptied at the start, so each "
				  "needs one of its own",
				  f[i].flag, f[i].path, f[k].flag, f[k].path);
			return -EINVAL;
		}
	}
	return 0;
}
