/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_ctrl: the control queue of a network device (virtio 1.2, 5.1.6.5). A
 * command that is not known, or not now, gets an error and changes nothing.
 */
#include <errno.h>

#include "devices/net.h"

#define CLASS_MQ 4
#define MQ_VQ_PAIRS_SET 0
#define CLASS_GUEST_OFFLOADS 5
#define GUEST_OFFLOADS_SET 0

#define ACK_OK 0
#define ACK_ERR 1

struct ctrl_head {
	uint8_t class, command;
};
static_assert(sizeof(struct ctrl_head) == 2, "virtio 1.2, 5.1.6.5");

static int set_pairs(struct net *n, struct chain *c)
{
	uint16_t pairs;
	int rc = chain_read(c, n->vdev.mem, &pairs, sizeof(pairs));

	if (rc)
		return rc;
	return net_use_pairs(n, pairs) ? -EINVAL : 0;
}

static int set_offloads(struct net *n, struct chain *c)
{
	uint64_t offloads;
	int rc = chain_read(c, n->vdev.mem, &offloads, sizeof(offloads));

	if (rc)
		return rc;
	return net_use_offloads(n, offloads) ? -EINVAL : 0;
}

/* -EINVAL: refused, by us or by the host; other errors break the device. */
static int run(struct net *n, const struct ctrl_head *h, struct chain *c)
{
	uint64_t len = chain_out_len(c), accepted = n->vdev.accepted;

	if (h->class == CLASS_MQ && h->command == MQ_VQ_PAIRS_SET &&
	    len == sizeof(uint16_t) && accepted & NET_F_MQ)
		return set_pairs(n, c);
	if (h->class == CLASS_GUEST_OFFLOADS &&
	    h->command == GUEST_OFFLOADS_SET && len == sizeof(uint64_t) &&
	    accepted & NET_F_CTRL_GUEST_OFFLOADS)
		return set_offloads(n, c);
	return -EINVAL;
}

int net_ctrl_request(struct vdev *d, struct chain *c, uint32_t *written)
{
	struct net *n = (struct net *)d;
	struct ctrl_head h;
	uint8_t ack = ACK_OK;
	gpa_t at;
	int rc;

	static_assert(offsetof(struct net, vdev) == 0, "cast");

	rc = chain_read(c, d->mem, &h, sizeof(h));
	if (!rc)
		rc = chain_cut_status(c, &at);
	if (rc)
		return rc;
	rc = run(n, &h, c);
	if (rc == -EINVAL) {
		ack = ACK_ERR;
		rc = 0;
	}
	if (!rc)
		rc = gmem_write(d->mem, at, &ack, sizeof(ack));
	/* 2.7.8.2: what is before it was not written. */
	*written = chain_in_len(c) ? 0u : 1u;
	return rc;
}
