/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vhost_wire: see the header. The header of a message is read first, so that
 * nothing is read of a payload whose length is not the right one.
 */
#include "devices/vhost_wire.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmm/clock.h"

union rights {
	char space[CMSG_SPACE(VHOST_FDS * sizeof(int))];
	struct cmsghdr align;
};

/* Until the socket is ready, or -ETIMEDOUT. */
static int wait_for(const struct vhost_wire *w, short events)
{
	struct pollfd p = { .fd = w->fd, .events = events };
	uint64_t now = clock_ns();
	int rc;

	if (now >= w->end_ns)
		return -ETIMEDOUT;
	rc = poll(&p, 1,
		  (int)min_u64((w->end_ns - now) / CLOCK_NS_PER_MS + 1, 60000));
	return rc < 0 && errno != EINTR ? -errno : 0;
}

static int error_of(int err)
{
	return err == ECONNRESET || err == ENOTCONN ? -EPIPE : -err;
}

static void put_rights(struct msghdr *m, union rights *r, const int *fds,
		       unsigned n)
{
	m->msg_control = r->space;
	m->msg_controllen = CMSG_SPACE(n * sizeof(int));
	CMSG_FIRSTHDR(m)->cmsg_level = SOL_SOCKET;
	CMSG_FIRSTHDR(m)->cmsg_type = SCM_RIGHTS;
	CMSG_FIRSTHDR(m)->cmsg_len = CMSG_LEN(n * sizeof(int));
	bytes_copy(CMSG_DATA(CMSG_FIRSTHDR(m)), VHOST_FDS * sizeof(int), fds,
		   n * sizeof(int));
}

int vhost_send(const struct vhost_wire *w, const struct vhost_msg *msg,
	       const int *fds, unsigned n)
{
	const size_t len = sizeof(msg->h) + msg->h.size;
	uint8_t flat[sizeof(msg->h) + sizeof(msg->p)];
	union rights r = { .space = { 0 } };
	size_t done = 0;

	CHECK(n <= VHOST_FDS);
	bytes_copy(flat, sizeof(flat), &msg->h, sizeof(msg->h));
	bytes_copy(flat + sizeof(msg->h), sizeof(msg->p), &msg->p, msg->h.size);
	while (done < len) {
		struct iovec v = { flat + done, len - done };
		struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
		ssize_t sent;
		int rc;

		if (n && !done)
			put_rights(&m, &r, fds, n);
		sent = sendmsg(w->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent > 0)
			done += (size_t)sent;
		if (sent >= 0 || errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return error_of(errno);
		rc = wait_for(w, POLLOUT);
		if (rc)
			return rc;
	}
	return 0;
}

static void close_all(const int *fds, size_t n)
{
	while (n)
		close(fds[--n]);
}

/* The one descriptor of a message, if it may have one; more are refused. */
static int take_rights(struct msghdr *m, int *fd)
{
	int got[VHOST_FDS];
	int rc = m->msg_flags & MSG_CTRUNC ? -EPROTO : 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		bytes_copy(got, sizeof(got), CMSG_DATA(c), n * sizeof(int));
		if (!rc && n == 1 && fd && *fd < 0) {
			*fd = got[0];
			continue;
		}
		close_all(got, n);
		rc = -EPROTO;
	}
	return rc;
}

/* Exactly len bytes. Descriptors come with a message's first byte. */
static int receive(const struct vhost_wire *w, void *to, size_t len, int *fd)
{
	size_t done = 0;

	while (done < len) {
		struct iovec v = { (char *)to + done, len - done };
		union rights r;
		struct msghdr m = { .msg_iov = &v,
				    .msg_iovlen = 1,
				    .msg_control = r.space,
				    .msg_controllen = sizeof(r.space) };
		ssize_t n = recvmsg(w->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		int rc;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			rc = wait_for(w, POLLIN);
			if (rc)
				return rc;
			continue;
		}
		if (n < 0)
			return error_of(errno);
		rc = take_rights(&m, fd);
		if (rc)
			return rc;
		if (!n)
			return -EPIPE;
		done += (size_t)n;
	}
	return 0;
}

static int answer(const struct vhost_wire *w, struct vhost_msg *m,
		  uint32_t asked, uint32_t size, int *fd)
{
	int rc = receive(w, &m->h, sizeof(m->h), fd);

	CHECK(size <= sizeof(m->p));
	if (!rc)
		rc = vhost_answer(&m->h, asked, size);
	return rc ? rc : receive(w, &m->p, size, NULL);
}

int vhost_ask(const struct vhost_wire *w, struct vhost_msg *m, uint32_t size,
	      int *fd)
{
	uint32_t asked = m->h.request;
	int got = -1, rc;

	m->h.flags = VHOST_VERSION;
	rc = vhost_send(w, m, NULL, 0);
	if (!rc)
		rc = answer(w, m, asked, size, fd ? &got : NULL);
	if (fd)
		*fd = rc ? -1 : got;
	if (rc && got >= 0)
		close(got);
	return rc;
}

int vhost_tell(const struct vhost_wire *w, struct vhost_msg *m, const int *fds,
	       unsigned n)
{
	uint32_t told = m->h.request;
	int rc;

	m->h.flags = VHOST_VERSION | (w->acks ? VHOST_NEED_REPLY : 0);
	rc = vhost_send(w, m, fds, n);
	if (rc || !w->acks)
		return rc;
	rc = answer(w, m, told, sizeof(m->p.u64), NULL);
	return rc ? rc : m->p.u64 ? -EREMOTEIO : 0;
}

int vhost_hear(const struct vhost_wire *w)
{
	struct pollfd p = { .fd = w->fd, .events = POLLIN };
	struct vhost_msg m = { .h = { 0 } };
	bool wants;
	int rc;

	if (poll(&p, 1, 0) <= 0)
		return 0;
	rc = receive(w, &m.h, sizeof(m.h), NULL);
	if (!rc)
		rc = vhost_asked(&m.h, w->acks, &wants);
	if (rc)
		return rc;
	m.h.flags = VHOST_VERSION | VHOST_REPLY;
	m.h.size = sizeof(m.p.u64);
	if (wants)
		rc = vhost_send(w, &m, NULL, 0);
	return rc ? rc : 1;
}
