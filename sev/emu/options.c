/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options: see the header.
 */
#include "sev/emu/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static bool number(const char **at, uint8_t *out)
{
	unsigned v = 0;
	const char *s = *at;

	if (*s < '0' || *s > '9')
		return false;
	for (; *s >= '0' && *s <= '9'; s++) {
		v = v * 10 + (unsigned)(*s - '0');
		if (v > 255)
			return false;
	}
	*out = (uint8_t)v;
	*at = s;
	return true;
}

int options_api(struct options *o, const char *text)
{
	uint8_t major, minor, build = 0;

	if (!number(&text, &major) || *text++ != '.' || !number(&text, &minor))
		return -EINVAL;
	if (*text && (*text++ != '.' || !number(&text, &build) || *text))
		return -EINVAL;
	o->api_major = major;
	o->api_minor = minor;
	o->build = build;
	return 0;
}

static int default_identity(char *out, size_t cap)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	int n;

	if (state && *state == '/')
		n = snprintf(out, cap, "%s/carrel-emu", state);
	else
		n = snprintf(out, cap, "%s/.local/state/carrel-emu",
			     home && *home ? home : "/root");
	return n < 0 || (size_t)n >= cap ? -ENAMETOOLONG : 0;
}

static int copy_env(char *out, size_t cap, const char *name)
{
	const char *v = getenv(name);
	size_t n = v ? strlen(v) : 0;

	if (n >= cap)
		return -ENAMETOOLONG;
	bytes_copy(out, cap, v, n);
	out[n] = 0;
	return 0;
}

int options_read(struct options *o)
{
	const char *api = getenv(ENV_API);
	int rc;

	*o = (struct options){ 0 };
	rc = options_api(o, api && *api ? api : API_DEFAULT);
	if (!rc)
		rc = copy_env(o->log, sizeof o->log, ENV_LOG);
	if (!rc)
		rc = copy_env(o->identity, sizeof o->identity, ENV_IDENTITY);
	if (!rc && !*o->identity)
		rc = default_identity(o->identity, sizeof o->identity);
	return rc;
}
