/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dial: see the header. A message is a record of fixed size; the socket
 * itself travels beside the answer (SCM_RIGHTS).
 */
#include "devices/dial.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define DIALER_FD (STDERR_FILENO + 1)

struct question {
	uint64_t tag;
	uint32_t port;
	uint32_t unused;
};

struct answer {
	uint64_t tag;
	int32_t err; /* -errno */
	uint32_t unused;
};

union rights {
	char space[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

/*
 * A Unix socket connects or refuses at once; one whose backlog is full refuses,
 * too, as the dialer waits for nobody.
 */
int dial_path(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd, rc;

	rc = snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (rc < 0 || (size_t)rc >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

static int dial(const char *path, enum dial_how how, uint32_t port)
{
	char name[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	int rc;

	if (how == DIAL_EXACT)
		return dial_path(path);
	rc = snprintf(name, sizeof(name), "%s_%u", path, port);
	return rc < 0 || (size_t)rc >= sizeof(name) ? -ENAMETOOLONG
						    : dial_path(name);
}

static void put_socket(struct msghdr *m, int sock)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	bytes_copy(CMSG_DATA(c), sizeof(int), &sock, sizeof(sock));
}

/* An answer, with a socket unless that is -1. */
static int reply(const struct answer *a, int sock)
{
	struct answer copy = *a;
	struct iovec v = { &copy, sizeof(copy) };
	union rights r = { .space = { 0 } };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	ssize_t rc;

	if (sock >= 0) {
		m.msg_control = r.space;
		m.msg_controllen = sizeof(r.space);
		put_socket(&m, sock);
	}
	do
		rc = sendmsg(DIALER_FD, &m, MSG_NOSIGNAL);
	while (rc < 0 && errno == EINTR);
	return rc < 0 ? -errno : 0;
}

/*
 * A socket that cannot be passed on (a user has only so many on their way, in
 * all processes together) is a refusal, not a question without an answer.
 */
static int answer_with(const struct question *q, int sock)
{
	struct answer a = { .tag = q->tag, .err = sock < 0 ? sock : 0 };
	int rc = reply(&a, sock);

	if (!rc || sock < 0)
		return rc;
	a.err = rc;
	return reply(&a, -1);
}

/* False: carrel is gone, or cannot be told any more. */
static bool serve_one(const char *path, enum dial_how how)
{
	struct question q;
	ssize_t n = read(DIALER_FD, &q, sizeof(q));
	int sock, rc;

	if (n != sizeof(q))
		return n < 0 && errno == EINTR;
	sock = dial(path, how, q.port);
	rc = answer_with(&q, sock);
	if (sock >= 0)
		close(sock);
	return !rc;
}

/* Signals that the terminal sends to all of us must not end it first. */
static void dialer_main(int fd, const char *path, enum dial_how how,
			int (*confine)(void *ctx), void *ctx)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_NAME, "carrel-dial");
	if (fd != DIALER_FD && dup3(fd, DIALER_FD, O_CLOEXEC) < 0)
		_exit(1);
	if (close_range(DIALER_FD + 1, ~0u, 0) || confine(ctx))
		_exit(1);
	while (serve_one(path, how))
		;
	_exit(0);
}

int dial_fork(int *fd, const char *path, enum dial_how how,
	      int (*confine)(void *ctx), void *ctx)
{
	int pair[2], rc;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	pid = fork();
	if (pid == 0)
		dialer_main(pair[1], path, how, confine, ctx);
	rc = pid < 0 ? -errno : 0;
	close(pair[1]);
	if (!rc && fcntl(pair[0], F_SETFL, O_NONBLOCK))
		rc = -errno;
	if (rc)
		close(pair[0]);
	else
		*fd = pair[0];
	return rc;
}

int dial_ask(int fd, uint64_t tag, uint32_t port)
{
	const struct question q = { .tag = tag, .port = port };

	return write(fd, &q, sizeof(q)) == sizeof(q) ? 0 : -errno;
}

static int passed_socket(struct msghdr *m)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int sock;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(sizeof(int)))
		return -1;
	bytes_copy(&sock, sizeof(sock), CMSG_DATA(c), sizeof(sock));
	return sock;
}

int dial_answer(int fd, uint64_t *tag, int *sock, int *err)
{
	struct answer a;
	struct iovec v = { &a, sizeof(a) };
	union rights r;
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = r.space,
			    .msg_controllen = sizeof(r.space) };
	ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n != sizeof(a))
		return -EPIPE;
	*tag = a.tag;
	*err = a.err;
	*sock = passed_socket(&m);
	/* We had no descriptor left for it: it is gone. */
	if (!*err && *sock < 0)
		*err = -EMFILE;
	return 1;
}
