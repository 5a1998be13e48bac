/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_frame: numbers of a virtio network device (virtio 1.2, 5.1), and the
 * header that stands before each frame. Headers come from the guest: one is
 * checked against what was negotiated before a backend sees it.
 */
#ifndef CARREL_DEVICES_NET_FRAME_H
#define CARREL_DEVICES_NET_FRAME_H

#include <assert.h>

#include "vmm/num.h"

/* Feature bits (5.1.3). */
#define NET_F_CSUM (1ull << 0)
#define NET_F_GUEST_CSUM (1ull << 1)
#define NET_F_CTRL_GUEST_OFFLOADS (1ull << 2)
#define NET_F_MTU (1ull << 3)
#define NET_F_MAC (1ull << 5)
#define NET_F_GUEST_TSO4 (1ull << 7)
#define NET_F_GUEST_TSO6 (1ull << 8)
#define NET_F_GUEST_ECN (1ull << 9)
#define NET_F_HOST_TSO4 (1ull << 11)
#define NET_F_HOST_TSO6 (1ull << 12)
#define NET_F_HOST_ECN (1ull << 13)
#define NET_F_MRG_RXBUF (1ull << 15)
#define NET_F_STATUS (1ull << 16)
#define NET_F_CTRL_VQ (1ull << 17)
#define NET_F_MQ (1ull << 22)

/* What the guest can take, as features and in CTRL_GUEST_OFFLOADS. */
#define NET_GUEST_OFFLOADS                                                     \
	(NET_F_GUEST_CSUM | NET_F_GUEST_TSO4 | NET_F_GUEST_TSO6 |              \
	 NET_F_GUEST_ECN)

/* Header fields (5.1.6). */
#define NET_HDR_NEEDS_CSUM 1u
#define NET_GSO_NONE 0u
#define NET_GSO_TCPV4 1u
#define NET_GSO_TCPV6 4u
#define NET_GSO_ECN 0x80u

struct net_hdr {
	uint8_t flags, gso_type;
	uint16_t hdr_len, gso_size, csum_start, csum_offset;
	uint16_t num_buffers;
};
static_assert(sizeof(struct net_hdr) == 12, "virtio 1.2, 5.1.6");

#define NET_MAC_BYTES 6

/* What the driver reads of the device's configuration (5.1.4). */
struct net_space {
	uint8_t mac[NET_MAC_BYTES];
	uint16_t status, max_pairs, mtu;
};
static_assert(sizeof(struct net_space) == 12, "virtio 1.2, 5.1.4");
#define NET_LINK_UP 1u /* a bit of status */

#define NET_ETHER_BYTES 14u /* addresses and type: the least of a frame */
#define NET_VLAN_BYTES 4u
/* An IP packet of 64 KiB less one, with Ethernet's header and a VLAN tag. */
#define NET_FRAME_MAX (65535u + NET_ETHER_BYTES + NET_VLAN_BYTES)

/* Do the accepted bits have what they rest on (5.1.3.1)? */
bool net_features_ok(uint64_t accepted);

/*
 * A header of the guest's, cut down to what the other side may see: bits that
 * mean nothing in this direction are cleared. -EBADMSG: it asks for an offload
 * that was not negotiated. Whether its offsets fit the frame is for the kernel
 * to judge, which reads them once, as we did.
 */
int net_hdr_check(struct net_hdr *h, uint64_t accepted) MUST_USE;

#endif
