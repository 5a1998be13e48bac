/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_frame: see the header.
 */
#include "devices/net_frame.h"

#include <errno.h>

bool net_features_ok(uint64_t accepted)
{
	static const struct {
		uint64_t bit, rests_on; /* any of these */
	} rule[] = {
		{ NET_F_GUEST_TSO4, NET_F_GUEST_CSUM },
		{ NET_F_GUEST_TSO6, NET_F_GUEST_CSUM },
		{ NET_F_GUEST_ECN, NET_F_GUEST_TSO4 | NET_F_GUEST_TSO6 },
		{ NET_F_HOST_TSO4, NET_F_CSUM },
		{ NET_F_HOST_TSO6, NET_F_CSUM },
		{ NET_F_HOST_ECN, NET_F_HOST_TSO4 | NET_F_HOST_TSO6 },
		{ NET_F_MQ, NET_F_CTRL_VQ },
		/* CTRL_GUEST_OFFLOADS alone merely cannot be used. */
	};

	for (size_t i = 0; i < ARRAY_LEN(rule); i++)
		if (accepted & rule[i].bit && !(accepted & rule[i].rests_on))
			return false;
	return true;
}

int net_hdr_check(struct net_hdr *h, uint64_t accepted)
{
	uint64_t needs = 0;

	/* 5.1.6.2.1: bits that the device does not know are to be ignored. */
	h->flags &= NET_HDR_NEEDS_CSUM;
	h->num_buffers = 0;
	if (h->flags & NET_HDR_NEEDS_CSUM)
		needs |= NET_F_CSUM;
	switch (h->gso_type & ~NET_GSO_ECN) {
	case NET_GSO_NONE: break;
	case NET_GSO_TCPV4: needs |= NET_F_HOST_TSO4; break;
	case NET_GSO_TCPV6: needs |= NET_F_HOST_TSO6; break;
	default: return -EBADMSG;
	}
	if (h->gso_type & NET_GSO_ECN)
		needs |= NET_F_HOST_ECN;
	if (needs & ~accepted)
		return -EBADMSG;
	if (!h->flags && h->gso_type == NET_GSO_NONE)
		*h = (struct net_hdr){ 0 };
	return 0;
}
