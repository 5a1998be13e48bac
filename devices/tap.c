/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tap: see the header. Frames carry the virtio header on this interface, too
 * (IFF_VNET_HDR), so checksums and segments are left to whoever is last to need
 * them.
 */
#include "devices/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <linux/if_tun.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "vmm/log.h"

struct tap {
	struct net_end end; /* first: the operations cast back */
	uint8_t buf[NET_FRAME_MAX];
};

static struct tap *of_end(struct net_end *e)
{
	static_assert(offsetof(struct tap, end) == 0, "cast");

	return (struct tap *)e;
}

static int receive_iov(struct net_end *e, const struct iovec *iov, int n,
		       size_t *len)
{
	ssize_t got = readv(e->fd, iov, n);

	if (got < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	/* The kernel sends no runts, and a frame is all that it gives. */
	if ((size_t)got < sizeof(struct net_hdr) + NET_ETHER_BYTES)
		return -EAGAIN;
	*len = (size_t)got;
	return 0;
}

static int receive(struct net_end *e, struct net_frame *f)
{
	struct tap *t = of_end(e);
	const struct iovec iov[] = { { &f->hdr, sizeof(f->hdr) },
				     { t->buf, sizeof(t->buf) } };
	size_t len = 0;
	int rc = receive_iov(e, iov, ARRAY_LEN(iov), &len);

	if (rc)
		return rc;
	f->bytes = t->buf;
	f->len = len - sizeof(f->hdr);
	return 0;
}

static int send_frame(struct net_end *e, const struct net_hdr *h,
		      struct chain *c, const struct gmem *mem)
{
	struct iovec iov[1 + VIRTQ_SPANS];
	struct net_hdr own = *h;
	int n, rc = chain_iov(c, mem, false, iov + 1, &n);

	if (rc)
		return rc;
	iov[0] = (struct iovec){ &own, sizeof(own) };
	if (writev(e->fd, iov, n + 1) >= 0)
		return 0;
	switch (errno) {
	case EAGAIN:
	case EINTR: return -EAGAIN;
	case EBADFD: return -ENOTCONN; /* the interface was deleted */
	default: return -EIO; /* a bad header; the interface is down */
	}
}

static int offload(struct net_end *e, uint64_t features)
{
	static const struct {
		uint64_t feature;
		unsigned flag;
	} map[] = {
		{ NET_F_GUEST_CSUM, TUN_F_CSUM },
		{ NET_F_GUEST_TSO4, TUN_F_TSO4 },
		{ NET_F_GUEST_TSO6, TUN_F_TSO6 },
		{ NET_F_GUEST_ECN, TUN_F_TSO_ECN },
	};
	unsigned long flags = 0;

	for (size_t i = 0; i < ARRAY_LEN(map); i++)
		if (features & map[i].feature)
			flags |= map[i].flag;
	return ioctl(e->fd, TUNSETOFFLOAD, flags) ? -errno : 0;
}

static int enable(struct net_end *e, bool on)
{
	struct ifreq r = {
		.ifr_flags = on ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE,
	};

	/* As it is already: the kernel says EINVAL to that. */
	return ioctl(e->fd, TUNSETQUEUE, &r) && errno != EINVAL ? -errno : 0;
}

static void tap_close(struct net_end *e)
{
	close(e->fd);
	free(of_end(e));
}

static const struct net_end_ops tap_ops = {
	.receive = receive,
	.receive_iov = receive_iov,
	.send = send_frame,
	.offload = offload,
	.enable = enable,
	.close = tap_close,
};

static struct ifreq request_of(const char *name)
{
	struct ifreq r = { .ifr_flags = 0 };

	bytes_copy(r.ifr_name, sizeof(r.ifr_name) - 1, name, strlen(name));
	return r;
}

static int refused(const char *name, const char *what, int rc)
{
	const char *hint = "";

	if (rc == -EINVAL)
		hint = "; is it a tap, made with multi_queue if queues are "
		       "more than 1?";
	else if (rc == -EPERM)
		hint = "; make it with `ip tuntap add NAME mode tap user USER`";
	else if (rc == -EBUSY)
		hint = "; another process has it";
	log_error("tap '%s': %s: %s%s", name, what, strerror(-rc), hint);
	return rc;
}

/* With or without IFF_MULTI_QUEUE: as the interface was made, it has to be. */
static int take_queue(int fd, const char *name, bool multi)
{
	struct ifreq r = request_of(name);

	r.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR |
			      (multi ? IFF_MULTI_QUEUE : 0));
	return ioctl(fd, TUNSETIFF, &r) ? -errno : 0;
}

static int open_queue(const char *name, unsigned queues)
{
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	int size = sizeof(struct net_hdr), little = 1, rc;

	if (fd < 0)
		return refused(name, "/dev/net/tun", -errno);
	rc = take_queue(fd, name, queues > 1);
	if (rc == -EINVAL && queues == 1)
		rc = take_queue(fd, name, true);
	if (!rc &&
	    (ioctl(fd, TUNSETVNETHDRSZ, &size) ||
	     ioctl(fd, TUNSETVNETLE, &little) || ioctl(fd, TUNSETOFFLOAD, 0ul)))
		rc = -errno;
	if (!rc)
		return fd;
	close(fd);
	return refused(name, "cannot be opened", rc);
}

static int open_end(struct net_end **out, const char *name, unsigned queues,
		    bool on)
{
	struct tap *t = calloc(1, sizeof(*t));
	int rc;

	if (!t)
		return -ENOMEM;
	t->end.ops = &tap_ops;
	t->end.fd = open_queue(name, queues);
	rc = t->end.fd < 0 ? t->end.fd : 0;
	if (!rc && !on)
		rc = enable(&t->end, false);
	if (!rc) {
		*out = &t->end;
		return 0;
	}
	if (t->end.fd >= 0)
		close(t->end.fd);
	free(t);
	return rc;
}

int tap_open(struct net_end **end, unsigned n, const char *name)
{
	unsigned i;
	int rc = 0;

	/* TUNSETIFF would make one, where it may. */
	if (!if_nametoindex(name)) {
		log_error("tap '%s': there is no such interface", name);
		return -ENODEV;
	}
	for (i = 0; !rc && i < n; i++)
		rc = open_end(&end[i], name, n, i == 0);
	if (!rc)
		return 0;
	for (i--; i--;)
		tap_close(end[i]);
	return rc;
}

unsigned tap_mtu(const char *name)
{
	struct ifreq r = request_of(name);
	/* Any family answers; a service may be allowed this one alone. */
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc = fd < 0 ? -1 : ioctl(fd, SIOCGIFMTU, &r);

	if (fd >= 0)
		close(fd);
	return rc || r.ifr_mtu < 0 ? 0 : (unsigned)r.ifr_mtu;
}
