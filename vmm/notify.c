/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify: see the header.
 */
#include "vmm/notify.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "vmm/log.h"

#define ENV "NOTIFY_SOCKET"
#define PATIENCE_S 1 /* of notify_say with must */

int notify_address(const char *text, struct sockaddr_un *a, socklen_t *len)
{
	size_t n = strlen(text);
	bool abstract = text[0] == '@';

	if (n < 2 || (!abstract && text[0] != '/'))
		return -EINVAL;
	/* Only a path is ended by a NUL. */
	if (n + !abstract > sizeof(a->sun_path))
		return -ENAMETOOLONG;
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	bytes_copy(a->sun_path, sizeof(a->sun_path), text, n);
	if (abstract)
		a->sun_path[0] = '\0';
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n +
			   !abstract);
	return 0;
}

static int connect_to(const struct sockaddr_un *a, socklen_t len)
{
	const struct timeval limit = { .tv_sec = PATIENCE_S };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return -errno;
	if (!connect(fd, (const struct sockaddr *)a, len) &&
	    !setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)))
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

void notify_open(struct notify *n)
{
	const char *text = getenv(ENV);
	struct sockaddr_un a;
	socklen_t len;
	int rc;

	n->fd = -1;
	if (!text)
		return;
	rc = notify_address(text, &a, &len);
	if (!rc)
		rc = connect_to(&a, len);
	if (rc < 0)
		log_warn(ENV " \"%.108s\": %s; nobody is told that the VM runs",
			 text, strerror(-rc));
	else
		n->fd = rc;
	unsetenv(ENV);
}

void notify_say(const struct notify *n, bool must, const char *lines)
{
	if (n->fd < 0)
		return;
	while (send(n->fd, lines, strlen(lines),
		    MSG_NOSIGNAL | (must ? 0 : MSG_DONTWAIT)) < 0 &&
	       errno == EINTR)
		;
}

void notify_close(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}
