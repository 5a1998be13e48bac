/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio: numbers of the virtio 1.2 specification that more than one file
 * needs. Nothing here is trusted or checked: users cite and check.
 */
#ifndef CARREL_DEVICES_VIRTIO_H
#define CARREL_DEVICES_VIRTIO_H

#include <assert.h>
#include <stdint.h>

/* Device types (5). */
#define VIRTIO_TYPE_NET 1
#define VIRTIO_TYPE_BLOCK 2
#define VIRTIO_TYPE_CONSOLE 3
#define VIRTIO_TYPE_ENTROPY 4
#define VIRTIO_TYPE_BALLOON 5
#define VIRTIO_TYPE_SOCKET 19
#define VIRTIO_TYPE_FS 26

/* Device status (2.1). */
#define VIRTIO_S_ACKNOWLEDGE 0x01
#define VIRTIO_S_DRIVER 0x02
#define VIRTIO_S_DRIVER_OK 0x04
#define VIRTIO_S_FEATURES_OK 0x08
#define VIRTIO_S_NEEDS_RESET 0x40
#define VIRTIO_S_FAILED 0x80

/* Feature bits that belong to no device type (6). */
#define VIRTIO_F_INDIRECT_DESC (1ull << 28)
#define VIRTIO_F_EVENT_IDX (1ull << 29)
#define VIRTIO_F_VERSION_1 (1ull << 32)
#define VIRTIO_F_ACCESS_PLATFORM (1ull << 33)

/* No interrupt vector (4.1.5.1.2). */
#define VIRTIO_NO_VECTOR 0xffffu

/* Descriptor flags (2.7.5). */
#define VRING_DESC_NEXT 1u
#define VRING_DESC_WRITE 2u
#define VRING_DESC_INDIRECT 4u

/* Flags of the two rings (2.7.6, 2.7.8): suppression without event indices. */
#define VRING_AVAIL_NO_INTERRUPT 1u
#define VRING_USED_NO_NOTIFY 1u

struct vring_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};
static_assert(sizeof(struct vring_desc) == 16, "virtio 1.2, 2.7.5");

struct vring_used_elem {
	uint32_t id;
	uint32_t len;
};
static_assert(sizeof(struct vring_used_elem) == 8, "virtio 1.2, 2.7.8");

#endif
