/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timeline_file: see the header.
 */
#include "vmm/timeline_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/file.h"
#include "vmm/log.h"
#include "vmm/timeline_report.h"

#define WHAT "--timeline"

int timeline_file_open(struct timeline_file *f, const char *path)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	struct stat st;
	int rc = 0;

	f->open = false;
	if (!path)
		return 0;
	json_object_seed(0); /* now: its random bytes come from a file */
	f->fd = open(path, flags, 0666);
	if (f->fd < 0 || fstat(f->fd, &st))
		rc = -errno;
	else if (!S_ISREG(st.st_mode))
		rc = -EINVAL;
	else
		rc = file_claim(f->fd, path, WHAT);
	if (!rc && ftruncate(f->fd, 0))
		rc = -errno;
	f->open = !rc;
	if (!rc)
		return 0;
	if (rc != -EAGAIN) /* which has been said */
		log_error(WHAT " %s: %s", path,
			  rc == -EINVAL ? "not a regular file" : strerror(-rc));
	if (f->fd >= 0)
		close(f->fd);
	return rc;
}

static char *as_json(const struct report *r)
{
	json_t *v = report_json(r);
	char *text = v ? json_dumps(v, JSON_INDENT(1) | JSON_ENSURE_ASCII)
		       : NULL;

	json_decref(v);
	return text;
}

static char *as_svg(const struct report *r)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	report_svg(f, r);
	if (!fclose(f))
		return text;
	free(text);
	return NULL;
}

static int write_all(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

void timeline_file_close(struct timeline_file *f, struct timeline *t,
			 const struct config *c)
{
	struct report *r;
	char *text = NULL;
	int rc = -ENOMEM;

	timeline_event(t, "SHUTDOWN", "it could not be started");
	if (!f->open)
		return;
	r = malloc(sizeof(*r));
	if (r) {
		report_take(r, t, c->name);
		text = config_ends(c->timeline, ".svg") ? as_svg(r)
							: as_json(r);
	}
	if (text)
		rc = write_all(f->fd, text);
	if (rc)
		log_error("--timeline %s: %s", c->timeline, strerror(-rc));
	free(text);
	free(r);
	close(f->fd);
	f->open = false;
}
